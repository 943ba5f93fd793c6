#include "gateway/journal/catalogue.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

TEST(Catalogue, ANameHasOneIdForEver) {
  Catalogue catalogue({});
  const auto first = catalogue.intern("boiler1/temperature", info("°C"));
  const auto second = catalogue.intern("boiler2/temperature", {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(index(*first), 0u);
  EXPECT_EQ(index(*second), 1u);
  EXPECT_EQ(*catalogue.intern("boiler1/temperature", info("°C")), *first);
  EXPECT_EQ(catalogue.find("boiler2/temperature"), *second);
  EXPECT_FALSE(catalogue.find("boiler3/temperature"));
}

TEST(Catalogue, AChangedInfoIsTakenOverAndGrowsTheVersion) {
  Catalogue catalogue({});
  const SeriesId id = *catalogue.intern("a/b", info("V"));
  catalogue.saved(catalogue.unsaved());
  const auto before = catalogue.version();
  ASSERT_TRUE(catalogue.intern("a/b", info("V")));
  EXPECT_EQ(catalogue.version(), before);
  EXPECT_TRUE(catalogue.unsaved().empty());
  ASSERT_TRUE(catalogue.intern("a/b", info("mV")));
  EXPECT_GT(catalogue.version(), before);
  EXPECT_EQ(catalogue.entry(id).info.unit, "mV");
  EXPECT_EQ(catalogue.unsaved().series.size(), 1u);
}

TEST(Catalogue, WhatWasLearnedStaysUntilTheSourceSaysIt) {
  using namespace std::chrono_literals;
  Catalogue catalogue({});
  const SeriesInfo told = info("V");
  const SeriesId id = *catalogue.intern("a/b", told);
  EXPECT_TRUE(catalogue.entry(id).learns);
  catalogue.saved(catalogue.unsaved());
  catalogue.learn(id, 10s);
  EXPECT_EQ(catalogue.unsaved().series.at(0).info.expected_interval, 10s + 1us) << "it is for the next run too";
  const auto version = catalogue.version();
  ASSERT_TRUE(catalogue.intern("a/b", told));
  EXPECT_EQ(catalogue.version(), version);
  SeriesInfo renamed = told;
  renamed.unit = "mV";
  ASSERT_TRUE(catalogue.intern("a/b", renamed));
  EXPECT_EQ(catalogue.entry(id).info.unit, "mV");
  EXPECT_EQ(catalogue.entry(id).info.expected_interval, 10s + 1us) << "marked as learned";

  SeriesInfo given = told;
  given.expected_interval = 1s;
  ASSERT_TRUE(catalogue.intern("a/b", given));
  EXPECT_FALSE(catalogue.entry(id).learns);
  catalogue.learn(id, 20s);
  EXPECT_EQ(catalogue.entry(id).info.expected_interval, 1s);
  given.expected_interval = kOnChange;
  ASSERT_TRUE(catalogue.intern("a/b", given));
  ASSERT_TRUE(catalogue.intern("a/b", told));
  EXPECT_EQ(catalogue.entry(id).info.expected_interval, 0s) << "that was no interval";
}

TEST(Catalogue, WhatWasLearnedOfOneSourceSaysNothingOfAnother) {
  using namespace std::chrono_literals;
  Catalogue catalogue({});
  SeriesInfo told = info("V");
  told.source = "first";
  const SeriesId id = *catalogue.intern("a/b", told);
  catalogue.learn(id, 10s);
  told.source = "second";
  ASSERT_TRUE(catalogue.intern("a/b", told));
  EXPECT_EQ(catalogue.entry(id).info.expected_interval, 0s);
}

TEST(Catalogue, ARestoredSeriesLearnsWhenItsSourceRuns) {
  using namespace std::chrono_literals;
  Catalogue catalogue({});
  SeriesInfo stored = info("V");
  stored.expected_interval = 10s + 1us;
  catalogue.restore({SeriesId{0}, "a/b", stored, {}});
  catalogue.learn(SeriesId{0}, 20s);
  EXPECT_EQ(catalogue.entry(SeriesId{0}).info.expected_interval, 10s + 1us);
  const auto version = catalogue.version();
  ASSERT_TRUE(catalogue.intern("a/b", info("V")));
  EXPECT_GT(catalogue.version(), version) << "whoever learns hears of it";
  EXPECT_TRUE(catalogue.unsaved().empty());
  catalogue.learn(SeriesId{0}, 20s);
  EXPECT_EQ(catalogue.entry(SeriesId{0}).info.expected_interval, 20s + 1us);
}

TEST(Catalogue, WhatWasGivenIsGoneWhenItIsGivenNoMore) {
  using namespace std::chrono_literals;
  SeriesInfo given = info("V");
  given.expected_interval = 1min;
  Catalogue running({}), restarted({});
  ASSERT_TRUE(running.intern("a/b", given));
  restarted.restore({SeriesId{0}, "a/b", given, {}});
  for (Catalogue* catalogue : {&running, &restarted}) {
    ASSERT_TRUE(catalogue->intern("a/b", info("V")));
    EXPECT_EQ(catalogue->entry(SeriesId{0}).info.expected_interval, 0s);
  }
}

TEST(Catalogue, RefusesWhatIsNoName) {
  Catalogue catalogue({});
  for (const char* name : {"", "a//b", "a/+/b", "#", "a{b}"}) {
    const auto id = catalogue.intern(name, {});
    ASSERT_FALSE(id) << name;
    EXPECT_EQ(id.error().code, Errc::invalid);
  }
}

TEST(Catalogue, ItsBoundsAreFullNotFatal) {
  Catalogue catalogue({.max_series = 2, .max_labels = 2});
  ASSERT_TRUE(catalogue.intern("a", {}));
  const SeriesId id = *catalogue.intern("b", info("", SeriesKind::state));
  EXPECT_EQ(catalogue.intern("c", {}).error().code, Errc::full);
  EXPECT_TRUE(catalogue.intern("a", {}));
  EXPECT_EQ(*catalogue.label(id, "idle"), 0);
  EXPECT_EQ(*catalogue.label(id, "run"), 1);
  EXPECT_EQ(*catalogue.label(id, "idle"), 0);
  EXPECT_EQ(catalogue.label(id, "stop").error().code, Errc::full);
  EXPECT_EQ(catalogue.label(SeriesId{9}, "x").error().code, Errc::invalid);
}

TEST(Catalogue, ACodeHasItsTextAndNothingElseHas) {
  Catalogue catalogue({});
  const SeriesId id = *catalogue.intern("pump/state", info("", SeriesKind::state));
  ASSERT_TRUE(catalogue.label(id, "idle"));
  EXPECT_EQ(catalogue.label_text(id, 0), "idle");
  for (const double code : {1.0, 0.5, -1.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(catalogue.label_text(id, code)) << code;
  }
}

TEST(Catalogue, WhatChangedDuringASaveStaysUnsaved) {
  Catalogue catalogue({});
  const SeriesId id = *catalogue.intern("a", info("V"));
  ASSERT_TRUE(catalogue.label(id, "one"));
  const auto saving = catalogue.unsaved();
  ASSERT_TRUE(catalogue.intern("a", info("mV")));
  ASSERT_TRUE(catalogue.label(id, "two"));
  catalogue.saved(saving);
  const auto rest = catalogue.unsaved();
  ASSERT_EQ(rest.series.size(), 1u);
  EXPECT_EQ(rest.series[0].info.unit, "mV");
  EXPECT_EQ(rest.label_texts, std::vector<std::string>{"two"});
  EXPECT_EQ(rest.labels[0].second, 1u);
}

TEST(Catalogue, ManyThreadsAgreeOnIds) {
  Catalogue catalogue({});
  std::vector<std::vector<SeriesId>> seen(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : seen) {
      threads.emplace_back([&catalogue, &ids] {
        for (int i = 0; i < 300; ++i) {
          ids.push_back(*catalogue.intern("device" + std::to_string(i % 100) + "/x", {}));
          static_cast<void>(catalogue.label(ids.back(), std::to_string(i % 5)));
        }
      });
    }
  }
  EXPECT_EQ(catalogue.size(), 100u);
  std::vector<SeriesId> expected;
  for (int i = 0; i < 300; ++i) expected.push_back(*catalogue.find("device" + std::to_string(i % 100) + "/x"));
  for (const auto& ids : seen) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace tidegate::journal
