#pragma once

#include <chrono>
#include <string>

namespace tidegate::app::systemd {

// What the service manager is told; without one each call does nothing. Main thread.

void ready();
void reloading();
void stopping();
void status(const std::string& text);
/// Feeds the watchdog: say it only while the pump moves.
void alive();
/// Standard error goes to its log, which adds time and name by itself.
bool logs_to_journal();

}  // namespace tidegate::app::systemd
