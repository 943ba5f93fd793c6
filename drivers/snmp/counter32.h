#pragma once

#include <cstdint>
#include <optional>

#include "drivers/snmp/session.h"

namespace tidegate::drivers::snmp {

/// Tells a Counter32 that wrapped from one that began anew. One thread.
class Counter32 {
 public:
  static constexpr double kRange = 4294967296.0;  ///< where it is at 0 again

  /// When it was at kRange, where that was since the reading before this varbind of type counter32: as if it had
  /// counted evenly, and between the two readings, strictly. It has wrapped where it is smaller than before, is of the
  /// same instance and of an agent that ran on, and has counted fewer than 2^31 by that.
  std::optional<Timestamp> take(const Varbind& varbind, Timestamp now);
  /// A reading gave nothing, and that was told: a wrap is behind it, for a series' samples come in order.
  void miss(Timestamp now) { told_ = now; }

 private:
  struct Read {
    Oid oid;
    std::uint32_t value = 0;
    std::optional<std::uint32_t> started;
    Timestamp time{};
  };
  static bool wrapped(const Read& before, const Read& now);

  Read last_;
  Timestamp told_{};  ///< the last reading, of whatever result
};

}  // namespace tidegate::drivers::snmp
