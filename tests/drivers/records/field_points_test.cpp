#include "drivers/field_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/record.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr Timestamp kNow{1'772'366'400s};  // 2026-03-01T12:00:00Z

class PointsOfRecords : public testing::Test {
 protected:
  void make(FieldsRule rule) {
    points_.emplace(
        std::move(rule), [](std::string_view field) { return "dev/" + std::string(field); }, 1s);
    EXPECT_TRUE(points_->open(sink_));
  }
  std::string take(const std::string& json, bool whole = false) {
    const auto leaves = decoder_->decode(json);
    EXPECT_TRUE(leaves);
    std::vector<Sample> samples;
    std::string problem = points_->take(sink_, {*leaves, kNow, whole}, samples);
    if (!samples.empty()) sink_.push(samples);
    return problem;
  }
  std::unique_ptr<RecordDecoder> decoder_ = json_records({});
  fakes::FakeSink sink_;
  std::optional<FieldPoints> points_;
};

TEST_F(PointsOfRecords, OfAllValuesAreMadeOnFirstSight) {
  FieldsRule rule;
  rule.ignore = {*Pattern::parse("skip/#")};
  rule.units = {{*Pattern::parse("t"), "°C"}};
  make(rule);
  EXPECT_EQ(take(R"({"t": 1, "on": true, "name": "x", "skip": {"a": 1}, "none": null})"), "");
  EXPECT_THAT(sink_.names(), UnorderedElementsAre("dev/t", "dev/on"));
  EXPECT_EQ(sink_.info("dev/t")->unit, "°C");
  EXPECT_EQ(sink_.info("dev/t")->expected_interval, Micros{1s});
  EXPECT_EQ(sink_.info("dev/on")->kind, SeriesKind::boolean);
  EXPECT_EQ(take(R"({"t": "warm", "none": 5})"), "dev/t: 'warm' is no number");
  EXPECT_EQ(sink_.last("dev/t")->reason, Reason::wrong_type);
  EXPECT_EQ(sink_.last("dev/none")->value, 5);
}

TEST_F(PointsOfRecords, ATextMayBeANumberNextTime) {
  make({});
  take(R"({"t": "n/a"})");
  EXPECT_TRUE(sink_.names().empty());
  take(R"({"t": 5})");
  EXPECT_EQ(sink_.last("dev/t")->value, 5);
}

TEST_F(PointsOfRecords, NamedOnesAreThereBeforeTheDeviceIsWhereTheirKindIsKnown) {
  FieldsRule rule;
  rule.every_leaf = false;
  FieldRule known{"temp", "a/t", {}}, unknown{"mode", "m", {}};
  known.value.kind = SeriesKind::number;
  rule.fields = {known, unknown};
  make(rule);
  EXPECT_THAT(sink_.names(), ElementsAre("dev/temp"));
  std::vector<Sample> samples;
  points_->lose(Reason::no_answer, kNow, samples);
  EXPECT_EQ(samples.size(), 1u);
  take(R"({"a": {"t": 1}, "m": "x", "other": 3})", true);
  EXPECT_THAT(sink_.names(), ElementsAre("dev/temp", "dev/mode"));
  EXPECT_EQ(sink_.info("dev/mode")->kind, SeriesKind::state);
  EXPECT_THAT(take(R"({"m": "x"})", true), HasSubstr("there is no 'a/t'"));
  EXPECT_EQ(sink_.last("dev/temp")->quality, Quality::bad);
  EXPECT_EQ(take(R"({"m": "x"})", false), "") << "it need not be whole";
}

TEST_F(PointsOfRecords, HaveTheRecordsOwnTime) {
  FieldsRule rule;
  rule.timestamp = TimestampRule{"at", TimeFormat::seconds};
  make(rule);
  take(R"({"v": 1, "at": 1772366390})", true);
  EXPECT_EQ(sink_.last("dev/v")->time, kNow - 10s);
  take(R"({"v": 2, "at": 1772366390})", true);
  EXPECT_EQ(sink_.samples("dev/v").size(), 1u) << "a whole record with the same time is the same";
  take(R"({"v": 2, "at": 1772366390})");
  EXPECT_EQ(sink_.samples("dev/v").size(), 2u) << "a line is not";
  take(R"({"v": 3})");
  EXPECT_EQ(sink_.last("dev/v")->reason, Reason::clock);
  EXPECT_EQ(sink_.names().size(), 1u) << "the time itself is no series";
}

TEST_F(PointsOfRecords, ThatMayHaveNoSeriesAreToldAndTheOthersRead) {
  sink_.limit_series(1);
  make({});
  EXPECT_THAT(take(R"({"a": 1, "b": 2})"), HasSubstr("has its 1 series already"));
  EXPECT_EQ(sink_.last("dev/a")->value, 1);
}

}  // namespace
}  // namespace tidegate::drivers
