#include <fmt/format.h>

#include <cstdio>

#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/repair.h"
#include "gateway/journal/lock.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/salvage.h"
#include "gateway/journal/schema.h"
#include "gateway/state/state.h"
#include "gateway/tools/files.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/store.h"

namespace tidegate::tools {
namespace {

namespace fs = std::filesystem;
using journal::DirectoryLock;

/// What is wrong with a file, so that making a new one of it helps; nothing where it is sound.
Result<std::optional<std::string>> find_damage(const StoreFile& file, const Surroundings& surroundings,
                                               Progress& progress) {
  std::optional<std::string> first;
  const auto checked = file.check({[&](const journal::Damage& damage) {
                                     if (damage.missing || first) return;
                                     first = damage.extent.empty() ? damage.what : damage.extent + ": " + damage.what;
                                   },
                                   [&](std::uint64_t samples) {
                                     progress.show([&] {
                                       return fmt::format("looking at {}: {}", file.path.filename().string(),
                                                          counted(samples, "sample", "samples"));
                                     });
                                   },
                                   surroundings.stop});
  if (!checked && checked.error().code != Errc::not_found) return fail(checked.error());
  return first;
}

/// As the gateway does at its start: what it leaves behind it finishes. What is missing the gateway's next start tells.
Result<std::string> salvage_log(const fs::path& file, const std::string& why, DirectoryLock& lock, Progress& progress) {
  const auto step = [&] { progress.show([] { return std::string("reading what can be read of journal.db"); }); };
  const auto salvaged = journal::salvage_in_place(file, Error{Errc::corrupt, why}, GatewayClock().moment(), step);
  if (!salvaged) return fail(salvaged.error());
  if (lock.left() != DirectoryLock::Left::lost) lock.leave(DirectoryLock::Left::closed);
  return std::get<Notice>(salvaged->report.events.at(0).body).text;
}

/// Opening it mends it.
Result<std::string> salvage_state(const fs::path& store) {
  const GatewayClock clock;
  const auto state = state::State::open(store, clock);
  return state ? Result<std::string>((*state)->notice()) : fail(state.error());
}

Result<std::string> salvage_file(const fs::path& file, const std::string& why, const Surroundings& surroundings,
                                 DirectoryLock& lock, Progress& progress) {
  const std::string name = file.filename().string();
  if (name == "journal.db") return salvage_log(file, why, lock, progress);
  if (name == state::kFileName) return salvage_state(surroundings.store);
  return journal::history::repair(file, why, surroundings.now, surroundings.stop);
}

Result<int> salvage_files(const Surroundings& surroundings, DirectoryLock& lock) {
  const fs::path log = surroundings.store / "journal.db";
  if (Status status = journal::finish_swap(log); !status) return fail(std::move(status.error()));
  // Now: whoever looks at the log makes an empty WAL beside it.
  if (!journal::what_is_missing(lock, log).empty()) lock.leave(DirectoryLock::Left::lost);
  const auto files = store_files(surroundings.store);
  if (!files) return fail(files.error());
  Progress progress;
  std::uint64_t mended = 0;
  for (const StoreFile& file : *files) {
    if (Status status = file.path == log ? Status{} : journal::history::take_back_cut_off_commit(file.path); !status) {
      return fail(std::move(status.error()));
    }
    const auto why = find_damage(file, surroundings, progress);
    if (!why) return fail(why.error());
    if (!*why) continue;
    const auto told = salvage_file(file.path, **why, surroundings, lock, progress);
    progress.clear();
    if (!told) return fail(told.error());
    fmt::print("{}\n", *told);
    ++mended;
  }
  progress.clear();
  fmt::print("{} looked at, {} mended\n", counted(files->size(), "file", "files"), mended);
  return mended > 0 ? kDamaged : kDone;
}

}  // namespace

Result<int> store_salvage(const Surroundings& surroundings) {
  if (const auto files = store_files(surroundings.store); !files) return fail(files.error());
  auto lock = DirectoryLock::take(surroundings.store);
  if (!lock) return fail(std::move(lock.error()));
  const auto code = salvage_files(surroundings, *lock);
  hand_over(surroundings.store, surroundings.store);
  return code;
}

}  // namespace tidegate::tools
