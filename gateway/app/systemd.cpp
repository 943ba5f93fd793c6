#include "gateway/app/systemd.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdlib>
#include <utility>

#include "gateway/core/sleep.h"

namespace tidegate::app::systemd {
namespace {

/// Of a start that is at work, each time that it says so.
constexpr Micros kExtension = std::chrono::minutes(1);

}  // namespace

Patience::Patience(std::function<bool()> at_work)
    : thread_([at_work = std::move(at_work)](const std::stop_token& stop) {
        do {
          if (at_work()) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", static_cast<long long>(kExtension.count()));
        } while (sleep_for(kExtension / 4, stop));
      }) {}

void ready() { sd_notify(0, "READY=1"); }

void reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long long micros = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", micros);
}

void stopping() { sd_notify(0, "STOPPING=1"); }

void status(const std::string& text) { sd_notifyf(0, "STATUS=%s", text.c_str()); }

void alive() { sd_notify(0, "WATCHDOG=1"); }

bool logs_to_journal() { return std::getenv("JOURNAL_STREAM") != nullptr; }

}  // namespace tidegate::app::systemd
