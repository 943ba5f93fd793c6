// A small plant at once, and every one of its 5,000 values is looked at.

#include "tests/e2e/small_plant.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <thread>

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;

TEST(SmallPlantTest, HasEveryValueOfFiveThousandPoints) {
  SmallPlant plant;
  test::GatewayProcess gateway{kProgram, plant.configuration()};
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_named(gateway, "field", "up"); }));
  plant.publish();
  std::vector<std::string> left;
  const auto all_right = [&] {
    plant.say();
    std::this_thread::sleep_for(200ms);
    left = plant.wrong(gateway);
    return left.empty();
  };
  EXPECT_TRUE(eventually(all_right, 60s)) << fmt::format("{}", fmt::join(left, " "));
  const json state = get_json(gateway, "/api/v1/state");
  for (const json& source : state["sources"]) EXPECT_EQ(source["health"], "up") << source;

  // It goes on: a peer that dies takes its own points with it and no other's, and comes back.
  plant.agent.kill();
  EXPECT_TRUE(eventually(
      [&] {
        plant.say();
        const auto silent = plant.wrong(gateway);
        return silent.size() == 5 && silent[0].starts_with("agent/");
      },
      60s));
  EXPECT_TRUE(eventually([&] { return source_named(gateway, "agent", "down"); }));
  EXPECT_TRUE(source_named(gateway, "plc", "up"));
  plant.agent.start();
  EXPECT_TRUE(eventually(all_right, 90s)) << fmt::format("{}", fmt::join(left, " "));
}

}  // namespace
}  // namespace tidegate::e2e
