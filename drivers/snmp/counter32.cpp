#include "drivers/snmp/counter32.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tidegate::drivers::snmp {
namespace {

// As sysUpTime wraps, so does what it is taken from. An agent that was started again was so later by at least its
// uptime, and is told however long nobody asked it. Some count their uptime in whole seconds.
bool ran_on(const std::optional<std::uint32_t>& before, const std::optional<std::uint32_t>& now) {
  constexpr int kSlack = 300;  // hundredths of a second
  return before && now && std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(*now - *before))) <= kSlack;
}

}  // namespace

// Another instance is another interface by this name: a row that was renumbered. Less than half of the range, so that
// one that was cleared while the agent ran on rarely looks like a wrap.
bool Counter32::wrapped(const Read& before, const Read& now) {
  constexpr std::uint32_t kHalf = 0x80000000u;
  return now.oid == before.oid && now.value < before.value && now.value - before.value < kHalf &&
         ran_on(before.started, now.started);
}

std::optional<Timestamp> Counter32::take(const Varbind& varbind, Timestamp now) {
  const Read before =
      std::exchange(last_, {varbind.oid, static_cast<std::uint32_t>(varbind.number), varbind.started, now});
  const Timestamp told = std::exchange(told_, now);
  if (!wrapped(before, last_)) return std::nullopt;
  const double share = (kRange - before.value) / (kRange - before.value + last_.value);
  const Micros since{static_cast<Micros::rep>(share * static_cast<double>((now - before.time).count()))};
  // Some whom the samples go to keep no more than milliseconds.
  const Micros apart = std::min<Micros>(std::chrono::milliseconds(1), (now - told) / 2);
  if (apart <= Micros{0}) return std::nullopt;
  return std::clamp(before.time + since, told + apart, now - apart);
}

}  // namespace tidegate::drivers::snmp
