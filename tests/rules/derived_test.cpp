// What is told of series that are made of others, beside their samples: tests/scenarios/derived_*.yaml.

#include "rules/derived.h"

#include <gtest/gtest.h>

#include <map>

#include "gateway/config/load.h"
#include "rules/engine.h"

namespace tidegate::rules {
namespace {

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

class DerivedSeries : public testing::Test {
 protected:
  void begin(const std::string& yaml) {
    config::Problems problems;
    config::Node node = config::parse(yaml, "derived.yaml", ".", config::References::system(), problems);
    config::check(node, config::Shape::list(derived_shape()), problems);
    engine_ = Engine(parse_derived(node, problems));
    ASSERT_EQ(problems.text(), "");
  }
  void declare(std::uint32_t id, const std::string& name, const SeriesInfo& info) {
    engine_.declare(SeriesId{id}, name, info, {}, kStart, out_);
  }
  std::size_t made(int second, double value) {
    out_.clear();
    const Sample sample{SeriesId{0}, Quality::good, Reason::none, kStart + std::chrono::seconds(second), value};
    engine_.observe({&sample, 1}, sample.time, out_);
    return out_.samples.size();
  }
  std::string problem() const {
    const auto problems = engine_.derived_status().at(0).problems;
    return problems.empty() ? "" : problems.front();
  }

  Engine engine_{{}};
  Output out_;
};

TEST_F(DerivedSeries, AreAskedForWithUnitLabelsAndInterval) {
  begin(R"([{name: "{d}/y", from: "{d}/x", integral: value, labels: {line: "2", hall: north}}])");
  declare(0, "m/x", {SeriesKind::number, "kW", "plant", std::chrono::seconds(5), {{"hall", "south"}, {"row", "1"}}});
  const auto made = engine_.take_made_series();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].name, "m/y");
  const Labels labels{{"hall", "north"}, {"line", "2"}, {"row", "1"}};
  EXPECT_EQ(made[0].info, (SeriesInfo{SeriesKind::number, "kWh", "derived", std::chrono::seconds(5), labels}));
  EXPECT_TRUE(engine_.take_made_series().empty()) << "once";
  declare(0, "m/x", {SeriesKind::number, "W", "plant", std::chrono::seconds(5), {}});
  ASSERT_EQ(engine_.take_made_series().at(0).info.unit, "Wh");
}

TEST_F(DerivedSeries, ComeNoMoreOftenThanWhatTheyAreMadeOf) {
  begin(R"([{name: "{d}/fast", from: "{d}/x", value: value, every: 1s},
            {name: "{d}/slow", from: "{d}/x", value: value, every: 5m},
            {name: "{d}/calm", from: "{d}/x", value: value, deadband: 1, repeat: 10s},
            {name: "{d}/mute", from: "{d}/x", value: value, deadband: 1},
            {name: all, value: sum(+/x), every: 1s}])");
  declare(0, "m/x", {SeriesKind::number, "", "plant", std::chrono::seconds(60), {}});
  const auto intervals = [this] {
    std::map<std::string, std::int64_t> all;
    for (const MadeSeries& made : engine_.take_made_series())
      all[made.name] = std::chrono::floor<std::chrono::seconds>(made.info.expected_interval).count();
    return all;
  };
  using All = std::map<std::string, std::int64_t>;
  EXPECT_EQ(intervals(), (All{{"m/fast", 60}, {"m/slow", 300}, {"m/calm", 70}, {"m/mute", -1}}));
  declare(1, "all", {});
  EXPECT_EQ(intervals(), (All{{"all", 60}}));
  declare(2, "n/x", {SeriesKind::number, "", "plant", std::chrono::seconds(90), {}});
  EXPECT_EQ(intervals()["all"], 90) << "the slowest member";
  declare(3, "o/x", {SeriesKind::number, "", "push", {}, {}});
  const auto unknown = intervals();
  EXPECT_EQ(unknown.at("o/fast"), 0) << "not known of what it is made of";
  EXPECT_EQ(unknown.at("o/mute"), -1) << "it tells of changes alone, whatever that is";
  EXPECT_EQ(unknown.at("all"), 0);
}

