#pragma once

#include <functional>

namespace tidegate::journal {

/// SQLite's own file system with faults in it: while one lives it is the default, and the n-th write, sync or
/// truncation from arm() on fails with the given SQLite code, having done nothing. The journal must not outlive it.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// `lasting`: so do all that follow, until disarm().
  void arm(int nth, int code, bool lasting = false);
  /// Each one fails while `when` holds.
  void arm_while(std::function<bool()> when, int code);
  void fail_reads(bool on);
  /// The n-th read from now on fails, once; so do all that follow, if `lasting`.
  void arm_reads(int nth, bool lasting = false);
  void disarm();
  int faults() const;  ///< that happened since arm()
};

}  // namespace tidegate::journal
