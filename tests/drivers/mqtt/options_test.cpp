#include "drivers/mqtt/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "tests/drivers/section.h"

namespace tidegate::drivers::mqtt {
namespace {

using ::testing::HasSubstr;

std::string problems_of(const std::string& subscription) {
  FakeClock clock;
  Metrics metrics;
  std::string why;
  const auto driver = test::make_driver(
      "{name: f, type: mqtt, broker: \"mqtt://x\", subscriptions: [" + subscription + "]}", clock, metrics, why);
  EXPECT_EQ(driver == nullptr, !why.empty());
  return why;
}

TEST(MqttOptions, NeedOnlyATopic) { EXPECT_EQ(problems_of("{topic: \"z/{device}\"}"), ""); }

TEST(MqttOptions, PointAtWhatIsWrong) {
  EXPECT_THAT(problems_of("{topic: \"a/#/b\"}"), HasSubstr("test.yaml:1:"));
  EXPECT_THAT(problems_of("{topic: \"a/{device}\", series: \"{devise}/x\"}"), HasSubstr("device"));
  EXPECT_THAT(problems_of("{topic: a, payload: {fields: {t: temperature}}}"),
              HasSubstr("'temperature' is no JSON pointer (did you mean '/temperature'?)"));
  EXPECT_THAT(problems_of("{topic: a, payload: {timestamp: {pointer: head.ts}}}"),
              HasSubstr("(did you mean '/head/ts'?)"));
  EXPECT_THAT(problems_of("{topic: a, payload: {fields: {\"a+b\": /x}}}"),
              HasSubstr("cannot be part of a series' name"));
  EXPECT_THAT(problems_of("{topic: a, payload: {fields: {t: /x}, ignore: [z]}}"),
              HasSubstr("'ignore' has a meaning with 'fields: auto' only"));
  EXPECT_THAT(problems_of("{topic: a, payload: {timestamp: {format: seconds}}}"), HasSubstr("pointer"));
  EXPECT_THAT(problems_of(""), HasSubstr("no subscription"));
}

TEST(MqttOptions, OfTheSampleAreRight) {
  config::Problems problems;
  const std::filesystem::path file = std::filesystem::path(TIDEGATE_SOURCE_DIR) / "drivers/mqtt/sample.yaml";
  const auto shape =
      config::Shape::object("a file", {config::required("sources", config::Shape::list(source_shape()), "Sources.")});
  config::load(file, shape, config::References::system(), problems);
  EXPECT_EQ(problems.text(), "");
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
