#include "drivers/point.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "gateway/core/text.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;

/// `yaml` as a point's options, checked.
ValueOptions options_of(const std::string& yaml, config::Problems& problems) {
  config::Node node = config::parse(yaml, "test.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::object("A point.", value_fields()), problems);
  if (!problems.empty()) return {};
  return read_value(node, problems);
}

ValueOptions options_of(const std::string& yaml) {
  config::Problems problems;
  auto options = options_of(yaml, problems);
  EXPECT_EQ(problems.text(), "");
  return options;
}

std::string problem_of(const std::string& yaml) {
  config::Problems problems;
  options_of(yaml, problems);
  return problems.text();
}

class APoint : public testing::Test {
 protected:
  void open(const std::string& yaml, SeriesKind natural = SeriesKind::number, Micros every = 1s) {
    point_.emplace("pump1/value", options_of(yaml));
    ASSERT_TRUE(point_->open(sink_, natural, every));
  }
  /// What a reading at that second becomes; nothing: no sample.
  std::optional<Sample> read(double value, std::chrono::seconds at = 0s) {
    return take({Reading::Type::number, value}, at);
  }
  std::optional<Sample> take(const Reading& reading, std::chrono::seconds at = 0s) {
    samples_.clear();
    problem_ = point_->take(sink_, reading, Timestamp{at}, samples_);
    return samples_.empty() ? std::nullopt : std::optional(samples_.back());
  }
  SeriesInfo info() const { return *sink_.info("pump1/value"); }

  fakes::FakeSink sink_;
  std::optional<Point> point_;
  std::vector<Sample> samples_;
  std::string problem_;
};

TEST_F(APoint, IsScaledAndThenMoved) {
  open("{unit: °C, scale: 0.1, offset: -40}");
  EXPECT_DOUBLE_EQ(read(651)->value, 25.1);
  EXPECT_EQ(info().unit, "°C");
  EXPECT_EQ(info().expected_interval, Micros{1s});
}

TEST_F(APoint, IsOfTheKindThatItsDriverKnowsUnlessTheOptionsSay) {
  open("{}", SeriesKind::boolean);
  EXPECT_EQ(info().kind, SeriesKind::boolean);
  open("{kind: counter}", SeriesKind::boolean);
  EXPECT_EQ(info().kind, SeriesKind::counter);
}

TEST_F(APoint, ShowsACodeAsItsWordAndAnUnknownOneAsTheNumber) {
  open("{enum: {0: stopped, 1: running}, scale: 10}");
  EXPECT_EQ(info().kind, SeriesKind::state);
  ASSERT_TRUE(read(1));
  sink_.push(samples_);
  EXPECT_EQ(sink_.last_label("pump1/value"), "running");
  ASSERT_TRUE(read(7));
  sink_.push(samples_);
  EXPECT_EQ(sink_.last_label("pump1/value"), "7");
}

TEST_F(APoint, SaysInWordsWhyTheDeviceHasNoValue) {
  open("{faults: {32767: sensor broken}, scale: 0.1}");
  EXPECT_EQ(*read(32767), (Sample{SeriesId{0}, Quality::bad, Reason::device_fault, Timestamp{0s}, 0}));
  EXPECT_EQ(problem_, "pump1/value: sensor broken");
  EXPECT_DOUBLE_EQ(read(32766)->value, 3276.6);
  EXPECT_EQ(problem_, "");
}

TEST_F(APoint, ThatIsNotReadIsBad) {
  open("{}");
  point_->lose(Reason::no_answer, Timestamp{5s}, samples_);
  EXPECT_EQ(samples_.back(), (Sample{SeriesId{0}, Quality::bad, Reason::no_answer, Timestamp{5s}, 0}));
}

TEST_F(APoint, KeepsADoubtOfItsDevice) {
  open("{}");
  point_->take(sink_, {Reading::Type::number, 4}, Timestamp{1s}, Quality::uncertain, Reason::clock, samples_);
  EXPECT_EQ(samples_.back(), (Sample{SeriesId{0}, Quality::uncertain, Reason::clock, Timestamp{1s}, 4}));
}

TEST_F(APoint, OfTenthsIsWhatTheDeviceShows) {
  open("{scale: 0.1, report: every}");
  EXPECT_EQ(read(61)->value, 6.1);
  EXPECT_EQ(read(-3)->value, -0.3);
  open("{scale: 0.001}");
  EXPECT_EQ(read(1003)->value, 1.003);
  for (const char* scale : {"0.3", "-0.1", "0", "1", "10", "2.5", "1e-300"}) {
    open(fmt::format("{{scale: {}}}", scale));
    EXPECT_EQ(read(7)->value, 7 * std::stod(scale)) << scale;
  }
}

TEST_F(APoint, IsReportedWhenItChangesAndOnceAMinute) {
  open("{report: change}");
  EXPECT_EQ(info().expected_interval, Micros{1min});
  EXPECT_TRUE(read(5, 0s));
  EXPECT_FALSE(read(5, 1s));
  EXPECT_TRUE(read(6, 2s));
  EXPECT_FALSE(read(6, 61s));
  EXPECT_TRUE(read(6, 62s));
}

TEST_F(APoint, ADeadbandIsMeasuredFromTheLastThatWasReportedAndInTheUnitShown) {
  open("{scale: 0.1, report: {deadband: 0.5, at_least: 1h}}");
  EXPECT_EQ(info().expected_interval, Micros{1h});
  EXPECT_TRUE(read(100));   // 10.0
  EXPECT_FALSE(read(104));  // 10.4
  EXPECT_TRUE(read(106));   // 10.6: slow drift is not missed
  EXPECT_FALSE(read(102));
  EXPECT_TRUE(read(100));
}

TEST_F(APoint, ADeadbandIsOfNumbersAlone) {
  for (const auto kind : {SeriesKind::boolean, SeriesKind::state, SeriesKind::counter}) {
    open("{report: {deadband: 10, at_least: 1h}}", kind);
    EXPECT_TRUE(read(0)) << static_cast<int>(kind);
    EXPECT_FALSE(read(0)) << static_cast<int>(kind);
    EXPECT_TRUE(read(1)) << static_cast<int>(kind);
  }
}

TEST_F(APoint, AChangedQualityIsAlwaysReported) {
  open("{faults: {999: broken}, report: {deadband: 1000}}");
  EXPECT_TRUE(read(0));
  EXPECT_TRUE(read(999));
  EXPECT_FALSE(read(999));
  EXPECT_TRUE(read(0));
}

TEST_F(APoint, WhatIsOlderThanTheLastIsReportedAndIsNotTheLast) {
  open("{report: {deadband: 5, at_least: 1h}}");
  EXPECT_TRUE(read(10, 100s));
  EXPECT_TRUE(read(11, 50s)) << "what stood beside it is not known";
  EXPECT_FALSE(read(15, 101s)) << "it is compared with 10";
}

TEST_F(APoint, ThatIsReadSeldomIsNotExpectedOftenerThanItIsRead) {
  open("{report: change}", SeriesKind::number, 10min);
  EXPECT_EQ(info().expected_interval, Micros{10min});
}

TEST(PointOptions, AWordNeedsANumberAndAState) {
  EXPECT_EQ(problem_of("{enum: {one: running}}"),
            "test.yaml:1:9: 'one' is no number: here stand the device's codes, as in {0: stopped, 1: running}\n");
  EXPECT_EQ(problem_of("{kind: counter, enum: {1: running}}"),
            "test.yaml:1:23: a point with words for its codes is a state; leave kind out, or enum\n");
}

}  // namespace
}  // namespace tidegate::drivers
