#include "gateway/tools/backup.h"

#include <fmt/format.h>

#include "gateway/core/clock.h"
#include "gateway/core/time_text.h"
#include "gateway/journal/backup.h"
#include "gateway/journal/reinstate.h"
#include "gateway/tools/files.h"
#include "gateway/tools/progress.h"

namespace tidegate::tools {
namespace {

journal::CopyReport report_to(Progress& progress, const Surroundings& surroundings) {
  return {[&progress](const std::string& file, std::uint64_t done, std::uint64_t of) {
            progress.show([&] {
              const std::uint64_t percent = of == 0 ? 100 : std::min<std::uint64_t>(100, 100 * done / of);
              return fmt::format("{}: {} of {}, {} %", file, bytes_text(done), bytes_text(of), percent);
            });
          },
          surroundings.stop};
}

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
  Progress progress;
  const auto restored = journal::reinstate(options.folder, surroundings.store, options.force, GatewayClock().moment(),
                                           report_to(progress, surroundings));
  progress.clear();
  hand_over(surroundings.store);
  if (!restored) return fail(restored.error());
  fmt::print("{} is as it was at {}, with {}, up to batch {}\n", surroundings.store.string(),
             rfc3339(restored->backup.made), bytes_text(restored->backup.bytes()), number(restored->backup.last));
  if (!restored->aside.empty()) {
    fmt::print("what was there before is in {}: remove it when all is well\n", restored->aside.string());
  }
  if (restored->lost.empty()) return kDone;
  fmt::print(stderr, "the backup's {}\n", restored->lost);
  return kDamaged;
}

}  // namespace tidegate::tools
