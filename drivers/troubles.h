#pragma once

#include <string>

namespace tidegate::drivers {

/// The first few of what is wrong, each once, as one text. One thread.
class Troubles {
 public:
  void add(const std::string& text);
  std::string text() const;

 private:
  static constexpr std::size_t kMostTold = 3;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace tidegate::drivers
