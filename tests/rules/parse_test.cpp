// What a user reads who wrote a wrong rule: tests/rules/golden/*.txt, each with the YAML and, behind `---`, the
// problems.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/config/load.h"
#include "rules/derived.h"
#include "rules/kinds.h"
#include "rules/rule.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

std::vector<Rule> compile(const std::string& yaml, Problems& problems) {
  Node node = config::parse(yaml, "rules.yaml", ".", config::References::system(), problems);
  config::check(node,
                Shape::object("", {config::defaulted("derived", Shape::list(derived_shape()), "[]", ""),
                                   config::required("rules", Shape::list(rule_shape()), "")}),
                problems);
  if (node.has("derived")) static_cast<void>(parse_derived(node["derived"], problems));
  return node.has("rules") ? parse_rules(node["rules"], problems) : std::vector<Rule>{};
}

std::string problems_of(const std::string& yaml) {
  Problems problems;
  compile(yaml, problems);
  return problems.text();
}

TEST(WrongRules, AreAnsweredWithTheirPlaceAndTheWayOut) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TIDEGATE_GOLDEN)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t mark = text.find("\n---\n");
    ASSERT_NE(mark, std::string::npos) << entry.path();
    const std::string problems = problems_of(text.substr(0, mark + 1));
    EXPECT_EQ(problems, text.substr(mark + 5)) << entry.path();
    if (std::getenv("TIDEGATE_UPDATE_GOLDEN") != nullptr)
      std::ofstream(entry.path()) << text.substr(0, mark + 5) << problems;
    EXPECT_FALSE(text.substr(mark + 5).empty()) << entry.path();
    ++cases;
  }
  EXPECT_GE(cases, 100);
}

TEST(Rules, TakeTheirDefaults) {
  Problems problems;
  const auto rules =
      compile("rules:\n  - {name: hot, series: a/t, threshold: {above: 90 °C, clear_below: 85}}\n", problems);
  ASSERT_EQ(problems.text(), "");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].kind, "threshold");
  EXPECT_EQ(rules[0].condition, "above 90 °C, clear below 85");
  EXPECT_EQ(rules[0].severity, Severity::warning);
  EXPECT_EQ(rules[0].policy.raise_after, Micros{0});
  EXPECT_EQ(rules[0].policy.clear_after, Micros{0});
  EXPECT_FALSE(rules[0].policy.acknowledge_required);
  EXPECT_FALSE(rules[0].good_only);
}

TEST(Rules, SayTheirConditionInWords) {
  const auto condition = [](const std::string& kind) {
    Problems problems;
    const auto rules = compile("rules: [{name: a, series: b, " + kind + "}]", problems);
    return problems.empty() ? rules.at(0).condition : problems.text();
  };
  EXPECT_EQ(condition("threshold: {below: 4, clear_above: 5}"), "below 4, clear above 5");
  EXPECT_EQ(condition("threshold: {outside: [2 °C, 8 °C], hysteresis: 0.5}"), "outside 2 °C to 8 °C, hysteresis 0.5");
  EXPECT_EQ(condition("threshold: {equals: open}"), "equals open");
  EXPECT_EQ(condition("trend: {falling: 5 %/h, over: 6h}"), "falling faster than 5 %/h over 6 h");
  EXPECT_EQ(condition("trend: {rising: 2 /s, over: 1m, robust: true}"),
            "rising faster than 2 /s over 1 min, by the median of slopes");
  EXPECT_EQ(condition("absence: {for: 5m}"), "no good sample for 5 min");
  EXPECT_EQ(condition("absence: {}"), "no good sample for 3 of its intervals");
  EXPECT_EQ(condition("forecast: {above: 95 %, within: 4h, from: 1h}"),
            "above 95 % within 4 h, by the trend of the last 1 h");
  EXPECT_EQ(condition("change: {falls_by: 1 bar, within: 30s}"), "falls by more than 1 bar within 30 s");
  EXPECT_EQ(condition("change: {rate_above: 3 /s}"), "rises faster than 3 /s from one sample to the next");
  EXPECT_EQ(condition("change: {rate_below: 6 L/min, within: 30s}"), "rises more slowly than 6 L/min within 30 s");
  EXPECT_EQ(condition("deviation: {sigmas: 4, over: 1h, at_least: 2 °C}"),
            "further than 4 standard deviations from the average of the last 1 h, and than 2 °C");
  EXPECT_EQ(condition("deviation: {percent: 20, over: 1d, robust: true}"),
            "further than 20 % from the median of the last 1 d");
  EXPECT_EQ(condition("shift: {over: 7d}"), "a lasting shift by 1 σ from the average of the last 7 d (cusum)");
  EXPECT_EQ(condition("anomaly: {}"), "an anomaly score above 3, with a season of 1 d");
  EXPECT_EQ(condition("anomaly: {sensitivity: 5, season: none}"), "an anomaly score above 5");
  EXPECT_EQ(condition("flatline: {for: 1h}"), "no change for 1 h");
  EXPECT_EQ(condition("flatline: {for: 1h, tolerance: 0.1 °C}"), "no change by more than 0.1 °C for 1 h");
}

