// Rule tests as their users write them: the files of tests/scenarios, and the examples of docs/rules.md.

#include "rules/scenario.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "gateway/config/load.h"
#include "rules/rule.h"

namespace tidegate::rules {
namespace {

struct Script {
  std::string name;
  std::string yaml;
  std::string known = {};  ///< rules that it may name
};
void PrintTo(const Script& script, std::ostream* out) { *out << script.name; }

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Script> scenario_files() {
  std::vector<Script> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(TIDEGATE_SCENARIOS)) {
    if (entry.path().extension() == ".yaml") scripts.push_back({entry.path().stem().string(), read(entry.path())});
  }
  std::sort(scripts.begin(), scripts.end(), [](const Script& a, const Script& b) { return a.name < b.name; });
  return scripts;
}

/// Every ```yaml block of a document: those with a feed are scenarios, another with `rules:` is the configuration that
/// they may name.
void read_examples(const std::string& name, std::vector<Script>& scripts) {
  std::istringstream text(read(std::filesystem::path(TIDEGATE_DOCS) / (name + ".md")));
  std::string line, block, known;
  bool inside = false;
  for (int number = 1; std::getline(text, line); ++number) {
    if (line == "```yaml") {
      inside = true;
      block.clear();
    } else if (line == "```") {
      const bool is_scenario = inside && block.find("feed:") != std::string::npos;
      if (is_scenario) scripts.push_back({fmt::format("{}_until_line_{}", name, number), block, known});
      if (inside && !is_scenario && block.starts_with("rules:")) known = block;
      inside = false;
    } else if (inside) {
      block += line + '\n';
    }
  }
}

std::vector<Script> documented_examples() {
  std::vector<Script> scripts;
  read_examples("rules", scripts);
  read_examples("testing-rules", scripts);
  read_examples("rules-cookbook", scripts);
  read_examples("derived-series", scripts);
  for (Script& script : scripts) std::replace(script.name.begin(), script.name.end(), '-', '_');
  return scripts;
}

Outcome run(const std::string& yaml, const std::string& file_name, const std::string& rules = "rules: []") {
  config::Problems problems;
  config::Node known = config::parse(rules, "known.yaml", ".", config::References::system(), problems);
  const config::Shape list = config::Shape::list(rule_shape());
  config::check(known, config::Shape::object("", {config::required("rules", list, "")}), problems);
  config::Node scenario = config::parse(yaml, file_name, ".", config::References::system(), problems);
  EXPECT_EQ(problems.text(), "");
  return run_scenario(std::move(scenario), known["rules"]);
}

class Scenario : public testing::TestWithParam<Script> {};

TEST_P(Scenario, GoesAsWritten) {
  const std::string known = GetParam().known.empty() ? "rules: []" : GetParam().known;
  const Outcome outcome = run(GetParam().yaml, GetParam().name, known);
  for (const std::string& failure : outcome.failures) ADD_FAILURE() << failure;
}

std::string test_name(const testing::TestParamInfo<Script>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(File, Scenario, testing::ValuesIn(scenario_files()), test_name);
INSTANTIATE_TEST_SUITE_P(Reference, Scenario, testing::ValuesIn(documented_examples()), test_name);

TEST(ScenarioRunner, TellsWhatWentOtherwise) {
  const auto failures = run(R"(
rule: {name: hot, series: a/t, threshold: {above: 5}}
every: 1s
feed: {a/t: [1, 9, 9]}
expect: [{at: 1s, hot: normal}, {at: 2s, hot: active, message: calm}]
announced: ["2s hot raised"]
late: 1
)",
                            "wrong.yaml")
                            .failures;
  ASSERT_EQ(failures.size(), 4u);
  EXPECT_EQ(failures[0], "1s hot: expected 'normal', got 'active'");
  EXPECT_EQ(failures[1], "2s message: expected 'calm', got 'a/t is at 9, limit 5'");
  EXPECT_EQ(failures[2], "announced: expected\n  2s hot raised\ngot\n  1s hot raised");
  EXPECT_EQ(failures[3], "late samples: expected 1, got 0");
}

/// Each is a test that would otherwise pass without having looked.
TEST(ScenarioRunner, SaysWhatOfATestCannotBeMeant) {
  const std::string rule = "rule: {name: hot, series: a/t, threshold: {above: 5}}\n";
  const std::string states = "series: {a/t: {kind: state, states: [box1, box2]}}\n";
  const std::pair<std::string, std::string> cases[] = {
      {rule + "every: 1s\nfeed: {a/t: [9]}\nexpect: [{hot: normal}]\n",
       "`at` must be a time, such as 40s or 1m30s, not ''"},
      {rule + "every: 1s\nfeed: {a/t: [9]}\nexpect: [{at: 20, hot: normal}]\n", "not '20'"},
      {rule + "every: 1s\nfeed: {a/t: [1x30]}\nrestart: [{at: 5s, down: 20s}]\nexpect: [{at: 15s, hot: active}]\n",
       "at 15s the gateway is off, by the restart at 5s"},
      {rule + "every: 1s\nfeed: {a/t: [1x0.5]}\nexpect: []\n", "'1x0.5' is no sample"},
      {rule + "every: 1s\nfeed: {a/t: [1x1e300]}\nexpect: []\n", "'1x1e300' is no sample"},
      {rule + "every: 1s\nfeed: {a/t: [1x1000000, 1x1000000, 1x1000000]}\nexpect: []\n", "more than 2000000 samples"},
      {rule + "every: 1s\nfeed: {a/t: [95@foo]}\nexpect: []\n", "'95@foo' is no sample"},
      {rule + "every: 1s\nfeed: {a/t: [9]}\nexpect: [{at: 0s, hot: actve}]\n", "'actve' is no phase"},
      {rule + "rules: []\nevery: 1s\nfeed: {a/t: [9]}\nexpect: []\n", "a test has `rule` or `rules`, not both"},
      {"every: 1s\nfeed: {a/t: [9]}\nexpect: []\n", "a test needs a `rule`, or `rules`"},
      {"rule: {name: hot, series: a/t, threshold: {above: 5}, enabled: false}\nevery: 1s\nfeed: {a/t: [9]}\nexpect: "
       "[]\n",
       "no rule is enabled"}};
  for (const auto& [yaml, told] : cases) {
    const auto failures = run(yaml, "wrong.yaml").failures;
    ASSERT_FALSE(failures.empty()) << yaml;
    EXPECT_NE(failures[0].find(told), std::string::npos) << failures[0];
  }
  EXPECT_TRUE(run(states + "rule: {name: hot, series: a/t, threshold: {equals: box2}}\nevery: 1s\n"
                           "feed: {a/t: [box1, box2, box2x3]}\nexpect: [{at: 4s, hot: active}]\n",
                  "states.yaml")
                  .failures.empty());
  EXPECT_TRUE(run(rule + "every: 1s\nfeed: {a/t: [9]}\nexpect: [{at: 0s, hot: active, value: 9.0, limit: 5.00}]\n",
                  "numbers.yaml")
                  .failures.empty());
}

/// Forty days a second at a time, in little memory.
TEST(ScenarioRunner, ALongTimeIsShort) {
  EXPECT_TRUE(run("rule: {name: stuck, series: a/t, flatline: {for: 30d}}\nevery: 1d\nfeed: {a/t: [9x40]}\n"
                  "expect: [{at: 29d, stuck: normal}, {at: 30d, stuck: active}]\n",
                  "long.yaml")
                  .failures.empty());
}

TEST(ScenarioRunner, DoesNotTakeAMisspeltAlertForANormalOne) {
  const auto failures = run(R"(
rule: {name: hot, series: "{device}/t", threshold: {above: 5}}
every: 1s
feed: {a/t: [1]}
expect: [{at: 0s, "hot:a": normal}, {at: 0s, "hot:b": normal}, {at: 0s, hot: normal}]
)",
                            "wrong.yaml")
                            .failures;
  EXPECT_EQ(failures,
            (std::vector<std::string>{"wrong.yaml:5:46: no rule and series have the alert 'hot:b'; there are hot:a",
                                      "wrong.yaml:5:73: no rule and series have the alert 'hot'; there are hot:a"}));
}

}  // namespace
}  // namespace tidegate::rules
