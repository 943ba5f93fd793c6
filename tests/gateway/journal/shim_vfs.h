#pragma once

#include <sqlite3.h>

namespace tidegate::journal {

/// SQLite's file object with the real one behind it, as a shim's VFS opens it.
struct ShimFile {
  sqlite3_file base;
  int number;  ///< the shim's own
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static ShimFile* of(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file); }
};

inline sqlite3_file* real(sqlite3_file* file) { return ShimFile::of(file)->real(); }

/// Methods that hand every call to the real file; a shim puts its own in place of some.
inline sqlite3_io_methods handing_on() {
  return {
      2,
      [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); },
      [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
        return real(f)->pMethods->xRead(real(f), to, size, at);
      },
      [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
        return real(f)->pMethods->xWrite(real(f), from, size, at);
      },
      [](sqlite3_file* f, sqlite3_int64 size) { return real(f)->pMethods->xTruncate(real(f), size); },
      [](sqlite3_file* f, int flags) { return real(f)->pMethods->xSync(real(f), flags); },
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
}

/// The system's VFS with a shim's files in front, and SQLite's default from put_in_front() on.
class ShimVfs {
 public:
  using Open = int (*)(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags);

  /// Not registered yet: a shim may still replace more of `vfs`.
  void make(const char* name, Open open_file) {
    sqlite3_initialize();
    system_ = sqlite3_vfs_find("unix");
    vfs = *system_;
    vfs.pNext = nullptr;
    vfs.zName = name;
    vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + system_->szOsFile;
    vfs.xOpen = open_file;
  }
  void put_in_front() { sqlite3_vfs_register(&vfs, 1); }
  void remove() {
    sqlite3_vfs_unregister(&vfs);
    sqlite3_vfs_register(system_, 1);
  }
  /// Opens the real file; `methods` are the shim's where that succeeds.
  int open(const char* name, sqlite3_file* file, int flags, int* out_flags, const sqlite3_io_methods& methods) {
    file->pMethods = nullptr;
    const int code = system_->xOpen(system_, name, real(file), flags, out_flags);
    if (real(file)->pMethods != nullptr) file->pMethods = &methods;
    return code;
  }
  sqlite3_vfs* system() { return system_; }

  sqlite3_vfs vfs;

 private:
  sqlite3_vfs* system_ = nullptr;
};

}  // namespace tidegate::journal
