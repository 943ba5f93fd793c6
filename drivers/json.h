#pragma once

#include <memory>
#include <string_view>

#include "drivers/leaves.h"

namespace tidegate::drivers {

/// Walks JSON. NaN, the infinities and numbers beyond a double are readings too. Keeps its buffers. One thread.
class JsonWalk {
 public:
  JsonWalk();
  ~JsonWalk();
  JsonWalk(const JsonWalk&) = delete;
  JsonWalk& operator=(const JsonWalk&) = delete;

  /// An object or array, without space around it. What is wrong is in `out`. Texts are good until the next walk.
  void walk(std::string_view payload, Leaves& out);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace tidegate::drivers
