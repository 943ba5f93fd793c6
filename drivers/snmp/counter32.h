#pragma once

#include <cstdint>
#include <optional>

#include "drivers/snmp/session.h"

namespace tidegate::drivers::snmp {

/// Counts a Counter32 on beyond 2^32, where it begins at 0 again. One thread.
class Counter32 {
 public:
  /// What it has counted by this varbind of type counter32: 2^32 more for each time that it wrapped. It has wrapped
  /// where it is smaller than before, is of the same instance and of an agent that ran on, and would else have
  /// counted 2^31 or more. Smaller in any other way it has begun anew, and the agent's value is given as it is. Exact
  /// up to 2^53.
  double take(const Varbind& varbind);

 private:
  bool ran_on(const std::optional<std::uint32_t>& started) const;

  Oid oid_;
  double base_ = 0;
  std::uint32_t last_ = 0;
  std::optional<std::uint32_t> started_;
};

}  // namespace tidegate::drivers::snmp
