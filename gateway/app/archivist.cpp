#include "gateway/app/archivist.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "gateway/core/sleep.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr Micros kLook = 10s;   ///< for a round that is due
constexpr Micros kPause = 60s;  ///< after a failure: the log keeps what history has not taken
constexpr int kLowest = 19;

}  // namespace

Archivist::Archivist(journal::Journal& journal)
    : journal_(journal), thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::string Archivist::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Archivist::run(const std::stop_token& stop) {
  setpriority(PRIO_PROCESS, 0, kLowest);  // of this thread alone, on Linux
  Micros pause = kLook;
  do {
    const auto more = journal_.compact(stop);
    std::string trouble;
    if (!more && more.error().code != Errc::stopped) trouble = "history stands still: " + more.error().text;
    pause = !trouble.empty() ? kPause : more && *more ? Micros{0} : kLook;
    const std::lock_guard lock(mutex_);
    if (!trouble.empty() && trouble != trouble_) spdlog::error("{}", trouble);
    trouble_ = std::move(trouble);
  } while (sleep_for(pause, stop));
}

}  // namespace tidegate::app
