#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/rollup.h"
#include "gateway/journal/sqlite.h"

/// What the readers of history share: ranges of time, and the log as they see it.
namespace tidegate::journal::history {

struct Range {
  Timestamp from = Timestamp::min(), to = Timestamp::max();
  bool empty() const { return from >= to; }
};

inline Range both(Range a, Range b) { return {std::max(a.from, b.from), std::min(a.to, b.to)}; }
inline Range of_day(Day day) { return {day, day + std::chrono::days(1)}; }
inline Timestamp rounded_down(Timestamp time, Micros unit) { return start_of(number_of(time, unit), unit); }
inline Timestamp rounded_up(Timestamp time, Micros unit) {
  const Timestamp down = rounded_down(time, unit);
  return down == time ? down : down + unit;
}

/// What history may take of the log: the batches of (after, last], under the epoch by which it knows them. `last` is
/// the last that was promised: one whose commit failed may lie behind it, and its owner may come with another in its
/// place.
struct Stretch {
  std::string_view epoch;
  Seq after{}, last{};
};

constexpr Seq kEndOfLog{std::numeric_limits<std::int64_t>::max()};

/// The epoch under which the files know the log, and how far the files have it; within the log's snapshot.
Result<std::pair<std::string, Seq>> compacted(sql::Connection& log);

/// The samples of the log's batches of (after, last], of those that may fall into the range, batch by batch in the
/// log's order. A damaged batch is counted.
Status read_log(sql::Connection& log, Seq after, Seq last, Range range, Unreadable& unreadable,
                const std::function<void(std::span<const Sample>)>& take);

}  // namespace tidegate::journal::history
