#pragma once

#include "rules/expr/block.h"

namespace tidegate::rules::expr {

/// A block in use.
struct Frame {
  std::vector<double> slots;
  std::vector<Window> windows;
  std::vector<History> histories;
  std::size_t member = 0;     ///< the input that kMember is
  Conversion conversion;      ///< of its values
  std::vector<double> codes;  ///< of its states, by its own
  bool is_state = false;

  explicit Frame(const Block& block) : slots(block.slots), histories(block.histories) {
    for (const WindowSpec& spec : block.windows) windows.emplace_back(spec);
  }
  /// The same in a block that is compiled anew. A window whose unit is another one by now begins anew.
  Frame moved_to(const Block& old, const Block& block) && {
    Frame out(block);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      if (old.windows[i].unit == block.windows[i].unit) out.windows[i] = std::move(windows[i]);
    }
    out.histories = std::move(histories);
    out.member = member;
    return out;
  }
};

inline Type type_of(SeriesKind kind) {
  if (kind == SeriesKind::boolean) return Type::boolean;
  return kind == SeriesKind::state ? Type::state : Type::number;
}

/// A time in which nobody watched.
struct Gap {
  Timestamp from;
  Micros length;
};

/// What came of an input.
struct Live {
  double newest = kUnknown;  ///< usable
  Timestamp time{};          ///< of that
  std::vector<Gap> gaps;     ///< since then; the last ones may be one
  bool usable = false;       ///< no bad one came since
  Type type = Type::number;
  Micros stale_after{0};
  std::size_t reference = 0;
  std::size_t member = 0;  ///< its place among those of a pattern

  /// Since when it is as old as `age`. What was so before a time in which nobody watched stays so.
  Timestamp as_old_as(Micros age) const {
    Timestamp at = time + age;
    for (const Gap& gap : gaps) {
      if (at > gap.from) at += gap.length;
    }
    return at;
  }
  void leave_out(Timestamp from, Timestamp to) {
    constexpr std::size_t kMostGaps = 64;
    if (time >= to) return;
    const Micros length = to - std::max(from, time);
    if (gaps.size() < kMostGaps) {
      gaps.push_back({from, length});
    } else {
      gaps.back().length += length;
    }
  }

  /// A value of another type is none any more.
  void fit(Type now_type, Micros now_stale_after) {
    if (now_type != type) {
      usable = false;
      newest = kUnknown;
    }
    type = now_type;
    stale_after = now_stale_after;
  }
};

}  // namespace tidegate::rules::expr
