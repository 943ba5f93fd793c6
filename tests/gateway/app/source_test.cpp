#include "gateway/app/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/registry.h"
#include "gateway/config/load.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

/// A checked section, as the registry's schema would leave it.
config::Node section(const std::string& yaml) {
  config::Problems problems;
  config::Node node = config::parse(yaml, "source.yaml", ".", config::References::system(), problems);
  config::check(node, drivers::source_shape(), problems);
  EXPECT_EQ(problems.text(), "");
  return node;
}

class SourceTest : public testing::Test {
 protected:
  SourceTest() {
    journal::Options options;
    options.directory = directory_.path();
    journal_ = std::move(*journal::Journal::open(options, clock_, metrics_));
  }
  Downstream downstream() { return {intake_, *journal_, clock_, metrics_, feeds_}; }
  std::vector<SourceChange> changes() {
    Intake::Taken taken;
    intake_.take(taken, 1000, 0us, {});
    std::vector<SourceChange> changes;
    for (const auto& event : taken.events) changes.push_back(std::get<SourceChange>(event.body));
    return changes;
  }

  test::TempDir directory_;
  GatewayClock clock_;
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  Intake intake_{1000};
  Feeds feeds_;
};

TEST_F(SourceTest, ASeriesCarriesItsSourceAndTheLabelsOfTheSection) {
  SourceSink sink(section("{name: plant, type: self, labels: {area: east, line: one}}"), downstream());
  const auto id = sink.series("a/b", SeriesInfo{.unit = "bar", .labels = {{"line", "two"}}});
  ASSERT_TRUE(id);
  const SeriesInfo info = journal_->catalogue().entry(*id).info;
  EXPECT_EQ(info.source, "plant");
  EXPECT_THAT(info.labels, testing::ElementsAre(std::pair("area", "east"), std::pair("line", "two")));
}

TEST_F(SourceTest, BeyondMaxSeriesNewOnesAreRefusedAndOldOnesLive) {
  SourceSink sink(section("{name: plant, type: self, max_series: 2}"), downstream());
  EXPECT_TRUE(sink.series("a", {}));
  EXPECT_TRUE(sink.series("b", {}));
  const auto refused = sink.series("c", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_THAT(refused.error().text, testing::HasSubstr("max_series"));
  EXPECT_TRUE(sink.series("a", {}));
}

TEST_F(SourceTest, ASeriesIsFedByOneSourceAtATime) {
  std::optional<SourceSink> plant(std::in_place, section("{name: plant, type: self}"), downstream());
  ASSERT_TRUE(plant->series("a/b", {}));
  SourceSink other(section("{name: other, type: push}"), downstream());
  const auto refused = other.series("a/b", {.unit = "bar"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().text, testing::HasSubstr("'a/b' is fed by source 'plant'"));
  const auto info = journal_->catalogue().entry(*plant->series("a/b", {})).info;
  EXPECT_EQ(info.source, "plant");
  EXPECT_EQ(info.unit, "") << "who was refused has changed nothing";
  SourceSink again(section("{name: plant, type: self}"), downstream());
  EXPECT_TRUE(again.series("a/b", {})) << "the same source, made anew while the old one ends";
  plant.reset();
  EXPECT_FALSE(other.series("a/b", {}));
}

TEST_F(SourceTest, ASeriesGoesToAnotherSourceWhenItsOwnIsGone) {
  {
    SourceSink plant(section("{name: plant, type: self}"), downstream());
    ASSERT_TRUE(plant.series("a/b", {}));
    plant.leave();
    SourceSink renamed(section("{name: works, type: self}"), downstream());
    EXPECT_TRUE(renamed.series("a/b", {})) << "though the old one is still there";
  }
  SourceSink pushed(section("{name: pushed, type: push}"), downstream());
  EXPECT_TRUE(pushed.series("a/b", {}));
}

TEST_F(SourceTest, AfterAStartWhoIsPushedToWaitsForWhoseTheSeriesWas) {
  {
    SourceSink plant(section("{name: plant, type: self}"), downstream());
    ASSERT_TRUE(plant.series("a/b", {}));
  }
  Feeds anew(std::chrono::milliseconds(200));
  Downstream next{intake_, *journal_, clock_, metrics_, anew};
  SourceSink plant(section("{name: plant, type: self}"), next), pushed(section("{name: pushed, type: push}"), next);
  EXPECT_FALSE(pushed.series("a/b", {}));
  EXPECT_TRUE(pushed.series("a/c", {}));
  EXPECT_TRUE(test::eventually([&] { return pushed.series("a/b", {}).has_value(); })) << "it feeds it no more";
}

TEST_F(SourceTest, HealthIsJournaledOnlyWhenItChanges) {
  SourceSink sink(section("{name: plant, type: self}"), downstream());
  sink.report(SourceHealth::up, "connected");
  sink.report(SourceHealth::up, "connected");
  sink.report(SourceHealth::down, "no\nanswer");
  const auto seen = changes();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].health, SourceHealth::down);
  EXPECT_EQ(seen[1].text.find('\n'), std::string::npos);
}

TEST_F(SourceTest, WhatIsUnusableIsCountedAndKeptWithItsReason) {
  SourceSink sink(section("{name: plant, type: self}"), downstream());
  sink.reject("site/x", "garbage", "not a number");
  EXPECT_EQ(sink.view().rejected, 1u);
  ASSERT_TRUE(journal_->maintain());
  const auto letters = journal_->dead_letters(10);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ(letters->front().letter.reason, "not a number");
  EXPECT_EQ(letters->front().letter.source, "plant");
}

class GivesUp final : public drivers::Driver {
 public:
  explicit GivesUp(std::atomic<int>& runs) : runs_(runs) {}
  Status run(Sink&, std::stop_token) override {
    if (++runs_ == 1) throw std::runtime_error("a library threw");
    return fail(Errc::io, "the port is gone");
  }

 private:
  std::atomic<int>& runs_;
};

TEST_F(SourceTest, ADriverThatGivesUpIsShownDownAndStartedAgain) {
  std::atomic<int> runs{0};
  Source source(section("{name: plant, type: self}"), std::make_unique<GivesUp>(runs), downstream());
  source.start();
  EXPECT_TRUE(
      test::eventually([&] { return runs >= 2 && source.view().text.find("port is gone") != std::string::npos; }));
  EXPECT_EQ(source.view().health, SourceHealth::down);
  EXPECT_THAT(source.view().text, testing::HasSubstr("next try in"));
}

class KeepsTurns final : public drivers::Driver {
 public:
  Status run(Sink&, std::stop_token) override { return {}; }
  std::optional<Turns> turns() const override { return Turns{0.003, 0.012, 2}; }
};

TEST_F(SourceTest, IsShownWithHowItsDriverKeepsItsTurns) {
  const Source source(section("{name: plant, type: self}"), std::make_unique<KeepsTurns>(), downstream());
  const auto turns = source.view().turns;
  ASSERT_TRUE(turns);
  EXPECT_EQ(turns->lateness, 0.003);
  EXPECT_EQ(turns->time, 0.012);
  EXPECT_EQ(turns->missed, 2u);
  std::atomic<int> runs{0};
  EXPECT_FALSE(Source(section("{name: p, type: push}"), std::make_unique<GivesUp>(runs), downstream()).view().turns);
}

}  // namespace
}  // namespace tidegate::app
