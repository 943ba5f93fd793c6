// What one gateway has exported another one replays: the same samples are in both stores.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using test::eventually;

class Recorded : public testing::TestWithParam<std::string> {};

/// All samples: series, time, value (of a state its text: codes are each store's own) and quality.
std::set<std::string> samples_of(const test::GatewayProcess& gateway) {
  const auto exported = test::run(
      {"sh", "-c",
       fmt::format("'{}' export '#' --data '{}' --format jsonl 2>/dev/null", kProgram, gateway.data().string())});
  EXPECT_EQ(exported.status, 0);
  std::set<std::string> all;
  std::istringstream lines(exported.output);
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line);
    const auto& value = row["label"].is_null() ? row["value"] : row["label"];
    all.insert(fmt::format("{} {} {} {}", row["series"].get<std::string>(), row["time"].get<std::string>(),
                           value.dump(), row["quality"].get<std::string>()));
  }
  return all;
}

TEST_P(Recorded, IsTheSameAfterItWasReplayed) {
  test::GatewayProcess first(kProgram, "sources: [{name: sim, type: simulator, every: 100ms}]\n");
  first.start();
  wait_for_samples(first, 500);
  ASSERT_EQ(first.stop(), 0);
  const auto recording = first.directory() / "recording";
  ASSERT_EQ(test::run({"sh", "-c",
                       fmt::format("'{}' export '#' --data '{}' --format {} > '{}'", kProgram, first.data().string(),
                                   GetParam(), recording.string())})
                .status,
            0);
  const auto recorded = samples_of(first);
  ASSERT_GE(recorded.size(), 500u);

  test::GatewayProcess second(
      kProgram,
      fmt::format("sources: [{{name: replay, type: file, path: '{}', format: {}, replay: {{speed: max, times: "
                  "own}}}}]\n",
                  recording.string(), GetParam()));
  second.start();
  ASSERT_TRUE(eventually([&] {
    const auto state = get_json(second, "/api/v1/state");
    if (!state.contains("sources") || state["sources"].empty()) return false;  // it begins
    return state["sources"][0]["text"].get<std::string>().find("were replayed") != std::string::npos;
  })) << get_json(second, "/api/v1/state").dump();
  ASSERT_EQ(second.stop(), 0);
  EXPECT_EQ(samples_of(second), recorded);
}

INSTANTIATE_TEST_SUITE_P(As, Recorded, testing::Values("csv", "jsonl"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace tidegate::e2e
