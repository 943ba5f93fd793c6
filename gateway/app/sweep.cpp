#include "gateway/app/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "gateway/config/schema.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/kinds.h"

namespace tidegate::app {
namespace {

using config::Node;

constexpr int kMostValues = 100;

struct Sweep {
  std::string key;
  bool of_time = false;
  double from = 0, step = 0;  ///< seconds, where it is of time
  int values = 0;
};

std::optional<double> read_one(std::string_view text, bool& of_time) {
  double number = 0;
  if (parse_number(text, number)) return number;
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  of_time = true;
  return std::chrono::duration<double>(*duration).count();
}

Result<Sweep> parse(const std::string& text) {
  const std::size_t equals = text.find('='), dots = text.find("..");
  const std::size_t colon = text.find(':', dots == std::string::npos ? text.size() : dots);
  const auto wrong = [&] {
    return fail(Errc::invalid,
                "--sweep {}: write KEY=FROM..TO or KEY=FROM..TO:STEP, such as above=80..95 or for=10s..2m:10s",
                printable(text));
  };
  if (equals == std::string::npos || dots == std::string::npos || dots < equals) return wrong();
  Sweep sweep{text.substr(0, equals)};
  bool is_time[3] = {};
  const auto from = read_one(text.substr(equals + 1, dots - equals - 1), is_time[0]);
  const auto to = read_one(text.substr(dots + 2, colon == std::string::npos ? colon : colon - dots - 2), is_time[1]);
  is_time[2] = is_time[0];
  const auto step = colon == std::string::npos ? (from && to ? std::optional((*to - *from) / 10) : std::nullopt)
                                               : read_one(text.substr(colon + 1), is_time[2]);
  if (!from || !to || !step || is_time[0] != is_time[1] || is_time[0] != is_time[2]) return wrong();
  if (!(*from < *to) || !(*step > 0))
    return fail(Errc::invalid, "--sweep {}: goes from the smaller one up", printable(text));
  const double steps = std::floor((*to - *from) / *step + 1e-9);
  if (!(steps < kMostValues))
    return fail(Errc::invalid, "--sweep {}: is more than {} values", printable(text), kMostValues);
  sweep.of_time = is_time[0];
  sweep.from = *from;
  sweep.step = *step;
  sweep.values = static_cast<int>(steps) + 1;
  return sweep;
}

/// The value that is swept: of the rule's kind, or of the rule.
Node* find_key(Node& rule, const std::string& key) {
  if (key == "name") return nullptr;
  for (const rules::Kind& kind : rules::kinds()) {
    if (!rule.has(kind.name)) continue;
    if (Node* found = rule.find(kind.name)->find(key)) return found;
  }
  return rule.find(key);
}

std::string value_text(const Sweep& sweep, double value, const Node& written) {
  if (sweep.of_time) return duration_text(Micros{std::llround(value * 1e6)});
  const auto quantity = config::parse_quantity(written.text);
  const std::string number = fmt::format("{:.12g}", value);
  return quantity && !quantity->unit.empty() ? fmt::format("{} {}", number, quantity->unit) : number;
}

/// With the rules that suppress it as they are; what suppresses those is nothing to it.
Result<Variant> compile(const Node& item, const Node& all, std::string value) {
  const std::vector<std::string> parents = item["suppressed_by"].strings();
  const std::string name = item["name"].shown();
  Node list(Node::Kind::list);
  for (const Node& other : all.items) {
    const std::string other_name = other["name"].shown();
    if (other_name == name) {
      list.items.push_back(item);
    } else if (std::find(parents.begin(), parents.end(), other_name) != parents.end()) {
      list.items.push_back(other);
      list.items.back().find("suppressed_by")->items.clear();
    }
  }
  config::Problems problems;
  config::check(list, config::Shape::list(rules::rule_shape()), problems);
  Variant variant{std::move(value), rules::parse_rules(list, problems)};
  if (!problems.empty()) return fail(Errc::invalid, "rule '{}' is wrong: {}", name, problems.sorted()[0].text());
  while (variant.rule().name != item.string("name")) ++variant.subject;
  return variant;
}

/// Why there is nothing to sweep.
std::string no_such_value(const Node& rule) {
  const bool is_text = rule.has("when") || rule.has("count") || rule.has("sequence");
  return is_text ? "has no such value; the numbers within its conditions are not swept: try them by --rules"
                 : "has no such value";
}

}  // namespace

Result<std::vector<Variant>> variants(const std::vector<Node>& chosen, const Node& rules, const std::string& text,
                                      std::vector<std::string>& left_out) {
  std::vector<Variant> all;
  if (text.empty()) {
    for (const Node& rule : chosen) {
      auto compiled = compile(rule, rules, "");
      if (!compiled) return fail(std::move(compiled.error()));
      all.push_back(std::move(*compiled));
    }
    return all;
  }
  const auto sweep = parse(text);
  if (!sweep) return fail(sweep.error());
  for (const Node& rule : chosen) {
    for (int i = 0; i < sweep->values; ++i) {
      Node changed = rule;
      Node* at = find_key(changed, sweep->key);
      if (at == nullptr || at->kind != Node::Kind::scalar) {
        return fail(Errc::invalid, "--sweep {}: rule '{}' {}", printable(text), rule["name"].shown(),
                    no_such_value(rule));
      }
      at->text = value_text(*sweep, sweep->from + i * sweep->step, *at);
      at->is_default = false;
      const std::string value = at->text;
      auto compiled = compile(changed, rules, value);
      if (compiled) {
        all.push_back(std::move(*compiled));
      } else {
        left_out.push_back(fmt::format("{}: {}", value, compiled.error().text));
      }
    }
  }
  if (all.empty())
    return fail(Errc::invalid, "--sweep {}: no value makes a rule; {}", printable(text), left_out.front());
  return all;
}

}  // namespace tidegate::app
