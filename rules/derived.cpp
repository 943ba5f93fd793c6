// Series that are made of others: docs/derived-series.md. The making is in deriver.cpp and engine_derived.cpp.

#include "rules/derived.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/core/text.h"
#include "rules/deriver.h"
#include "rules/expr/expression.h"
#include "rules/parse.h"
#include "rules/units.h"
#include "rules/version.h"
#include "rules/when.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

constexpr Micros kLongest = std::chrono::hours(24);
constexpr std::array<std::string_view, 3> kSums = {"value", "integral", "increase"};

/// A pattern of all that may be read by one place of an expression, and that place.
struct Source {
  std::string pattern;
  config::Mark at;
};

struct Item {
  const Node* node;
  Rule rule;
  Recipe recipe;
  expr::Expression expression;
  std::vector<Source> sources;
  int depth = 1;  ///< of how many that are made of one another it is the last
};

/// Text before, a capture or wildcard perhaps, text behind.
struct Level {
  std::string_view before, behind;
  bool is_open = false, is_rest = false;
};

Level level_of(std::string_view text) {
  if (text == "#") return {"", "", true, true};
  if (text == "+") return {"", "", true, false};
  const std::size_t open = text.find('{'), close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos) return {text, "", false, false};
  return {text.substr(0, open), text.substr(close + 1), true, text.substr(0, close).ends_with("...")};
}

bool may_be_one(const Level& one, const Level& other) {
  if (!one.is_open && !other.is_open) return one.before == other.before;
  if (!one.is_open || !other.is_open) {
    const Level& open = one.is_open ? one : other;
    const std::string_view text = one.is_open ? other.before : one.before;
    return text.size() > open.before.size() + open.behind.size() && text.starts_with(open.before) &&
           text.ends_with(open.behind);
  }
  const auto begins = one.before.size() < other.before.size() ? other.before.starts_with(one.before)
                                                              : one.before.starts_with(other.before);
  const auto ends =
      one.behind.size() < other.behind.size() ? other.behind.ends_with(one.behind) : one.behind.ends_with(other.behind);
  return begins && ends;
}

using Levels = std::vector<Level>;

Levels levels_of(std::string_view text) {
  Levels levels;
  for (const std::string_view level : split(text, '/')) levels.push_back(level_of(level));
  return levels;
}

/// Some series may have a name that is a match of both.
bool may_meet(const Levels& ones, const Levels& others) {
  for (std::size_t i = 0;; ++i) {
    if (i == ones.size() && i == others.size()) return true;
    // "a/#" is a match of "a" too.
    const bool is_over = i == ones.size() || i == others.size();
    if (i < ones.size() && ones[i].is_rest) return true;
    if (i < others.size() && others[i].is_rest) return true;
    if (is_over || !may_be_one(ones[i], others[i])) return false;
  }
}

/// Names, to be found by what may meet them. Of thousands few have the first or the last level in common.
class Names {
 public:
  void add(std::string_view name) {
    const Levels& levels = all_.emplace_back(levels_of(name));
    first_.add(levels.front(), all_.size() - 1);
    last_.add(levels.back(), all_.size() - 1);
  }
  /// In order of their numbers, which count from 0.
  std::vector<std::size_t> that_may_meet(const Levels& pattern) const {
    std::vector<std::size_t> some = few(pattern);
    std::erase_if(some, [&](std::size_t i) { return !may_meet(pattern, all_[i]); });
    return some;
  }

 private:
  struct ByLevel {
    std::unordered_map<std::string_view, std::vector<std::size_t>> of;
    std::vector<std::size_t> open;

    void add(const Level& level, std::size_t i) { (level.is_open ? open : of[level.before]).push_back(i); }
    const std::vector<std::size_t>& with(const Level& level) const {
      static const std::vector<std::size_t> kNone;
      const auto found = of.find(level.before);
      return found == of.end() ? kNone : found->second;
    }
  };

