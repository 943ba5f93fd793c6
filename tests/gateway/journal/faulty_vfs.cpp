#include "tests/gateway/journal/faulty_vfs.h"

#include <atomic>

#include "tests/gateway/journal/shim_vfs.h"

namespace tidegate::journal {
namespace {

std::atomic<int> countdown{0};
std::atomic<int> reads_left{0};  ///< until one fails; 0: none does
std::atomic<int> fault_code{SQLITE_OK};
std::atomic<bool> lasts{false};
std::atomic<int> happened{0};
std::atomic<bool> reads_fail{false};
std::atomic<bool> reads_go_on_failing{false};
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

int or_fault(const std::function<int()>& call) {
  const int code = fault();
  return code != SQLITE_OK ? code : call();
}

bool read_fails() {
  if (reads_left > 0 && --reads_left == 0) {
    ++happened;
    if (reads_go_on_failing) reads_fail = true;
    return true;
  }
  return reads_fail;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = handing_on();
  methods.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    return read_fails() ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), to, size, at);
  };
  methods.xWrite = [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    return or_fault([&] { return real(f)->pMethods->xWrite(real(f), from, size, at); });
  };
  methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
    return or_fault([&] { return real(f)->pMethods->xTruncate(real(f), size); });
  };
  methods.xSync = [](sqlite3_file* f, int flags) {
    return or_fault([&] { return real(f)->pMethods->xSync(real(f), flags); });
  };
  return methods;
}();

ShimVfs shim;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  return shim.open(name, file, flags, out_flags, kMethods);
}

}  // namespace

FaultyVfs::FaultyVfs() {
  disarm();
  shim.make("faulty", open_file);
  shim.put_in_front();
}

FaultyVfs::~FaultyVfs() { shim.remove(); }

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

void FaultyVfs::arm_reads(int nth, bool lasting) {
  happened = 0;
  reads_left = nth;
  reads_go_on_failing = lasting;
}

void FaultyVfs::disarm() {
  fault_code = SQLITE_OK;
  reads_left = 0;
  reads_fail = false;
}
int FaultyVfs::faults() const { return happened; }

}  // namespace tidegate::journal
