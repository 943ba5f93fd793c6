#include "gateway/app/chronicle.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace tidegate::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ChronicleTest : public ::testing::Test {
 protected:
  void see(SourceHealth source, std::string text = {}) {
    view.sources[0].health = source;
    view.sources[0].text = std::move(text);
    chronicle.look(view, now);
  }

  Chronicle::Instant now{};
  std::vector<std::string> log;
  Chronicle chronicle{[this](Chronicle::Level level, const std::string& text) {
    log.push_back((level == Chronicle::Level::error ? "E " : level == Chronicle::Level::warning ? "W " : "I ") + text);
  }};
  dashboard::GatewayView view = [] {
    dashboard::GatewayView one;
    one.sources.resize(1);
    one.sources[0].name = "plant";
    return one;
  }();
};

TEST_F(ChronicleTest, AChangeOfHealthIsTheOnlyNews) {
  see(SourceHealth::starting);
  see(SourceHealth::starting, "connecting");
  EXPECT_THAT(log, IsEmpty());
  see(SourceHealth::up);
  see(SourceHealth::down, "connection refused");
  see(SourceHealth::down, "connection refused, next try in 8 s");
  see(SourceHealth::up);
  EXPECT_THAT(
      log, ElementsAre("I source plant is up", "E source plant is down: connection refused", "I source plant is up"));
}

TEST_F(ChronicleTest, AtTheStartWhatIsNotWellIsNews) {
  see(SourceHealth::degraded, "a subscription was refused");
  EXPECT_THAT(log, ElementsAre("W source plant is degraded: a subscription was refused"));
}

TEST_F(ChronicleTest, TheStoreAndUplinksAreToldOfAsWell) {
  see(SourceHealth::up);
  view.uplinks.resize(1);
  view.uplinks[0] = {.name = "cloud", .text = "no answer", .health = SourceHealth::down};
  view.store.health = SourceHealth::down;
  view.store.text = "the disk is full";
  see(SourceHealth::up);
  EXPECT_THAT(log, ElementsAre("E the store is down: the disk is full", "E uplink cloud is down: no answer"));
}

TEST_F(ChronicleTest, WhatComesAndGoesWithoutEndIsCounted) {
  for (int i = 0; i < 20; ++i, now += std::chrono::seconds(1)) {
    see(i % 2 == 0 ? SourceHealth::down : SourceHealth::up, i % 2 == 0 ? "refused" : "");
  }
  EXPECT_EQ(log.size(), static_cast<std::size_t>(Chronicle::kMostTold));
  now += Chronicle::kWithin;
  see(SourceHealth::up);
  EXPECT_EQ(log.back(), "W source plant changed 14 times more within a minute, and is up");
  see(SourceHealth::down, "refused");
  EXPECT_EQ(log.back(), "E source plant is down: refused");
  EXPECT_EQ(log.size(), Chronicle::kMostTold + 2u);
}

}  // namespace
}  // namespace tidegate::app