  /// All that can be among them.
  std::vector<std::size_t> few(const Levels& pattern) const {
    const Level &first = pattern.front(), &last = pattern.back();
    if (first.is_open && last.is_open) {
      std::vector<std::size_t> all(all_.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      return all;
    }
    const auto size = [](const ByLevel& by, const Level& level) {
      return level.is_open ? std::numeric_limits<std::size_t>::max() : by.with(level).size() + by.open.size();
    };
    const bool by_first = size(first_, first) < size(last_, last);
    const ByLevel& by = by_first ? first_ : last_;
    const auto& same = by.with(by_first ? first : last);
    std::vector<std::size_t> some;
    std::merge(same.begin(), same.end(), by.open.begin(), by.open.end(), std::back_inserter(some));
    return some;
  }

  std::vector<Levels> all_;
  ByLevel first_, last_;
};

/// What a name in an expression may mean, whatever the rule's series is.
std::string pattern_of(const Reads& reads, const std::string& from) {
  if (reads.kind == Reads::Kind::own) return from;
  if (reads.kind != Reads::Kind::sibling) return reads.name;
  const std::size_t last = from.rfind('/') + 1;
  const bool is_deep = level_of(std::string_view(from).substr(last)).is_rest;
  return from.substr(0, last) + (is_deep ? "#" : reads.name);
}

std::string title(const Node& item) {
  const std::string name = item["name"].shown();
  return name.empty() ? "the derived series" : fmt::format("'{}'", name);
}

/// The text of what it is made of, and how; or nothing and a problem.
const Node* expression_of(const Node& item, Problems& problems) {
  const Node* only = nullptr;
  for (const std::string_view key : kSums) {
    if (!item.has(key)) continue;
    if (only != nullptr) {
      problems.add(item[key].at, fmt::format("{} has more than one of value, integral and increase: keep one, and "
                                             "make another series of the other",
                                             title(item)));
      return nullptr;
    }
    only = &item[key];
  }
  if (only == nullptr && !item.refused) {
    problems.add(item.at, fmt::format("{} needs a value, an integral or an increase: what it is made of", title(item)));
  }
  return only != nullptr && !only->refused ? only : nullptr;
}

/// What its series is made from, one for each match; without `from` its own name stands there.
std::optional<Pattern> from_of(const Node& item, Problems& problems) {
  if (item["name"].refused || item["from"].refused) return std::nullopt;
  const bool has_from = item.has("from");
  auto from = Pattern::parse(item.string(has_from ? "from" : "name"));
  const auto name = Pattern::parse(item.string("name"));
  if (!has_from) {
    if (from->literal()) return std::move(*from);
    problems.add(item["name"].at, fmt::format("{} is the name of many series: say with from, as in from: "
                                              "\"{{device}}/flow\", for which there is one",
                                              title(item)));
    return std::nullopt;
  }
  if (from->anonymous_wildcard() || name->anonymous_wildcard()) {
    problems.add(item[from->anonymous_wildcard() ? "from" : "name"].at,
                 "+ and # have no name: write {device} or {path...}, so that each series that is made has a name of "
                 "its own");
    return std::nullopt;
  }
  const std::vector<std::string> captures = from->capture_names(), used = name->capture_names();
  for (const std::string& capture : used) {
    if (std::find(captures.begin(), captures.end(), capture) != captures.end()) continue;
    problems.add(item["name"].at, fmt::format("{{{}}} is no capture of from \"{}\"{}", capture, from->text(),
                                              did_you_mean(capture, captures)));
    return std::nullopt;
  }
  for (const std::string& capture : captures) {
    if (std::find(used.begin(), used.end(), capture) != used.end()) continue;
    problems.add(item["name"].at, fmt::format("{{{}}} of from \"{}\" is missing: two matches would make one series",
                                              capture, from->text()));
    return std::nullopt;
  }
  return std::move(*from);
}

bool filters_fit(const Node& item, Problems& problems) {
  const auto say = [&](std::string_view key, std::string text) {
    problems.add(item[key].at, std::move(text));
    return false;
  };
  const bool has_deadband = item.has("deadband");
  if (item.has("repeat") && !has_deadband) return say("repeat", "repeat is for a deadband: leave it out, or give one");
  if (!has_deadband || item["deadband"].refused) return true;
  const auto width = config::parse_quantity(item.string("deadband"));
  if (width && width->value < 0) return say("deadband", "a dead band is not negative");
  if (width && item.has("unit") && !item["unit"].refused &&
      !convert_difference(width->value, width->unit, item.string("unit"))) {
    return say("deadband", fmt::format("{} does not convert to the series' unit, {}{}", width->unit,
                                       item["unit"].shown(), capitals_hint(width->unit, item.string("unit"))));
  }
  if (!item.has("value"))
    return say("deadband", "a sum has no deadband: what it does not tell is lost in a restart; write every instead");
  return true;
}

Recipe recipe_of(const Node& item) {
  Recipe recipe;
  if (item.has("integral")) recipe.sums = Recipe::Sums::integral;
  if (item.has("increase")) recipe.sums = Recipe::Sums::increases;
  if (item.has("unit")) recipe.unit = item.string("unit");
  recipe.every = item.duration("every");
  if (item.has("deadband")) {
    const auto width = config::parse_quantity(item.string("deadband"));
    recipe.deadband = width->value;
    recipe.deadband_unit = width->unit;
  }
  if (item.has("repeat")) recipe.repeat = item.duration("repeat");
  if (item.has("stale_after")) recipe.stale_after = item.duration("stale_after");
  return recipe;
}

Result<Watch> fit(const expr::Expression& expression, const Recipe& recipe, std::span<const Known* const> known) {
  auto bound = bind_to(expression, known, recipe.stale_after);
  if (!bound) return fail(std::move(bound.error()));
  auto made = Deriver::make(bound->own, std::move(bound->program), recipe, known);
  if (!made) return fail(std::move(made.error()));
  std::string unit = (*made)->unit();
  return Watch{std::move(*made), std::move(unit)};
}

std::optional<Item> compile(const Node& item, Problems& problems) {
  const Node* text = expression_of(item, problems);
  auto from = from_of(item, problems);
  const bool filters = filters_fit(item, problems);
  const auto expression = text != nullptr ? read_expression(*text, problems) : std::nullopt;
  if (!expression || !from || !filters || !item.sound()) return std::nullopt;
  const std::vector<Reads> reads(expression->references().begin(), expression->references().end());
  if (!reads_fit(*text, reads, *from, problems)) return std::nullopt;
  const Recipe recipe = recipe_of(item);
  Item made{&item, {}, recipe, *expression, {}};
  for (const expr::Reference& reference : expression->references()) {
    const config::Mark at = place_in(*text, reference.at);
    if (reference.kind == Reads::Kind::own && !item.has("from")) {
      problems.add(at, "value is the series of from, which is not given: write the name of a series");
      return std::nullopt;
    }
    made.sources.push_back({pattern_of(reference, from->text()), at});
  }
  if (made.sources.empty()) {
    problems.add(text->at, fmt::format("'{}' reads no series: nothing would ever make one of it", expression->text()));
    return std::nullopt;
  }
  Rule& rule = made.rule;
  rule.name = item.string("name");
  rule.series = std::move(*from);
  rule.kind = "derived";
  const std::string_view sums = recipe.sums == Recipe::Sums::nothing    ? ""
                                : recipe.sums == Recipe::Sums::integral ? "integral of "
                                                                        : "increase of ";
  rule.condition = fmt::format("{}{}", sums, expression->text());
  rule.labels = labels_of(item);
  rule.good_only = item.boolean("good_only");
  rule.version = version_of(item);
  rule.reads = reads;
  rule.derives =
      Derivation{rule.name, recipe.every, recipe.deadband >= 0 ? recipe.repeat : Micros{-1}, item.has("from")};
  rule.enabled = item.boolean("enabled");
  rule.at = item.at;
  return made;
}

/// Two that may make one series.
void check_names(const std::vector<Item>& items, Problems& problems) {
  Names names;
  for (const Item& item : items) {
    const auto before = names.that_may_meet(levels_of(item.rule.name));
    names.add(item.rule.name);
    if (before.empty()) continue;
    const Node &name = (*item.node)["name"], &other = (*items[before.front()].node)["name"];
    problems.add(name.at, fmt::format("'{}' may be the same series as '{}' at {}: give them names of their own",
                                      name.shown(), other.shown(), config::text(other.at)));
  }
}

/// What each is made of stands before it. One that is made of itself is a problem, where it reads what leads to it.
class Order {
 public:
  Order(std::vector<Item>& items, Problems& problems) : items_(items), problems_(problems), seen_(items.size()) {
    for (const Item& item : items) names_.add(item.rule.name);
  }

