// Rule tests as their users write them: the files of tests/scenarios, and the examples of docs/rules.md.

#include "tests/rules/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tidegate::rules {
namespace {

struct Script {
  std::string name;
  std::string yaml;
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

/// Every ```yaml block of the reference that has a feed is a scenario.
std::vector<Script> documented_examples() {
  std::vector<Script> scripts;
  std::istringstream text(read(std::filesystem::path(TIDEGATE_DOCS) / "rules.md"));
  std::string line, block;
  bool inside = false;
  for (int number = 1; std::getline(text, line); ++number) {
    if (line == "```yaml") {
      inside = true;
      block.clear();
    } else if (line == "```") {
      if (inside && block.find("feed:") != std::string::npos)
        scripts.push_back({"docs_until_line_" + std::to_string(number), block});
      inside = false;
    } else if (inside) {
      block += line + '\n';
    }
  }
  return scripts;
}

class Scenario : public testing::TestWithParam<Script> {};

TEST_P(Scenario, GoesAsWritten) {
  for (const std::string& failure : run_scenario(GetParam().yaml, GetParam().name)) ADD_FAILURE() << failure;
}

std::string test_name(const testing::TestParamInfo<Script>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(File, Scenario, testing::ValuesIn(scenario_files()), test_name);
INSTANTIATE_TEST_SUITE_P(Reference, Scenario, testing::ValuesIn(documented_examples()), test_name);

TEST(ScenarioRunner, TellsWhatWentOtherwise) {
  const auto failures = run_scenario(R"(
rule: {name: hot, series: a/t, threshold: {above: 5}}
every: 1s
feed: {a/t: [1, 9, 9]}
expect: [{at: 1s, hot: normal}, {at: 2s, hot: active, message: calm}]
announced: ["2s hot raised"]
late: 1
)",
                                     "wrong.yaml");
  ASSERT_EQ(failures.size(), 4u);
  EXPECT_EQ(failures[0], "1s hot: expected 'normal', got 'active'");
  EXPECT_EQ(failures[1], "2s message: expected 'calm', got 'a/t is at 9, limit 5'");
  EXPECT_EQ(failures[2], "announced: expected\n  2s hot raised\ngot\n  1s hot raised");
  EXPECT_EQ(failures[3], "late samples: expected 1, got 0");
}

TEST(ScenarioRunner, DoesNotTakeAMisspeltAlertForANormalOne) {
  const auto failures = run_scenario(R"(
rule: {name: hot, series: "{device}/t", threshold: {above: 5}}
every: 1s
feed: {a/t: [1]}
expect: [{at: 0s, "hot:a": normal}, {at: 0s, "hot:b": normal}, {at: 0s, hot: normal}]
)",
                                     "wrong.yaml");
  EXPECT_EQ(failures, (std::vector<std::string>{"5:46: no rule and series have the alert 'hot:b'",
                                                "5:73: no rule and series have the alert 'hot'"}));
}

}  // namespace
}  // namespace tidegate::rules
