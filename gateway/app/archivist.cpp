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

template <class Outcome>
bool is_trouble(const Outcome& outcome) {
  return !outcome && outcome.error().code != Errc::stopped;
}

}  // namespace

Archivist::Archivist(journal::Journal& journal, Snapshots snapshots)
    : journal_(journal),
      snapshots_(std::move(snapshots)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::string Archivist::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Archivist::run(const std::stop_token& stop) {
  setpriority(PRIO_PROCESS, 0, kLowest);  // of this thread alone, on Linux
  Micros pause = kLook;
  do {
    const auto more = journal_.compact(stop);
    const Status taken = snapshots_.take_due(stop);
    std::string trouble;
    if (is_trouble(taken)) trouble = "snapshots of alerts wait: " + taken.error().text;
    if (is_trouble(more)) trouble = "history stands still: " + more.error().text;
    pause = !trouble.empty() ? kPause : more && *more ? Micros{0} : kLook;
    const std::lock_guard lock(mutex_);
    if (!trouble.empty() && trouble != trouble_) spdlog::error("{}", trouble);
    trouble_ = std::move(trouble);
  } while (sleep_for(pause, stop));
}

}  // namespace tidegate::app