TEST_F(DerivedSeries, HaveNoSamplesBeforeTheyAreDeclared) {
  begin(R"([{name: "{d}/y", from: "{d}/x", value: value * 2}])");
  declare(0, "m/x", {});
  EXPECT_EQ(made(1, 3), 0u);
  declare(1, "m/y", engine_.take_made_series().at(0).info);
  ASSERT_EQ(made(2, 4), 1u);
  EXPECT_EQ(out_.samples[0], (Sample{SeriesId{1}, Quality::good, Reason::none, kStart + std::chrono::seconds(2), 8}));
}

/// As after a restart: each that is known is declared once, in the order in which they were made.
TEST_F(DerivedSeries, GoOnWhereTheyAreDeclaredBeforeWhatTheyAreMadeOf) {
  begin(R"([{name: m/y, value: "m/x * 2"}, {name: m/on, value: "m/x > 3"}, {name: m/sum, increase: "m/x", unit: ""}])");
  const std::vector<MadeSeries> known{{"m/y", {SeriesKind::number, "", "derived", {}, {}}},
                                      {"m/on", {SeriesKind::boolean, "", "derived", {}, {}}},
                                      {"m/sum", {SeriesKind::counter, "", "derived", {}, {}}}};
  for (std::uint32_t i = 0; i < 3; ++i) declare(i + 1, known[i].name, known[i].info);
  declare(0, "m/x", {});
  const auto wanted = engine_.take_made_series();
  ASSERT_EQ(wanted.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(wanted[i].info, known[i].info) << "or it is declared once more";
  EXPECT_EQ(made(1, 4), 3u);
}

/// As after an edit: what they are made of may have been seen later than they.
TEST_F(DerivedSeries, OfDifferencesAreKnownAsSuchInWhateverOrderSeriesAreDeclared) {
  begin(
      R"([{name: "{d}/gap", from: "{d}/x", value: "value - y"}, {name: "{d}/back", from: "{d}/y", value: "value + gap"}])");
  const SeriesInfo kelvin{SeriesKind::number, "K", "derived", {}, {}};
  const SeriesInfo celsius{SeriesKind::number, "°C", "", {}, {}};
  SeriesInfo back = celsius;
  back.source = "derived";
  declare(3, "m/back", back);
  declare(2, "m/gap", kelvin);
  declare(1, "m/y", celsius);
  declare(0, "m/x", kelvin);
  const Timestamp now = kStart + std::chrono::seconds(1);
  const std::vector<Sample> samples{{SeriesId{1}, Quality::good, Reason::none, now, 50},
                                    {SeriesId{0}, Quality::good, Reason::none, now, 333.15}};
  engine_.observe(samples, now, out_);
  ASSERT_EQ(out_.samples.size(), 2u);
  EXPECT_EQ(out_.samples[1].series, SeriesId{3});
  EXPECT_NEAR(out_.samples[1].value, 60, 1e-9);
}

TEST_F(DerivedSeries, OfAPatternOfWhichOneIsLeftOutAreNotTheWhole) {
  begin(R"([{name: all, value: sum(+/x)}])");
  declare(1, "all", {SeriesKind::number, "W", "derived", {}, {}});
  declare(0, "a/x", {SeriesKind::number, "W", "", {}, {}});
  declare(2, "b/x", {SeriesKind::number, "bar", "", {}, {}});
  ASSERT_EQ(made(1, 5), 1u);
  EXPECT_EQ(out_.samples[0].value, 5);
  EXPECT_EQ(out_.samples[0].quality, Quality::uncertain);
  EXPECT_EQ(out_.samples[0].reason, Reason::wrong_type);
  declare(2, "b/x", {SeriesKind::number, "kW", "", {}, {}});
  ASSERT_EQ(made(2, 5), 1u);
  EXPECT_EQ(out_.samples[0].reason, Reason::no_answer) << "it is a member, and never spoke";
}

TEST_F(DerivedSeries, EndWhereASourceFeedsThemToo) {
  begin(R"([{name: "{d}/y", from: "{d}/x", value: value}])");
  declare(0, "m/x", {});
  declare(1, "m/y", engine_.take_made_series().at(0).info);
  ASSERT_EQ(made(1, 3), 1u);
  declare(1, "m/y", {SeriesKind::number, "", "plc", {}, {}});
  EXPECT_EQ(made(2, 3), 0u);
  EXPECT_EQ(problem(), "m/y: source 'plc' feeds this series too: give the derived one another name");
}

TEST_F(DerivedSeries, ThatMakeNoSenseSayWhy) {
  begin(R"([{name: "{d}/y", from: "{d}/x", value: value, unit: kW}])");
  declare(0, "m/x", {SeriesKind::number, "bar", "", {}, {}});
  EXPECT_EQ(problem(), "m/x: its unit is bar, which does not convert to kW");
  EXPECT_TRUE(engine_.take_made_series().empty());
  declare(0, "m/x", {SeriesKind::number, "W", "", {}, {}});
  EXPECT_EQ(problem(), "");
  EXPECT_EQ(engine_.take_made_series().size(), 1u);
}

/// What is made is declared anew, as the pump does.
TEST_F(DerivedSeries, SumsGoOnWhereWhatTheyReadHasAnotherUnit) {
  begin(R"([{name: "{d}/y", from: "{d}/x", integral: value}])");
  const auto declare_made = [&] { declare(1, "m/y", engine_.take_made_series().at(0).info); };
  declare(0, "m/x", {SeriesKind::number, "", "plant", {}, {}});
  declare_made();
  made(0, 200);
  ASSERT_EQ(made(36, 200), 1u);
  EXPECT_EQ(out_.samples[0].value, 7200);
  declare(0, "m/x", {SeriesKind::number, "kW", "plant", {}, {}});
  declare_made();
  made(72, 200);
  EXPECT_EQ(out_.samples.back().value, 4) << "kWh: it was kW before";
  declare(0, "m/x", {SeriesKind::number, "W", "plant", {}, {}});
  declare_made();
  out_.clear();
  engine_.tick(kStart + std::chrono::seconds(73), out_);
  ASSERT_EQ(out_.samples.size(), 1u) << "so that a restart goes on from Wh";
  EXPECT_EQ(out_.samples[0].value, 4000);
  ASSERT_EQ(made(108, 50'000), 1u);
  EXPECT_EQ(out_.samples[0].value, 6000);
}

TEST_F(DerivedSeries, IncreasesGoOnWhereTheCounterHasAnotherUnit) {
  begin(R"([{name: "{d}/y", from: "{d}/x", increase: value}])");
  const auto declare_made = [&] { declare(1, "m/y", engine_.take_made_series().at(0).info); };
  declare(0, "m/x", {SeriesKind::counter, "kWh", "plant", {}, {}});
  declare_made();
  made(0, 100);
  made(1, 102);
  declare(0, "m/x", {SeriesKind::counter, "Wh", "plant", {}, {}});
  declare_made();
  ASSERT_EQ(made(2, 103'000), 2u);
  EXPECT_EQ(out_.samples[0].value, 2000) << "what was told, in the new unit";
  EXPECT_EQ(out_.samples[1].value, 3000);
}

/// Whichever of the two is declared first.
TEST_F(DerivedSeries, SumsThatCannotGoOnSayWhy) {
  const SeriesInfo flow{SeriesKind::number, "L/min", "plant", {}, {}};
  const SeriesInfo energy{SeriesKind::number, "kWh", "derived", {}, {}};
  for (const bool is_first : {false, true}) {
    begin(R"([{name: "{d}/y", from: "{d}/x", integral: value}])");
    if (is_first) declare(1, "m/y", energy);
    declare(0, "m/x", flow);
    if (!is_first) declare(1, "m/y", energy);
    EXPECT_EQ(problem(),
              "m/x: m/y was summed up in kWh, which does not convert to L: give it another name to begin anew");
    EXPECT_TRUE(engine_.take_made_series().empty()) << "what is stored stays what it is";
    EXPECT_EQ(made(1, 3), 0u);
    declare(0, "m/x", {SeriesKind::number, "W", "plant", {}, {}});
    EXPECT_EQ(problem(), "");
    EXPECT_EQ(engine_.take_made_series().at(0).info.unit, "Wh");
  }
}

TEST_F(DerivedSeries, HaveNoAlerts) {
  begin(R"([{name: "{d}/y", from: "{d}/x", value: value}])");
  declare(0, "m/x", {});
  EXPECT_TRUE(engine_.status().empty());
  EXPECT_FALSE(engine_.knows("{d}/y:m"));
}

}  // namespace
}  // namespace tidegate::rules
