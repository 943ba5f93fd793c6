#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/expr/expression.h"
#include "rules/expr/functions.h"

namespace tidegate::rules::expr {

/// Bounds on what one expression may cost.
inline constexpr std::size_t kMaxText = 4096, kMaxNodes = 256, kMaxDepth = 48, kMaxWindows = 16, kMaxReferences = 32,
                             kMaxMembers = 1000;

enum class Operator : std::uint8_t {
  none,
  otherwise,  ///< or
  also,       ///< and
  negation,   ///< not
  equal,
  unequal,
  less,
  at_most,
  greater,
  at_least,
  plus,
  minus,
  times,
  over,
  sign  ///< unary minus
};

/// A node of a parsed expression. Its arguments are places in Tree::nodes, each before the node itself.
struct Node {
  enum class Kind : std::uint8_t {
    number,
    boolean,
    text,
    time_of_day,
    since,
    each,     ///< argument: a duration
    session,  ///< likewise
    name,
    operation,
    call
  } kind = Kind::number;
  Operator operation = Operator::none;
  const Function* function = nullptr;
  double value = 0;        ///< number, boolean 0 or 1
  Micros time{-1};         ///< number: what it is as a duration, written without a space: 5m; time of day; since
  std::string text;        ///< number: the unit; text: the state; name: as in Reads
  std::string as_written;  ///< a duration, which has its own notation
  std::size_t reference = 0;
  Reads::Kind reference_kind = Reads::Kind::own;
  bool bare = false;  ///< a name without quotes and path
  std::vector<std::size_t> arguments;
  Span at;
};

/// What was compiled of a tree last (block.h).
struct Memo;

struct Tree {
  std::string source;
  std::shared_ptr<Memo> memo;
  std::vector<Node> nodes;  ///< the root is the last
  std::vector<Reference> references;

  const Node& argument(const Node& node, std::size_t i) const { return nodes[node.arguments[i]]; }
  std::string_view written(const Node& node) const {
    return std::string_view(source).substr(node.at.begin, node.at.end - node.at.begin);
  }
};

/// What part of the past a window looks at.
struct Extent {
  enum class Kind : std::uint8_t {
    time,
    samples,
    since,
    each,    ///< from the last multiple of `width` of the local day on
    session  ///< the newest samples of which each is less than `width` after the one before
  } kind = Kind::time;
  Micros width{0};        ///< time, each, session
  std::size_t count = 0;  ///< samples
  Micros of_day{0};       ///< since: local time of day
  friend bool operator==(const Extent&, const Extent&) = default;
};
/// What only stands where a window does: since(midnight), each 1h, session 30s.
inline bool is_window_only(const Node& node) {
  return node.kind == Node::Kind::since || node.kind == Node::Kind::each || node.kind == Node::Kind::session;
}
/// Of an argument that stands where a window does, or why it is none.
std::variant<Extent, Problem> extent(const Tree& tree, const Node& node);
/// Of one that stands where a duration does.
std::variant<Micros, Problem> duration(const Tree& tree, const Node& node);

/// Of one that stands where the length of a season does.
std::variant<Micros, Problem> period(const Tree& tree, const Node& node);

/// The row of that name that the arguments of a call are meant for, or null.
const Function* choose_function(const Tree& tree, std::string_view name, const Node& call);
/// Their number, and what can be seen of them without the series.
std::optional<Problem> check_arguments(const Tree& tree, const Node& call);

std::string print(const Tree& tree);

}  // namespace tidegate::rules::expr
