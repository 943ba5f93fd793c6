#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/point.h"
#include "drivers/registry.h"
#include "gateway/app/source.h"
#include "gateway/config/load.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

config::Node checked(const std::string& yaml, const config::Shape& shape) {
  config::Problems problems;
  config::Node node = config::parse(yaml, "source.yaml", ".", config::References::system(), problems);
  config::check(node, shape, problems);
  EXPECT_EQ(problems.text(), "");
  return node;
}

/// What a source's own `report` leaves, seen where its samples go.
class SourceReported : public testing::Test {
 protected:
  SourceReported() {
    journal::Options options;
    options.directory = directory_.path();
    journal_ = std::move(*journal::Journal::open(options, clock_, metrics_));
  }
  void start(const std::string& report) {
    sink_.emplace(
        checked("{name: plant, type: mqtt, broker: \"mqtt://127.0.0.1\", subscriptions: [{topic: \"a/{device}\"}]" +
                    report + "}",
                drivers::source_shape()),
        Downstream{intake_, *journal_, clock_, metrics_, feeds_});
  }
  SeriesId series(std::string_view name, SeriesInfo info = {}) {
    const auto id = sink_->series(name, info);
    EXPECT_TRUE(id);
    return *id;
  }
  void push(SeriesId series, Micros at, double value, Quality quality = Quality::good) {
    const Reason reason = quality == Quality::bad ? Reason::no_answer : Reason::none;
    const Sample sample{series, quality, reason, Timestamp{1'700'000'000s + at}, value};
    sink_->push({&sample, 1});
  }
  /// The values that came through since the last look.
  std::vector<double> taken() {
    Intake::Taken taken;
    intake_.take(taken, 1000, 0us, {});
    std::vector<double> values;
    for (const Sample& sample : taken.samples) values.push_back(sample.value);
    return values;
  }
  Micros interval(SeriesId series) const { return journal_->catalogue().entry(series).info.expected_interval; }

  test::TempDir directory_;
  FakeClock clock_;
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  Intake intake_{1000};
  Feeds feeds_;
  std::optional<SourceSink> sink_;
};

TEST_F(SourceReported, IsEverySampleWhereNothingIsSaid) {
  start("");
  const SeriesId one = series("a/one", {.expected_interval = 1s});
  push(one, 0s, 1);
  push(one, 1s, 1);
  EXPECT_THAT(taken(), ElementsAre(1, 1));
  EXPECT_EQ(interval(one), 1s);
}

TEST_F(SourceReported, IsWhatChangesOfEachSeriesAndOneAMinute) {
  start(", report: change");
  const SeriesId one = series("a/one", {.expected_interval = 1s}), two = series("a/two");
  for (const auto at : {0s, 1s, 59s, 60s}) push(one, at, 7);
  push(two, 0s, 7);
  push(two, 1s, 8);
  EXPECT_THAT(taken(), ElementsAre(7, 7, 7, 8));
  EXPECT_EQ(interval(one), 60s) << "or a value that rests would be stale";
  EXPECT_EQ(interval(two), 60s);
  EXPECT_EQ(metrics_.counter("source/plant/samples", "", "").value(), 4);
}

TEST_F(SourceReported, ItsIntervalIsThatOfTheSectionWhereTheDriverGivesNone) {
  start(", expected_interval: 10m");
  EXPECT_EQ(interval(series("a/unknown")), 10min);
  EXPECT_EQ(interval(series("a/known", {.expected_interval = 1s})), 1s);
  EXPECT_EQ(interval(series("a/by_exception", {.expected_interval = kOnChange})), 10min);
  start(", expected_interval: on_change");
  EXPECT_EQ(interval(series("a/other")), kOnChange);
  EXPECT_EQ(interval(*sink_->series_with_report("a/own", {})), kOnChange);
  start(", expected_interval: 10m, report: {deadband: 1, at_least: 1h}");
  EXPECT_EQ(interval(series("a/seldom")), 1h);
  start(", expected_interval: on_change, report: {deadband: 1, at_least: 1h}");
  EXPECT_EQ(interval(series("a/other")), kOnChange);
  start("");
  const SeriesId one = series("a/third");
  EXPECT_EQ(interval(one), 0s);
  EXPECT_TRUE(journal_->catalogue().entry(one).learns);
}

TEST_F(SourceReported, ADeadBandIsOfNumbersAlone) {
  start(", report: {deadband: 5, at_least: 1h}");
  const SeriesId number = series("a/number");
  for (const double value : {10.0, 15.0, 15.5}) push(number, 0s, value);
  EXPECT_THAT(taken(), ElementsAre(10, 15.5));
  for (const SeriesKind kind : {SeriesKind::state, SeriesKind::boolean, SeriesKind::counter}) {
    const SeriesId other = series(fmt::format("a/{}", name(kind)), {.kind = kind});
    for (const double value : {0.0, 1.0, 1.0, 0.0}) push(other, 0s, value);
    EXPECT_THAT(taken(), ElementsAre(0, 1, 0)) << name(kind);
  }
}

TEST_F(SourceReported, AChangedQualityIsAndSoIsWhatComesLate) {
  start(", report: {deadband: 5, at_least: 1h}");
  const SeriesId one = series("a/one");
  push(one, 100s, 1);
  push(one, 101s, 1, Quality::bad);
  push(one, 102s, 1);
  EXPECT_EQ(taken().size(), 3u);
  push(one, 50s, 2);
  push(one, 103s, 3);
  EXPECT_THAT(taken(), ElementsAre(2)) << "what is late is compared with nothing, and nothing with it";
}

TEST_F(SourceReported, APointThatSaysItItselfIsLeftToItself) {
  start(", report: {deadband: 5, at_least: 10m}");
  const config::Shape shape = config::Shape::object("A point.", drivers::value_fields());
  config::Problems problems;
  drivers::Point own("a/own", drivers::read_value(checked("{report: every}", shape), problems));
  drivers::Point other("a/other", drivers::read_value(checked("{}", shape), problems));
  for (drivers::Point* point : {&own, &other}) {
    ASSERT_TRUE(point->open(*sink_, SeriesKind::number, 1s));
    std::vector<Sample> samples;
    for (const auto at : {0s, 1s, 2s}) {
      point->take(*sink_, {drivers::Reading::Type::number, 7}, Timestamp{1'700'000'000s + at}, samples);
    }
    EXPECT_EQ(samples.size(), 3u);
    sink_->push(samples);
  }
  EXPECT_THAT(taken(), ElementsAre(7, 7, 7, 7)) << "three of the first, one of the second";
  EXPECT_EQ(interval(*journal_->catalogue().find("a/own")), 1s);
  EXPECT_EQ(interval(*journal_->catalogue().find("a/other")), 600s);
}

TEST_F(SourceReported, WhatIsLeftOutIsNotWaitedFor) {
  start(", report: change");
  const SeriesId one = series("a/one");
  push(one, 0s, 7);
  Intake::Taken taken;
  intake_.take(taken, 1000, 0us, {});
  intake_.committed(taken.last);
  const Sample same{one, Quality::good, Reason::none, Timestamp{1'700'000'001s}, 7};
  EXPECT_TRUE(sink_->wait_committed(sink_->push({&same, 1}), {}));
}

}  // namespace
}  // namespace tidegate::app
