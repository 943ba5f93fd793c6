#include "gateway/reset/factory_reset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "gateway/journal/lock.h"
#include "gateway/journal/quarantine.h"
#include "gateway/reset/configuration.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarker = "factory-reset", kLock = "journal.lock";
constexpr std::string_view kStorageAlone = "storage";

fs::path marker(const fs::path& store) { return store / kMarker; }

/// Of one that cannot be read, everything: somebody wanted the box empty.
Extent extent_of(const fs::path& store) {
  std::string word;
  std::ifstream(marker(store)) >> word;
  return word == kStorageAlone ? Extent::storage : Extent::all;
}

tl::unexpected<Error> cannot_begin(const fs::path& file) {
  return fail(errno == ENOSPC || errno == EDQUOT ? Errc::full : Errc::io, "{} cannot be written: {}; nothing was wiped",
              file.string(), std::strerror(errno));
}

/// Those who may do it may be others than those who tried.
Error not_finished(const Error& error) {
  return {error.code,
          fmt::format("the factory reset is not finished: {}. Each start of the gateway tries it again, and "
                      "so does `sudo tidegate factory-reset --finish`",
                      error.text)};
}

/// The marker goes once the configuration has its own.
Status finish_storage(const fs::path& store, const fs::path& configuration, Wiper& wiper) {
  static constexpr std::array<std::string_view, 2> kKept = {kMarker, kLock};
  auto lock = journal::DirectoryLock::take(store);
  if (!lock) return fail(std::move(lock.error()));
  const Extent extent = extent_of(store);
  wiper.empty(store, kKept);
  if (!wiper.status()) return wiper.status();
  lock->leave(journal::DirectoryLock::Left::unknown);  // nobody is to miss what was there
  std::error_code ignored;
  if (extent == Extent::all && fs::is_directory(fs::absolute(configuration).parent_path(), ignored)) {
    if (Status begun = begin_configuration(configuration); !begun) return begun;
  }
  wiper.remove(marker(store));
  return wiper.status();
}

}  // namespace

/// Under another name first: one that is there says what it means. It takes no more room than a name, where the disk is
/// full too: a name that is there and says nothing means everything, so that one is left alone.
Status begin(const fs::path& store, Extent extent) {
  const fs::path file = marker(store), next = file.string() + ".new";
  if (begun(store)) return fail(Errc::conflict, "a factory reset has begun already; {} says so", file.string());
  const std::string_view word = extent == Extent::storage ? kStorageAlone : "all";
  const int opened = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (opened < 0) return cannot_begin(file);
  bool written = ::write(opened, word.data(), word.size()) == static_cast<ssize_t>(word.size());
  if (!written && errno == ENOSPC) written = extent == Extent::all;
  written = written && ::fchmod(opened, 0644) == 0 && ::fsync(opened) == 0;  // who began it need not be who ends it
  const Status status = written ? Status{} : cannot_begin(file);
  ::close(opened);
  if (!status) return status;
  if (::rename(next.c_str(), file.c_str()) != 0) return cannot_begin(file);
  journal::sync_directory(store);
  return {};
}

bool begun(const fs::path& store) {
  std::error_code ignored;
  return fs::exists(marker(store), ignored);
}

bool pending(const fs::path& store, const fs::path& configuration) {
  return begun(store) || configuration_begun(configuration);
}

Result<Wiped> finish(const fs::path& store, const fs::path& configuration, const std::function<void()>& step) {
  Wiper wiper(step);
  Status status = begun(store) ? finish_storage(store, configuration, wiper) : Status{};
  if (!status && status.error().code == Errc::conflict) return fail(std::move(status.error()));
  if (status && configuration_begun(configuration)) status = finish_configuration(configuration, wiper);
  if (!status) return fail(not_finished(status.error()));
  return wiper.wiped();
}

}  // namespace tidegate::reset
