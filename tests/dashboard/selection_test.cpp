#include "dashboard/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dashboard/query.h"
#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

Pattern pattern(std::string_view text) { return Pattern::parse(text).value(); }

class SelectionTest : public testing::Test {
 protected:
  static Options quick_ticks() {
    Options options;
    options.stream.tick = std::chrono::milliseconds(50);
    return options;
  }
  SseClient viewer(const std::string& query) {
    return rig.viewer(SseClient::Options{.path = "/api/v1/stream?" + query});
  }
  static std::vector<std::string> names_in(const json& series) {
    std::vector<std::string> names;
    for (const json& one : series) names.push_back(one["name"]);
    return names;
  }

  Rig rig{quick_ticks()};
};

TEST_F(SelectionTest, IsOfPatternsAndAllWhereThereIsNone) {
  const SeriesId boiler = rig.series("boiler1/temperature"), pump = rig.series("pump/state");
  const auto& catalogue = rig.journal->catalogue();
  Selection all, boilers({pattern("boiler1/#"), pattern("boiler2/#")}),
      both({pattern("pump/+"), pattern("+/temperature")});
  EXPECT_TRUE(all.has(boiler, catalogue) && all.has(pump, catalogue));
  EXPECT_TRUE(boilers.has(boiler, catalogue));
  EXPECT_FALSE(boilers.has(pump, catalogue));
  EXPECT_TRUE(both.has(pump, catalogue) && both.has(boiler, catalogue));
}

TEST_F(SelectionTest, HasOneKeyInAnyOrder) {
  EXPECT_EQ(key_of({pattern("a/#"), pattern("b")}), key_of({pattern("b"), pattern("a/#"), pattern("b")}));
  EXPECT_NE(key_of({pattern("a"), pattern("b")}), key_of({pattern("a/b")}));
  EXPECT_NE(key_of({pattern("#")}), key_of({}));
}

TEST_F(SelectionTest, AViewerHearsOfItsSeriesAloneAndOfEveryAlert) {
  const SeriesId boiler = rig.series("boiler1/temperature"), pump = rig.series("pump/state");
  rig.commit({reading(boiler, 20.5), reading(pump, 1)});
  rig.serve();
  auto boilers = viewer("series=boiler1/%23&series=boiler2/%23"), pumps = viewer("series=pump/%2B");
  EXPECT_THAT(names_in(boilers.wait_for("snapshot").value().json()["series"]), ElementsAre("boiler1/temperature"));
  EXPECT_THAT(names_in(pumps.wait_for("snapshot").value().json()["series"]), ElementsAre("pump/state"));

  using std::chrono::seconds;
  rig.commit({reading(boiler, 21.5, seconds(1)), reading(pump, 0, seconds(1))});
  const json changed = boilers.wait_for("delta").value().json()["values"];
  EXPECT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed["boiler1/temperature"][1], 21.5);
  EXPECT_EQ(pumps.wait_for("delta").value().json()["values"]["pump/state"][1], 0);

  // One that comes later is its too, and one that is not does not wake it.
  rig.commit({reading(rig.series("cellar/level"), 3), reading(rig.series("boiler2/pressure"), 2)});
  EXPECT_THAT(names_in(boilers.wait_for("series").value().json()["series"]), ElementsAre("boiler2/pressure"));
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  for (SseClient* one : {&boilers, &pumps}) EXPECT_TRUE(one->wait_for("alert"));
  EXPECT_THAT(pumps.body(), testing::Not(HasSubstr("boiler2/pressure")));
  EXPECT_THAT(boilers.body(), testing::Not(HasSubstr("cellar")));
}

TEST_F(SelectionTest, OfPatternsThatAreNoneIsRefused) {
  rig.serve();
  for (const auto& [query, why] : {std::pair<std::string, std::string>{"series=a/%23/b", "series: "},
                                   {"series=", "series: "},
                                   {"serie=a", "unknown parameter 'serie'"}}) {
    const auto refused = rig.http().get("/api/v1/stream?" + query);
    EXPECT_EQ(refused.status, 400) << query;
    EXPECT_THAT(refused.body, HasSubstr(why)) << query;
  }
  std::string many = "series=a";
  for (std::size_t i = 0; i < kMostPatterns; ++i) many += "&series=a" + std::to_string(i);
  EXPECT_THAT(rig.http().get("/api/v1/stream?" + many).body, HasSubstr("65 patterns of series; at most 64"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
