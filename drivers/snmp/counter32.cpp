#include "drivers/snmp/counter32.h"

#include <cstdlib>

namespace tidegate::drivers::snmp {

double Counter32::take(const Varbind& varbind) {
  constexpr double kRange = 4294967296.0;
  constexpr std::uint32_t kHalf = 0x80000000u;
  const auto value = static_cast<std::uint32_t>(varbind.number);
  if (varbind.oid != oid_) {
    *this = {};  // a row that was renumbered: another interface by this name
    oid_ = varbind.oid;
  } else if (value < last_) {
    // Less than half of the range, so that one that was cleared while the agent ran on rarely looks like a wrap.
    const bool wrapped = ran_on(varbind.started) && value - last_ < kHalf;
    base_ = wrapped ? base_ + kRange : 0;
  }
  last_ = value;
  started_ = varbind.started;
  return base_ + value;
}

// As sysUpTime wraps, so does what it is taken from. An agent that was started again was so later by at least its
// uptime, and is told however long nobody asked it. Some count their uptime in whole seconds.
bool Counter32::ran_on(const std::optional<std::uint32_t>& started) const {
  constexpr int kSlack = 300;  // hundredths of a second
  return started && started_ &&
         std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(*started - *started_))) <= kSlack;
}

}  // namespace tidegate::drivers::snmp