  std::vector<Rule> run() {
    for (std::size_t i = 0; i < items_.size(); ++i) visit(i);
    std::vector<Rule> sorted;
    for (const std::size_t i : order_) {
      Item& item = items_[i];
      if (!item.rule.enabled) continue;
      item.recipe.patience = item.depth * Recipe::kPatience;
      item.rule.join = [expression = item.expression, recipe = item.recipe](std::span<const Known* const> known) {
        return fit(expression, recipe, known);
      };
      sorted.push_back(std::move(item.rule));
    }
    return sorted;
  }

 private:
  enum class Seen : std::uint8_t { no, begun, done };

  void visit(std::size_t i) {
    if (seen_[i] == Seen::done) return;
    seen_[i] = Seen::begun;
    path_.push_back(i);
    for (const Source& source : items_[i].sources) {
      for (const std::size_t other : names_.that_may_meet(levels_of(source.pattern))) {
        if (seen_[other] == Seen::begun) {
          tell(other, source);
        } else {
          visit(other);
          items_[i].depth = std::max(items_[i].depth, items_[other].depth + 1);
        }
      }
    }
    path_.pop_back();
    seen_[i] = Seen::done;
    order_.push_back(i);
  }

  void tell(std::size_t goal, const Source& source) {
    std::vector<std::string> names;
    for (auto at = std::find(path_.begin(), path_.end(), goal); at != path_.end(); ++at)
      names.push_back((*items_[*at].node)["name"].shown());
    const std::string made = names.front();
    names.push_back(made);
    problems_.add(source.at, names.size() == 2
                                 ? fmt::format("'{}' would be made of itself: this may be its own name", made)
                                 : fmt::format("'{}' would be made of itself: {}", made, fmt::join(names, " reads ")));
  }

