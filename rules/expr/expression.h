#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/core/types.h"
#include "rules/detector.h"
#include "rules/reads.h"

/// The expression language: docs/rules.md, "Expressions". Text -> Expression -> Program.
namespace tidegate::rules::expr {

/// Bytes in the expression's text.
struct Span {
  std::size_t begin = 0, end = 0;
};

/// What is wrong, where, and what to write instead.
struct Problem {
  Span at;
  std::string text;
};

/// A series that an expression reads, and where it does so first.
struct Reference : Reads {
  Span at;
};

struct Tree;

/// A parsed expression. Immutable, shared when it is copied; any thread.
class Expression {
 public:
  /// Judges all that can be judged without knowing the series: syntax, names of functions, windows, size.
  static std::variant<Expression, Problem> parse(std::string_view text);

  /// Each distinct series once, in order of appearance.
  const std::vector<Reference>& references() const;
  /// In one form, which parses to itself.
  std::string text() const;
  const Tree& tree() const { return *tree_; }

 private:
  explicit Expression(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
  std::shared_ptr<const Tree> tree_;
};

/// What the values of a series are: all that decides how an expression over it is compiled.
struct Values {
  SeriesKind kind = SeriesKind::number;
  std::string unit;
  std::vector<std::string> states;  ///< a state series' texts by code
  bool is_difference = false;       ///< of two levels, not a level
  friend bool operator==(const Values&, const Values&) = default;
};

/// What is known of a series that an expression reads.
struct Input {
  Values values;
  Micros stale_after{0};  ///< so long after its last usable sample its value is unknown; 0: never
  Micros interval{0};     ///< between two of its samples; 0: not known
};

/// Local time less UTC at a moment.
using Zone = Micros (*)(Timestamp);
inline Micros utc(Timestamp) { return Micros{0}; }

enum class Type : std::uint8_t { number, boolean, state };

/// Booleans are 0 and 1, states their code.
struct Value {
  bool known = false;
  double value = 0;
  friend bool operator==(const Value&, const Value&) = default;
};

/// Two numbers that an expression compared: what to show of it.
struct Comparison {
  std::string left, right;  ///< as written: "avg(value, 5m)", "30 °C"
  std::string unit;         ///< of both values
  Value left_value, right_value;
};

/// An expression over its series, with what its windows hold. Not thread-safe. What it says at a time is a pure
/// function of the samples until then: neither the times at which evaluate() is called nor batches show in it. Only in
/// the middle of a moment nobody should ask: what its samples have come to by then, a window takes.
class Program {
 public:
  /// Types and units of an expression over these series, one for each reference: null where it was not seen yet, and
  /// for patterns, whose members come by add_member(). What was not seen yet is unknown.
  static std::variant<Program, Problem> bind(const Expression& expression, std::span<const Input* const> inputs,
                                             Zone zone = utc);
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  Type type() const;
  const std::string& unit() const;
  /// Of two levels: 5 °C are then 9 °F.
  bool is_difference() const;

  /// One more series of a pattern; the returned index is its input for observe(). A problem, and no member, where it
  /// does not fit: a unit that does not convert to that of the first member.
  std::variant<std::size_t, Problem> add_member(std::size_t reference, const Input& input);
  /// A series was seen for the first time, or has another unit or one more state. What windows hold stays. With a
  /// problem all stays as it was.
  std::optional<Problem> set(std::size_t input, const Input& input_now);

  /// A sample of an input: a reference's place, or what add_member() gave. A bad one makes the input unknown until the
  /// next that is usable. One older than what came before it counts for its own windows alone.
  void observe(std::size_t input, const Sample& sample);
  /// Nobody watched in between: so much older do the series' samples have to be for age() and to be stale. In order of
  /// time.
  void unwatched(Timestamp from, Timestamp to);
  /// At `now`, not before the last sample. Constant in time from one wake() to the next.
  Value evaluate(Timestamp now);
  /// What its comparisons saw then, in order of appearance; not those within windows and aggregates.
  std::vector<Comparison> comparisons() const;
  /// When time alone may change the value, or kNever; before the first sample or evaluate() kNever.
  Timestamp wake() const;
  /// How much of the past it must have seen to go on as if it had never been away.
  Micros lookback() const;

 private:
  struct Impl;
  explicit Program(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::rules::expr
