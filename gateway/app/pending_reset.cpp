#include "gateway/app/pending_reset.h"

#include <spdlog/spdlog.h>

#include <thread>

#include "gateway/app/systemd.h"
#include "gateway/reset/factory_reset.h"
#include "gateway/tools/progress.h"

namespace tidegate::app {
namespace {

constexpr Micros kStuck = std::chrono::seconds(10);
constexpr Micros kRetry = std::chrono::milliseconds(50);

void tell(const reset::Wiped& wiped) {
  for (const std::string& one : wiped.only_removed) {
    spdlog::warn("factory reset: removed, but not overwritten before: {}", one);
  }
  spdlog::warn("factory reset: done, {} with {} wiped; this gateway is as new",
               tools::counted(wiped.files, "file", "files"), tools::bytes_text(wiped.bytes));
}

}  // namespace

Status finish_pending_reset(const std::filesystem::path& store, const std::filesystem::path& configuration,
                            Heartbeat& heart) {
  if (!reset::pending(store, configuration)) return {};
  const systemd::Patience patience([&heart] { return heart.age() < kStuck; });
  systemd::status("factory reset: wiping all that is stored");
  spdlog::warn("factory reset: wiping {}", store.string());
  const auto step = [&heart] {
    heart.beat();
    systemd::alive();
  };
  while (reset::pending(store, configuration)) {
    const auto wiped = reset::finish(store, configuration, step);
    if (wiped) {
      tell(*wiped);
      return {};
    }
    if (wiped.error().code != Errc::conflict) return fail(wiped.error());
    step();
    std::this_thread::sleep_for(kRetry);
  }
  return {};
}

}  // namespace tidegate::app
