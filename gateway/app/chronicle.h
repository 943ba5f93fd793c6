#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "dashboard/server.h"

namespace tidegate::app {

/// What an engineer looks for in the log afterwards: each change of health of a source, an uplink or the store, with
/// its reason, once. Of one that comes and goes without end a few changes each minute, and how many there were beside:
/// a log is bounded, and others are in it too. Main thread.
class Chronicle {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr int kMostTold = 6;  ///< changes of one thing in kWithin
  static constexpr std::chrono::seconds kWithin{60};

  enum class Level { info, warning, error };
  using Write = std::function<void(Level, const std::string&)>;
  explicit Chronicle(Write write) : write_(std::move(write)) {}

  void look(const dashboard::GatewayView& view, Instant now);

 private:
  struct Story {
    SourceHealth health;
    Instant since;  ///< what is counted
    int told = 0, untold = 0;
  };
  void look(const std::string& who, SourceHealth health, std::string_view text, Instant now);

  Write write_;
  std::map<std::string, Story> seen_;
};

}  // namespace tidegate::app
