#include "gateway/reset/factory_reset.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "gateway/journal/lock.h"
#include "gateway/reset/configuration.h"
#include "gateway/reset/small_file.h"

namespace tidegate::reset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarker = "factory-reset", kLock = "journal.lock";
constexpr std::string_view kStorageAlone = "storage";
/// One of them is in each storage folder, whatever was lost.
constexpr std::array<std::string_view, 3> kOfStore = {kLock, "journal.db", "state.db"};

fs::path marker(const fs::path& store) { return store / kMarker; }

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

Result<Extent> extent_of(const fs::path& store) {
  const auto word = read_small(marker(store));
  if (!word) return fail(word.error());
  return *word == kStorageAlone ? Extent::storage : Extent::all;
}

/// The store would take the configuration with it, and the two markers would be one.
Status apart(const fs::path& store, const fs::path& configuration) {
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(fs::absolute(configuration).parent_path(), ignored);
  const fs::path inside = folder.lexically_relative(fs::weakly_canonical(store, ignored));
  if (inside.empty() || *inside.begin() == "..") return {};
  return fail(Errc::invalid,
              "{} lies in the storage folder {}, which a factory reset wipes: move one of them, and name it with "
              "--config or storage.path",
              configuration.string(), store.string());
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
  lock->hand_over(store);
  const auto extent = extent_of(store);
  if (!extent) return fail(extent.error());
  if (Status can = apart(store, configuration); !can) return can;
  wiper.empty(store, kKept);
  if (!wiper.status()) return wiper.status();
  lock->leave(journal::DirectoryLock::Left::unknown);  // nobody is to miss what was there
  std::error_code ignored;
  if (*extent == Extent::all && fs::is_directory(fs::absolute(configuration).parent_path(), ignored)) {
    if (Status begun = begin_configuration(configuration); !begun) return begun;
  }
  wiper.remove(marker(store));
  return wiper.status();
}

}  // namespace

Status may_begin(const fs::path& store, const fs::path& configuration) {
  std::error_code error;
  const fs::path whole = fs::canonical(store, error);
  if (!error && ::faccessat(AT_FDCWD, store.c_str(), X_OK, AT_EACCESS) != 0)
    error.assign(errno, std::generic_category());
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(Errc::io, "{} cannot be looked at: {}; nothing was wiped", store.string(), error.message());
  }
  if (!fs::is_directory(whole, error)) {
    return fail(Errc::not_found, "{} is no folder: no gateway has stored anything there, and nothing was wiped",
                store.string());
  }
  const bool is_store =
      std::any_of(kOfStore.begin(), kOfStore.end(), [&](auto name) { return is_there(store / name); });
  if (!is_store || whole == whole.root_path()) {
    return fail(Errc::invalid,
                "{} is not the storage folder of a gateway: it has none of {}. Nothing was wiped; --data names the "
                "gateway's storage.path",
                store.string(), fmt::join(kOfStore, ", "));
  }
  return apart(store, configuration);
}

/// Where the disk is full too, if all is to go: of a marker that says nothing the name is enough.
Status begin(const fs::path& store, const fs::path& configuration, Extent extent) {
  if (Status may = may_begin(store, configuration); !may) return may;
  const fs::path file = marker(store);
  if (begun(store)) return fail(Errc::conflict, "a factory reset has begun already; {} says so", file.string());
  Status written = write_durably(file, extent == Extent::storage ? kStorageAlone : "", {0644});  // whoever may end it
  if (!written) written.error().text += "; nothing was wiped";
  return written;
}

bool begun(const fs::path& store) { return is_there(marker(store)); }

bool pending(const fs::path& store, const fs::path& configuration) {
  return begun(store) || configuration_begun(configuration);
}

Result<Wiped> finish(const fs::path& store, const fs::path& configuration, const Step& step) {
  Wiper wiper(step);
  Status status = begun(store) ? finish_storage(store, configuration, wiper) : Status{};
  if (!status && status.error().code == Errc::conflict) return fail(std::move(status.error()));
  if (status && configuration_begun(configuration)) status = finish_configuration(configuration, wiper);
  if (!status) return fail(not_finished(status.error()));
  return wiper.wiped();
}

}  // namespace tidegate::reset
