#include "tests/gateway/journal/faulty_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <new>

namespace tidegate::journal {
namespace {

std::atomic<int> countdown{0};
std::atomic<int> fault_code{SQLITE_OK};
std::atomic<bool> lasts{false};
std::atomic<int> happened{0};
std::atomic<bool> reads_fail{false};
std::function<bool()> condition;  ///< set while nothing is armed only

int fault() {
  if (fault_code == SQLITE_OK) return SQLITE_OK;
  if (condition) {
    if (!condition()) return SQLITE_OK;
    ++happened;
    return fault_code;
  }
  const int left = --countdown;
  if (left > 0 || (left < 0 && !lasts)) return SQLITE_OK;
  ++happened;
  return fault_code;
}

/// SQLite's file object with the real one behind it.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
};

sqlite3_file* real(sqlite3_file* file) { return File::of(file)->real(); }

int or_fault(const std::function<int()>& call) {
  const int code = fault();
  return code != SQLITE_OK ? code : call();
}

const sqlite3_io_methods kMethods = {
    2,
    [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
      return reads_fail ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), to, size, at);
    },
    [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
      return or_fault([&] { return real(f)->pMethods->xWrite(real(f), from, size, at); });
    },
    [](sqlite3_file* f, sqlite3_int64 size) {
      return or_fault([&] { return real(f)->pMethods->xTruncate(real(f), size); });
    },
    [](sqlite3_file* f, int flags) { return or_fault([&] { return real(f)->pMethods->xSync(real(f), flags); }); },
    [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* held) { return real(f)->pMethods->xCheckReservedLock(real(f), held); },
    [](sqlite3_file* f, int what, void* arg) { return real(f)->pMethods->xFileControl(real(f), what, arg); },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int region, int size, int extend, void volatile** map) {
      return real(f)->pMethods->xShmMap(real(f), region, size, extend, map);
    },
    [](sqlite3_file* f, int at, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), at, n, flags); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    nullptr,
    nullptr,
};

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs vfs;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int code = real_vfs->xOpen(real_vfs, name, real(file), flags, out_flags);
  if (real(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return code;
}

}  // namespace

FaultyVfs::FaultyVfs() {
  disarm();
  sqlite3_initialize();
  real_vfs = sqlite3_vfs_find("unix");
  vfs = *real_vfs;
  vfs.pNext = nullptr;
  vfs.zName = "faulty";
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs->szOsFile;
  vfs.xOpen = open_file;
  sqlite3_vfs_register(&vfs, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&vfs);
  sqlite3_vfs_register(real_vfs, 1);
}

void FaultyVfs::arm(int nth, int code, bool lasting) {
  condition = nullptr;
  countdown = nth;
  lasts = lasting;
  happened = 0;
  fault_code = code;
}

void FaultyVfs::arm_while(std::function<bool()> when, int code) {
  condition = std::move(when);
  happened = 0;
  fault_code = code;
}

void FaultyVfs::fail_reads(bool on) { reads_fail = on; }

void FaultyVfs::disarm() {
  fault_code = SQLITE_OK;
  reads_fail = false;
}
int FaultyVfs::faults() const { return happened; }

}  // namespace tidegate::journal
