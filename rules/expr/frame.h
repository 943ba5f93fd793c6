#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "rules/expr/block.h"
#include "rules/expr/fold.h"

namespace tidegate::rules::expr {

/// What a block in use knows of the past. Of what is thousands of times there nothing is kept that the block knows,
/// such as whether it looks at the past at all.
class Frame {
 public:
  Frame() = default;
  explicit Frame(const Block& block) {
    if (block.windows.empty() && block.histories == 0) return;
    past_ = std::make_unique<Past>();
    for (const WindowSpec& spec : block.windows) past_->windows.emplace_back(spec);
    past_->histories.resize(block.histories);
  }
  /// The same in a block that is compiled anew. A window whose unit is another one by now begins anew.
  Frame moved_to(const Block& old, const Block& block) && {
    Frame out(block);
    if (!past_) return out;
    for (std::size_t i = 0; i < old.windows.size(); ++i) {
      if (old.windows[i].unit == block.windows[i].unit) out.window(i) = std::move(window(i));
    }
    out.past_->histories = std::move(past_->histories);
    return out;
  }

  Window& window(std::size_t i) { return past_->windows[i]; }
  History& history(std::size_t i) { return past_->histories[i]; }

 private:
  struct Past {
    std::vector<Window> windows;
    std::vector<History> histories;
  };
  std::unique_ptr<Past> past_;
};

/// A time in which nobody watched.
struct Gap {
  Timestamp from;
  Micros length;
};

/// What came of an input.
struct Live {
  double newest = kUnknown;                ///< usable
  Timestamp time{};                        ///< of that
  std::unique_ptr<std::vector<Gap>> gaps;  ///< since then, where there are any; the last ones may be one
  Micros stale_after{0};
  Micros interval{0};
  bool usable = false;    ///< no bad one came since
  bool is_fresh = false;  ///< no window has taken it yet
  Type type = Type::number;

  /// Since when it is as old as `age`. What was so before a time in which nobody watched stays so.
  Timestamp as_old_as(Micros age) const {
    Timestamp at = time + age;
    if (!gaps) return at;
    for (const Gap& gap : *gaps) {
      if (at > gap.from) at += gap.length;
    }
    return at;
  }
  void leave_out(Timestamp from, Timestamp to) {
    constexpr std::size_t kMostGaps = 64;
    if (std::isnan(newest) || time >= to) return;
    if (!gaps) gaps = std::make_unique<std::vector<Gap>>();
    const Micros length = to - std::max(from, time);
    if (gaps->size() < kMostGaps) {
      gaps->push_back({from, length});
    } else {
      gaps->back().length += length;
    }
  }
  void take(const Sample& sample) {
    newest = type == Type::boolean ? truth(sample.value != 0) : sample.value;
    time = sample.time;
    gaps = nullptr;
  }

  /// What it said last, it said in the unit that it had then.
  void convert(std::string_view from, std::string_view to) {
    const auto way = expr::conversion(from, to, false);
    newest = way ? (*way)(newest) : kUnknown;
    usable = usable && way;
  }

  /// A value of another type is none any more.
  void fit(const Input& input) {
    const Type now_type = type_of(input.values.kind);
    if (now_type != type) {
      usable = false;
      newest = kUnknown;
    }
    type = now_type;
    stale_after = input.stale_after;
    interval = input.interval;
  }
};

/// One series of a pattern.
struct Member {
  std::size_t reference = 0;
  std::size_t place = 0;  ///< among those of the pattern
  Values values;
  Live live;
  Conversion conversion;      ///< of its values to the unit of the pattern's first
  std::vector<double> codes;  ///< of its states, by its own

  double as_the_first(double value) const {
    if (values.kind != SeriesKind::state) return conversion(value);
    return value >= 0 && value < static_cast<double>(codes.size()) ? codes[static_cast<std::size_t>(value)] : kUnknown;
  }
  /// `pattern`: what all members are together.
  void fit(const Values& pattern) {
    if (const auto way = expr::conversion(values.unit, pattern.unit, values.is_difference)) conversion = *way;
    codes.clear();
    for (const std::string& state : values.states) {
      const auto found = std::find(pattern.states.begin(), pattern.states.end(), state);
      codes.push_back(static_cast<double>(found - pattern.states.begin()));
    }
  }
};

/// A block at work. What its operations come to is needed until it is done, and no longer: so it stands on the stack,
/// and not with each of thousands of instances.
struct Work {
  Work(const Block& the_block, Frame& its_frame, const Member* its_member = nullptr)
      : block(the_block), frame(its_frame), member(its_member) {
    std::copy(block.slots.begin(), block.slots.end(), slots.begin());
  }

  const Block& block;
  Frame& frame;
  const Member* member;      ///< of which pattern's member, in the body of an aggregate
  bool is_paced = false;     ///< of its windows is noted when a sample leaves them, and else when they wake it
  Timestamp fades = kNever;  ///< that time
  std::array<double, kMaxSlots> slots;
};

/// What the patterns of an expression need beside it.
struct Patterns {
  std::vector<Member> members;               ///< their inputs are those behind the references
  std::vector<std::vector<std::size_t>> of;  ///< by reference: members
  /// An aggregate in use.
  struct Group {
    std::vector<Frame> frames;  ///< by member
    FoldTree tree;
  };
  std::vector<Group> groups;       ///< by aggregate
  std::vector<std::size_t> fresh;  ///< members of which a sample came that no window has taken yet
};

}  // namespace tidegate::rules::expr
