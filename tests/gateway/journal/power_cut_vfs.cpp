#include "tests/gateway/journal/power_cut_vfs.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

#include "tests/gateway/journal/shim_vfs.h"

namespace tidegate::journal {
namespace {

constexpr std::size_t kSector = 512;

struct Step {
  enum class Kind { create, rename, erase, write, truncate, sync, failed_sync } kind;
  std::string path;    ///< create, rename: to it, erase
  int inode = 0;       ///< all but erase
  std::size_t at = 0;  ///< write; or the new size
  std::string data;    ///< write; rename: from where
};

std::mutex mutex;
std::vector<Step> steps;
std::map<std::string, int> inodes;  ///< those that have a name now
std::map<std::string, ino_t> real_inodes;
int next_inode = 0;
std::size_t until_failure = 0;  ///< syncs, or 0: none fails

void note(Step step) {
  const std::lock_guard lock(mutex);
  steps.push_back(std::move(step));
}

bool sync_succeeds() {
  const std::lock_guard lock(mutex);
  return until_failure == 0 || --until_failure > 0;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = handing_on();
  methods.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    note({Step::Kind::write,
          {},
          ShimFile::of(f)->number,
          static_cast<std::size_t>(at),
          {static_cast<const char*>(from), static_cast<std::size_t>(size)}});
    return real(f)->pMethods->xWrite(real(f), from, size, at);
  };
  methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
    note({Step::Kind::truncate, {}, ShimFile::of(f)->number, static_cast<std::size_t>(size), {}});
    return real(f)->pMethods->xTruncate(real(f), size);
  };
  methods.xSync = [](sqlite3_file* f, int) {
    const bool succeeds = sync_succeeds();
    note({succeeds ? Step::Kind::sync : Step::Kind::failed_sync, {}, ShimFile::of(f)->number, 0, {}});
    return succeeds ? SQLITE_OK : SQLITE_IOERR_FSYNC;
  };
  return methods;
}();

ShimVfs shim;

/// A file that is not made through SQLite's hands has had another name.
void note_rename(const std::string& name) {
  struct stat status {};
  if (inodes.contains(name) || ::stat(name.c_str(), &status) != 0) return;
  for (const auto& [path, inode] : real_inodes) {
    if (inode != status.st_ino || !inodes.contains(path) || std::filesystem::exists(path)) continue;
    const int number = inodes[path];
    inodes.erase(path);
    inodes[name] = number;
    steps.push_back({Step::Kind::rename, name, number, 0, path});
    return;
  }
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const std::lock_guard lock(mutex);
  if (name != nullptr) note_rename(name);
  const int code = shim.open(name, file, flags, out_flags, kMethods);
  if (file->pMethods == nullptr) return code;
  const auto [known, is_new] = inodes.try_emplace(name != nullptr ? name : "", next_inode);
  ShimFile::of(file)->number = known->second;
  if (is_new) steps.push_back({Step::Kind::create, known->first, next_inode++, 0, {}});
  struct stat status {};
  if (name != nullptr && ::stat(name, &status) == 0) real_inodes[name] = status.st_ino;
  return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
  const int code = shim.system()->xDelete(shim.system(), name, sync);
  const std::lock_guard lock(mutex);
  if (inodes.erase(name) > 0) steps.push_back({Step::Kind::erase, name, 0, 0, {}});
  return code;
}

void apply(const Step& step, std::string& content, std::size_t much) {
  if (step.kind == Step::Kind::truncate) {
    content.resize(step.at, '\0');
    return;
  }
  if (content.size() < step.at + much) content.resize(step.at + much, '\0');
  content.replace(step.at, much, step.data, 0, much);
}

/// A file's content on disk, and what was done to it since.
struct Inode {
  std::string synced;
  std::vector<const Step*> since;
};

