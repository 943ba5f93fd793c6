#pragma once

#include <string>
#include <vector>

#include "gateway/core/outlet.h"
#include "gateway/core/result.h"

namespace tidegate::dashboard {

/// Somebody sets a point of a device.
struct PointWrite {
  std::string series;
  std::string value;  ///< as people write it: "21.5", "on", "running"
  std::string why;
  std::string who;
};

/// The points of devices that may be set from here. Any thread.
class PointDesk {
 public:
  struct Point {
    std::string source;
    WritablePoint point;
  };

  virtual ~PointDesk() = default;
  virtual std::vector<Point> writable() const = 0;
  /// Sets it, reads it back, and says what came of it; both that it was asked for and what came of it are in the audit.
  /// Errc::not_found: no such point; Errc::invalid: it does not take this value; Errc::conflict: its interlock is not
  /// true, or the device shows something else; any other: why the device did not do it.
  virtual Result<std::string> write(const PointWrite& wish) = 0;
};

}  // namespace tidegate::dashboard
