#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate {

/// A point of a device that may be set from here, because its configuration says `writable`.
struct WritablePoint {
  std::string series;  ///< that shows it
  SeriesKind kind = SeriesKind::number;
  std::string unit;
  double min = 0, max = 0;          ///< of a number, as shown
  std::vector<std::string> states;  ///< of a state: what it may be set to
  std::string interlock;            ///< a yes/no series that has to be true; empty: none
  bool read_back = true;            ///< what it shows is compared with what was written
  double step = 0;                  ///< of a number: it takes min and whole steps above it; 0: any
};

/// Whether a command may go out now; else why not. Any thread.
using Permission = std::function<Status()>;

/// Where commands go out to devices. Any thread; several at once.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// The same for as long as it lives.
  virtual std::vector<WritablePoint> points() const = 0;
  /// Sets a point to what it is to show, as people write it ("21.5", "on", "running"), and reads it back where that is
  /// so. `may` is asked last, when all that it waits for is there and the command is about to go out; what it refuses is
  /// not written, and its error is the answer. Takes a few time-outs of its device at most. Errc::invalid: it does not
  /// take this value; Errc::conflict: it was written, and shows something else; any other: why the device did not do it.
  virtual Status write(std::string_view series, std::string_view value, const Permission& may) = 0;
};

}  // namespace tidegate
