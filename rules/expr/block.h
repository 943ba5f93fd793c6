#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rules/expr/history.h"
#include "rules/expr/measure.h"
#include "rules/expr/window.h"

namespace tidegate::rules::expr {

/// What an operation does with the slots a, b, c. Those until `pure` depend on nothing else.
enum class Code : std::uint8_t {
  negate,
  invert,
  both,
  either,
  add,
  subtract,
  multiply,
  divide,
  less,
  at_most,
  equal,
  unequal,
  least,
  greatest,
  absolute,
  nearest_multiple,
  choose,
  first_known,
  scale,  ///< a * b + c
  pure,
  load,    ///< index: the reference, or kMember
  newest,  ///< the same, however old
  older,   ///< index: the reference; is its newest sample older than the microseconds in b? c: or as old
  fresh,   ///< index: the reference; 0, or unknown where it is stale
  window,  ///< index: the window
  was,     ///< index: the history; width in b
  held,
  then,    ///< a then b within c; index: the history of a, behind it that of b
  missed,  ///< a began c ago, and no b since; index likewise
  hour,
  weekday,
  between,   ///< times of day in a, b
  aggregate  ///< index: the aggregate
};

struct Op {
  Code code{};
  std::uint16_t out = 0, a = 0, b = 0, c = 0;
  std::uint32_t index = 0;
};
inline constexpr std::uint32_t kMember = 0xFFFF'FFFF;

/// What has to be done at a sample of one reference, in order: windows take the value of their argument.
struct Feed {
  struct Step {
    std::uint32_t op;
    bool takes = false;    ///< a window: takes its argument
    bool reads = false;    ///< what it gives is needed by a step behind it
    std::uint64_t of = 0;  ///< of one that takes: the references that its argument reads, a bit each
  };
  std::vector<Step> steps;
};

/// A comparison of numbers, for those who want to know what it compared.
struct ComparisonSpec {
  std::uint32_t op;
  bool is_swapped;
  std::string left, right, unit;
};

/// More than nearly all expressions of kMaxNodes have.
inline constexpr std::size_t kMaxSlots = 1024;

/// An expression, or the body of an aggregate, as a flat program over slots.
struct Block {
  std::vector<double> slots;  ///< as they are at the beginning: constants, and unknown; at most kMaxSlots
  std::vector<Op> ops;
  std::vector<std::uint32_t> main;  ///< the ops that the value needs
  std::vector<Feed> feeds;          ///< by reference
  std::vector<WindowSpec> windows;
  std::vector<ComparisonSpec> comparisons;  ///< of the main ops
  std::uint32_t histories = 0;
  std::uint16_t result = 0;
  Micros lookback{0};
};

inline Type type_of(SeriesKind kind) {
  if (kind == SeriesKind::boolean) return Type::boolean;
  return kind == SeriesKind::state ? Type::state : Type::number;
}

/// The body of an aggregate, evaluated for each member of a pattern.
struct Aggregate {
  Fn fn{};
  std::size_t reference = 0;
  std::uint64_t reads = 0;  ///< the other references that its body reads, a bit each
  bool looks_back = false;  ///< what it says of a member may be another thing whenever it is looked at
  Micros pace{0};           ///< else: that of its windows, as in WindowSpec
  Block body;
};

/// A whole expression, compiled for its series. Immutable.
struct Compiled {
  Expression expression;
  Zone zone;
  std::vector<std::optional<Values>> of;  ///< by reference, of a pattern its members together; none: not seen yet
  Block block;
  std::vector<Aggregate> aggregates;
  Type type = Type::boolean;
  std::string unit;
  bool is_difference = false;
};

/// Programs over series of one kind share what is compiled. Any thread.
struct Memo {
  static constexpr std::size_t kMost = 16;  ///< a rule meets few kinds of series, and each of its steps once
  std::mutex mutex;
  std::vector<std::weak_ptr<const Compiled>> known;  ///< the newest last
};

/// For `of` as in Compiled.
std::variant<std::shared_ptr<const Compiled>, Problem> compile(const Expression& expression, Zone zone,
                                                               std::vector<std::optional<Values>> of);

}  // namespace tidegate::rules::expr
