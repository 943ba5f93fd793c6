#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "dashboard/server.h"

namespace tidegate::app {

/// What an engineer looks for in the log afterwards: each change of health of a source, an uplink or the store, with
/// its reason, once. Main thread.
class Chronicle {
 public:
  enum class Level { info, warning, error };
  using Write = std::function<void(Level, const std::string&)>;
  explicit Chronicle(Write write) : write_(std::move(write)) {}

  void look(const dashboard::GatewayView& view);

 private:
  void look(const std::string& who, SourceHealth health, std::string_view text);

  Write write_;
  std::map<std::string, SourceHealth> seen_;
};

}  // namespace tidegate::app
