#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace tidegate::app::systemd {

// What the service manager is told; without one each call does nothing.

/// While it lives, and as long as `at_work` says so, the manager waits beyond TimeoutStartSec: a large journal that is
/// damaged takes longer to read than to give up on.
class Patience {
 public:
  explicit Patience(std::function<bool()> at_work);

 private:
  std::jthread thread_;
};

void ready();
void reloading();
void stopping();
void status(const std::string& text);
/// Feeds the watchdog: say it only while the pump moves.
void alive();
/// Standard error goes to its log, which adds time and name by itself.
bool logs_to_journal();

}  // namespace tidegate::app::systemd