  std::vector<Item>& items_;
  Problems& problems_;
  Names names_;  ///< of the items
  std::vector<Seen> seen_;
  std::vector<std::size_t> path_, order_;
};

}  // namespace

Shape derived_shape() {
  static const Shape kShape = [] {
    const Shape pattern = Shape::text_where("a pattern of series", pattern_problem);
    const Shape time = Shape::duration(Micros{1}, std::chrono::days(365));
    return Shape::object(
        "A series that is made of others.",
        {config::required("name", pattern, "The series that is made, with the captures of from: \"{pump}/delta_t\"."),
         config::optional("from", pattern,
                          "One for each series that matches: \"{pump}/flow\"; in the expression it is value."),
         config::optional("value", Shape::text(), "Made of this expression: \"value - return\"."),
         config::optional("integral", Shape::text(),
                          "Made of the expression's value times time, since it began: of L/min litres."),
         config::optional("increase", Shape::text(),
                          "Made of what the expression counted, since it began, resets and all."),
         config::optional("unit", Shape::text(), "Its unit, to which it is converted; else the expression's."),
         config::defaulted("every", Shape::duration(Micros{0}, kLongest), "0s",
                           "One sample for each so long, on the clock; 0s: whenever what it reads has one."),
         config::optional("deadband", Shape::quantity(), "No sample where it moved by no more than this."),
         config::optional("repeat", time, "With deadband: so long after its last sample there is one nevertheless."),
         config::optional("stale_after", time,
                          "After so long without a sample a series that it reads is not known; else after three of "
                          "its intervals, where these are known."),
         config::defaulted("good_only", Shape::boolean(), "false", "true: samples of uncertain quality count as bad."),
         config::defaulted("labels", Shape::map(Shape::text(), 64), "{}", "Labels, beside those of from."),
         config::defaulted("enabled", Shape::boolean(), "true", "false: checked, and not made.")});
  }();
  return kShape;
}

std::vector<Rule> parse_derived(const Node& derived, Problems& problems) {
  std::vector<Item> items;
  for (const Node& node : derived.items) {
    if (node.kind != Node::Kind::map) continue;
    if (auto item = compile(node, problems)) items.push_back(std::move(*item));
  }
  check_names(items, problems);
  return Order(items, problems).run();
}

}  // namespace tidegate::rules
