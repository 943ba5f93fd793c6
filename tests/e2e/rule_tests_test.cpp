// `tidegate test`: what users write to try their rules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace tidegate::e2e {
namespace {

using test::Finished;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRules =
    "rules:\n"
    "  - {name: hot, series: \"{device}/temperature\", threshold: {above: 90}, for: 30s}\n"
    "  - {name: silent, series: \"{device}/temperature\", absence: {for: 1m}}\n";

class RuleTests : public testing::Test {
 protected:
  RuleTests() { std::filesystem::create_directories(directory.path() / "tests" / "boilers"); }
  void put(const std::string& name, std::string_view text) { std::ofstream(directory.path() / name) << text; }
  Finished run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"test", "--config", directory.path() / "tidegate.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tidegate(std::move(arguments));
  }
  std::string read(const std::string& name) {
    std::ifstream file(directory.path() / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  test::TempDir directory;
};

TEST_F(RuleTests, AreFoundBesideTheConfigurationWhoseRulesTheyName) {
  put("tidegate.yaml", kRules);
  put("tests/boilers/hot.test.yaml",
      "rule: hot\nevery: 10s\nfeed: {b1/temperature: [80, 91, 91, 91, 91, 80]}\n"
      "expect: [{at: 10s, b1: pending}, {at: 40s, b1: active}, {at: 50s, b1: normal}]\n");
  put("tests/silent.test.yaml",
      "rules: [hot, silent]\nevery: 10s\nfeed: {b1/temperature: [80, _, _, _, _, _, _, _]}\n"
      "expect: [{at: 59s, \"silent:b1\": normal}, {at: 60s, \"silent:b1\": active}, {at: 60s, \"hot:b1\": normal}]\n");
  put("tests/notes.yaml", "this is no test");
  const Finished done = run();
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("ok      "));
  EXPECT_THAT(done.output, HasSubstr("boilers/hot.test.yaml"));
  EXPECT_THAT(done.output, HasSubstr("2 tests, 0 failed\n"));
  EXPECT_THAT(done.output, Not(HasSubstr("notes")));
}

TEST_F(RuleTests, SayWhatCameInsteadAndHowItCameAbout) {
  put("tidegate.yaml", kRules);
  put("tests/hot.test.yaml",
      "rule: hot\nevery: 10s\nfeed: {b1/temperature: [80, 91, 91, 80, 91, 91, 91, 91]}\nexpect: [{at: 40s, b1: "
      "active}]\n");
  put("tests/misnamed.test.yaml", "rule: hott\nevery: 10s\nfeed: {b1/temperature: [80]}\nexpect: []\n");
  put("tests/broken.test.yaml", "rule: hot\nevry: 10s\nfeed: {b1/temperature: [80]}\nexpect: []\n");
  const Finished done = run({"--junit", directory.path() / "report.xml"});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.output, HasSubstr("40s b1: expected 'active', got 'pending'"));
  EXPECT_THAT(done.output, HasSubstr("10s hot:b1 normal -> pending"));
  EXPECT_THAT(done.output, HasSubstr("1m10s hot:b1 pending -> active: b1/temperature is at 91, limit 90"));
  EXPECT_THAT(done.output,
              HasSubstr("misnamed.test.yaml:1:7: there is no rule 'hott' in the configuration (did you mean 'hot'?)"));
  EXPECT_THAT(done.output, HasSubstr("broken.test.yaml:2:1: unknown key 'evry'"));
  EXPECT_THAT(done.output, HasSubstr("3 tests, 3 failed\n"));
  EXPECT_THAT(read("report.xml"), HasSubstr("tests=\"3\" failures=\"3\""));
  EXPECT_THAT(read("report.xml"), HasSubstr("pending -&gt; active"));
}

TEST_F(RuleTests, NeedNoConfigurationForRulesOfTheirOwn) {
  put("own.test.yaml",
      "rule: {name: hot, series: a/t, threshold: {above: 5}}\nevery: 1s\nfeed: {a/t: [9]}\nexpect: [{at: 0s, hot: "
      "active}]\n");
  EXPECT_EQ(run({directory.path() / "own.test.yaml"}).status, 0);
  put("named.test.yaml", "rule: hot\nevery: 1s\nfeed: {a/t: [9]}\nexpect: [{at: 0s, hot: active}]\n");
  const Finished done = run({directory.path() / "named.test.yaml"});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.output, HasSubstr("there is no rule 'hot': no configuration with rules was read"));
}

TEST_F(RuleTests, FindNothingToTestAndAMistakeInTheConfiguration) {
  put("tidegate.yaml", kRules);
  const Finished nothing = run();
  EXPECT_EQ(nothing.status, 1);
  EXPECT_THAT(nothing.output, HasSubstr("has no *.test.yaml"));
  const Finished missing = run({directory.path() / "none.test.yaml"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.output, HasSubstr("none.test.yaml"));
  put("tidegate.yaml", "rules: [{name: hot, series: a/t, treshold: {above: 5}}]\n");
  const Finished wrong = run();
  EXPECT_EQ(wrong.status, 78);
  EXPECT_THAT(wrong.output, HasSubstr("did you mean 'threshold'?"));
}

TEST_F(RuleTests, RulesAreListedAndExplained) {
  put("tidegate.yaml", kRules);
  const auto rules = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"rules", "--config", directory.path() / "tidegate.yaml"});
    return tidegate(std::move(more));
  };
  const Finished listed = rules({"list", "--format", "csv"});
  EXPECT_EQ(listed.status, 0) << listed.output;
  EXPECT_THAT(listed.output, HasSubstr("hot,threshold,{device}/temperature,warning,30s,0s,above 90"));
  const Finished explained = rules({"explain", "silent"});
  EXPECT_EQ(explained.status, 0) << explained.output;
  EXPECT_THAT(explained.output, HasSubstr("no good sample for 1 min"));
  put("tidegate.yaml",
      "rules: [{name: hot, series: '{d}/t', threshold: {above: 5}, suppress_when: '{d}/maintenance == on'}]\n");
  const Finished suppressed = rules({"explain", "hot"});
  EXPECT_THAT(suppressed.output, HasSubstr("suppressed   while {d}/maintenance == \"on\"\n"));
  put("tidegate.yaml", kRules);
  const Finished unknown = rules({"explain", "silnet"});
  EXPECT_EQ(unknown.status, 1) << unknown.output;
  EXPECT_THAT(unknown.output, HasSubstr("did you mean 'silent'?"));
}

}  // namespace
}  // namespace tidegate::e2e
