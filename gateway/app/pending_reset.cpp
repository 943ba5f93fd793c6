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
  for (const std::string& note : wiped.notes) spdlog::warn("factory reset: {}", note);
  spdlog::warn("factory reset: done, {} with {} wiped; this gateway is as new",
               tools::counted(wiped.files, "file", "files"), tools::bytes_text(wiped.bytes));
}

bool came(const sigset_t& signals) {
  sigset_t waiting, wanted;
  return ::sigpending(&waiting) == 0 && ::sigandset(&wanted, &waiting, &signals) == 0 && ::sigisemptyset(&wanted) == 0;
}

}  // namespace

Status finish_pending_reset(const std::filesystem::path& store, const std::filesystem::path& configuration,
                            const sigset_t& signals, Heartbeat& heart) {
  if (!reset::pending(store, configuration)) return {};
  const systemd::Patience patience([&heart] { return heart.age() < kStuck; });
  systemd::status("factory reset: wiping all that is stored");
  spdlog::warn("factory reset: wiping {}", store.string());
  const auto step = [&] {
    heart.beat();
    systemd::alive();
    return !came(signals);
  };
  while (reset::pending(store, configuration)) {
    const auto wiped = reset::finish(store, configuration, step);
    if (wiped) {
      tell(*wiped);
      return {};
    }
    if (wiped.error().code != Errc::conflict) return fail(wiped.error());
    if (!step()) return fail(Errc::stopped, "stopped; the next start goes on with the factory reset");
    std::this_thread::sleep_for(kRetry);
  }
  return {};
}

}  // namespace tidegate::app