/// Every text that could be one, as a reference, in every mistake that repeats what is written.
TEST(Rules, NoReferencedValueIsTold) {
  ::setenv("TIDEGATE_TEST_CANARY", "77531 °C", 1);
  ::setenv("TIDEGATE_TEST_WORD", "c4n4ry {c4n4ry}", 1);
  const std::string canary = "!env TIDEGATE_TEST_CANARY", word = "!env TIDEGATE_TEST_WORD";
  for (const std::string& kind : {"threshold: {above: " + canary + "}",
                                  "threshold: {above: 1, hysteresis: " + canary + "}",
                                  "threshold: {above: " + canary + ", clear_below: 99999}",
                                  "threshold: {above: 1 bar, clear_below: " + canary + "}",
                                  "threshold: {above: " + canary + ", clear_below: 1 bar}",
                                  "threshold: {outside: [1, " + canary + "]}",
                                  "threshold: {outside: [" + canary + ", 2]}",
                                  "threshold: {outside: [1, 2], hysteresis: " + canary + "}",
                                  "threshold: {equals: " + word + "}",
                                  "trend: {rising: " + canary + ", over: 1m}",
                                  "trend: {rising: 1 /s, clear_below: " + canary + ", over: 1m}",
                                  "message: " + word + ", absence: {for: 1m}",
                                  "absence: {for: 1m}, threshold: {equals: " + word + "}",
                                  "flatline: {for: 1m, tolerance: " + canary + "}",
                                  "forecast: {above: " + canary + ", within: 1h, from: 1h}",
                                  "forecast: {above: " + canary + ", within: 2h, from: 1h, clear_beyond: 1h}",
                                  "change: {by: " + canary + ", within: 1m}",
                                  "change: {by: " + canary + ", within: 1m, clear_below: 99999}",
                                  "change: {by: 1 bar, within: 1m, clear_below: " + canary + "}",
                                  "change: {rate_above: " + canary + "}",
                                  "change: {rate_above: 1 /s, clear_below: " + canary + "}",
                                  "deviation: {sigmas: " + canary + ", over: 1h}",
                                  "deviation: {sigmas: 3, over: 1h, at_least: " + canary + "}"}) {
    Problems problems;
    std::string told;
    for (const Rule& rule : compile("rules: [{name: a, series: b, " + kind + "}]", problems)) {
      told += rule.condition;
      SeriesInfo boolean;
      boolean.kind = SeriesKind::boolean;
      for (const SeriesInfo& info : {SeriesInfo{}, boolean}) {
        if (const auto watch = rule.make(info, {}); !watch) told += watch.error().text;
      }
    }
    told += problems.text();
    EXPECT_NE(told, "") << kind;
    EXPECT_EQ(told.find("77531"), std::string::npos) << told;
    EXPECT_EQ(told.find("c4n4ry"), std::string::npos) << told;
  }
}

TEST(Rules, ADisabledOneIsCheckedButNotReturned) {
  Problems problems;
  EXPECT_TRUE(compile("rules: [{name: a, series: b, enabled: false, threshold: {above: 1}}]", problems).empty());
  EXPECT_TRUE(problems.empty());
  EXPECT_NE(problems_of("rules: [{name: a, series: b, enabled: false, threshold: {}}]"), "");
}

TEST(Rules, OneWrongRuleDoesNotHideTheOthers) {
  Problems problems;
  const auto rules = compile(R"(rules:
  - {name: a, series: b, treshold: {above: 1}}
  - {name: b, series: b, threshold: {above: 1}}
  - {name: c, series: b, threshold: {above: 1, clear_below: 2}}
)",
                             problems);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].name, "b");
  EXPECT_EQ(problems.sorted().size(), 2u);
}

TEST(Kinds, EachHasADocumentedShapeInTheSchema) {
  const std::string schema = config::json_schema(rule_shape(), "rule");
  for (const Kind& kind : kinds()) {
    EXPECT_NE(schema.find('"' + kind.name + '"'), std::string::npos);
    EXPECT_FALSE(kind.doc.empty());
  }
}

}  // namespace
}  // namespace tidegate::rules