/// How much of a step a power cut leaves; nothing: none of it, not even an empty write's change of size.
std::optional<std::size_t> survives(const Step& step, PowerCutVfs::Unsynced what, std::mt19937& random) {
  const auto choice = what == PowerCutVfs::Unsynced::kept      ? 0
                      : what == PowerCutVfs::Unsynced::dropped ? 1
                                                               : random() % 3;
  if (choice == 1) return std::nullopt;
  const std::size_t much = step.data.size();
  return choice == 2 ? std::min(much, random() % (much / kSector + 1) * kSector) : much;
}

std::string content_of(const Inode& inode, PowerCutVfs::Unsynced what, std::mt19937& random) {
  std::string content = inode.synced;
  for (const Step* step : inode.since) {
    const auto much = survives(*step, what, random);
    if (much) apply(*step, content, *much);
    // The file system keeps the order of its own: what was written to a file after it was cut is not there without
    // that.
    if (!much && step->kind == Step::Kind::truncate) break;
  }
  return content;
}

/// What was written may never be: it is not tried again. The file system's own changes are.
void give_up(Inode& inode, PowerCutVfs::Unsynced what, std::mt19937& random) {
  std::vector<const Step*> pending;
  for (const Step* step : std::exchange(inode.since, {})) {
    if (step->kind == Step::Kind::truncate) {
      pending.push_back(step);
    } else if (const auto much = survives(*step, what, random)) {
      if (pending.empty()) {
        apply(*step, inode.synced, *much);
      } else {
        pending.push_back(step);
      }
    }
  }
  inode.since = std::move(pending);
}

}  // namespace

PowerCutVfs::PowerCutVfs() {
  steps.clear();
  inodes.clear();
  real_inodes.clear();
  until_failure = 0;
  shim.make("power_cut", open_file);
  shim.vfs.xDelete = delete_file;
  shim.put_in_front();
}

PowerCutVfs::~PowerCutVfs() { end(); }

void PowerCutVfs::end() { shim.remove(); }

void PowerCutVfs::fail_sync(std::size_t nth) {
  const std::lock_guard lock(mutex);
  until_failure = nth;
}

std::optional<std::size_t> PowerCutVfs::failed_at() const {
  const std::lock_guard lock(mutex);
  const auto failed = [](const Step& step) { return step.kind == Step::Kind::failed_sync; };
  const auto found = std::find_if(steps.begin(), steps.end(), failed);
  if (found == steps.end()) return std::nullopt;
  return found - steps.begin() + 1;
}

std::size_t PowerCutVfs::moment() const {
  const std::lock_guard lock(mutex);
  return steps.size();
}

void PowerCutVfs::leave(std::size_t moment, Unsynced what, std::mt19937& random) const {
  std::map<int, Inode> files;
  std::vector<const Step*> names;  ///< made and removed, in order: a file system keeps the order of these
  std::size_t names_synced = 0;
  for (std::size_t i = 0; i < moment; ++i) {
    const Step& step = steps[i];
    switch (step.kind) {
      case Step::Kind::create:
      case Step::Kind::rename:
      case Step::Kind::erase:
        names.push_back(&step);
        break;
      case Step::Kind::sync:
        for (const Step* done : files[step.inode].since) apply(*done, files[step.inode].synced, done->data.size());
        files[step.inode].since.clear();
        names_synced = names.size();
        break;
      case Step::Kind::failed_sync:
        give_up(files[step.inode], what, random);
        break;
      default:
        files[step.inode].since.push_back(&step);
    }
  }
  const std::size_t unsynced = names.size() - names_synced;
  if (what == Unsynced::kept) names_synced = names.size();
  if (what == Unsynced::either) names_synced += random() % (unsynced + 1);
  std::map<std::string, int> there;
  for (std::size_t i = 0; i < names_synced; ++i) {
    if (names[i]->kind == Step::Kind::erase) {
      there.erase(names[i]->path);
    } else {
      there.erase(names[i]->data);
      there[names[i]->path] = names[i]->inode;
    }
  }
  for (const auto& [path, inode] : there) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content_of(files[inode], what, random);
  }
}

}  // namespace tidegate::journal
