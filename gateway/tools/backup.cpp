#include "gateway/tools/backup.h"

#include <fmt/format.h>

#include <chrono>

#include "gateway/core/clock.h"
#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/backup.h"
#include "gateway/journal/reinstate.h"
#include "gateway/reset/factory_reset.h"
#include "gateway/tools/files.h"
#include "gateway/tools/progress.h"

namespace tidegate::tools {
namespace {

namespace fs = std::filesystem;

journal::CopyReport report_to(Progress& progress, const Surroundings& surroundings) {
  return {[&progress](const std::string& file, std::uint64_t done, std::uint64_t of) {
            progress.show([&] {
              const std::uint64_t percent = of == 0 ? 100 : std::min<std::uint64_t>(100, 100 * done / of);
              return fmt::format("{}: {} of {}, {} %", file, bytes_text(done), bytes_text(of), percent);
            });
          },
          surroundings.stop};
}

/// For a gateway that runs to take what is ready: it looks each second, and first stores all that it has taken in.
class Waiting {
 public:
  Waiting(Progress& progress, const Surroundings& surroundings) : progress_(progress), stop_(surroundings.stop) {}

  Status operator()() {
    progress_.show([] { return std::string("waiting for the gateway to take it"); });
    if (!sleep_for(kLook, stop_)) return fail(Errc::stopped, "stopped; {}", kLater);
    if (std::chrono::steady_clock::now() < until_) return {};
    return fail(Errc::timed_out, "the gateway that runs has not taken it within {}; {}", age_text(kPatience), kLater);
  }

 private:
  static constexpr Micros kLook = std::chrono::milliseconds(100), kPatience = std::chrono::minutes(2);
  static constexpr std::string_view kLater =
      "the restored store is ready in restore.ready, and the gateway takes it as soon as it can, or at its next start: "
      "systemctl restart tidegate";
  Progress& progress_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + kPatience;
};

}  // namespace

Result<int> backup(const BackupOptions& options, const Surroundings& surroundings) {
  Progress progress;
  const auto made =
      journal::back_up(surroundings.store, options.folder, surroundings.now, report_to(progress, surroundings));
  progress.clear();
  if (!made) return fail(made.error());
  fmt::print("{}: {} in {}, up to batch {} of {}\n", options.folder.string(), bytes_text(made->bytes()),
             counted(made->files.size(), "file", "files"), number(made->last), rfc3339(made->committed));
  for (const std::string& name : made->damaged) {
    fmt::print(stderr, "{} is damaged and was copied as it is; `tidegate store check` tells more\n", name);
  }
  return made->damaged.empty() ? kDone : kDamaged;
}

Result<int> restore(const RestoreOptions& options, const Surroundings& surroundings) {
  const fs::path& store = surroundings.store;
  if (reset::begun(store)) {
    return fail(Errc::conflict,
                "a factory reset of {} was begun, and the next start of the gateway would wipe what is restored: start "
                "it first, or `tidegate factory-reset --finish`",
                store.string());
  }
  Progress progress;
  auto copy = journal::Restore::prepare(options.folder, store, options.force, GatewayClock().moment(),
                                        report_to(progress, surroundings));
  if (!copy) {
    progress.clear();
    return fail(copy.error());
  }
  hand_over(copy->folder(), store);  // before the gateway takes it
  const auto restored = copy->finish(Waiting(progress, surroundings));
  progress.clear();
  hand_over(store, store);
  if (!restored) return fail(restored.error());
  fmt::print("{} is as it was at {}, with {}, up to batch {}{}\n", store.string(), rfc3339(restored->backup.made),
             bytes_text(restored->backup.bytes()), number(restored->backup.last),
             restored->by_gateway ? "; the gateway that runs has taken it" : "");
  if (!restored->aside.empty()) {
    fmt::print("what was there before is in {}: remove it when all is well\n", restored->aside.string());
  }
  if (restored->lost.empty()) return kDone;
  fmt::print(stderr, "the backup's {}\n", restored->lost);
  return kDamaged;
}

}  // namespace tidegate::tools
