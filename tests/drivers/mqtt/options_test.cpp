#include "drivers/mqtt/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "tests/drivers/section.h"

namespace tidegate::drivers::mqtt {
namespace {

using ::testing::HasSubstr;

std::string problems_of_source(const std::string& options) {
  FakeClock clock;
  Metrics metrics;
  std::string why;
  const auto driver =
      test::make_driver("{name: f, type: mqtt, broker: \"mqtt://x\", " + options + "}", clock, metrics, why);
  EXPECT_EQ(driver == nullptr, !why.empty());
  return why;
}
std::string problems_of(const std::string& subscription) {
  return problems_of_source("subscriptions: [" + subscription + "]");
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

TEST(MqttOptions, OfProfilesAreChecked) {
  EXPECT_EQ(problems_of_source("profile: [tasmota, sparkplug], sparkplug: {host_id: tidegate}"), "");
  EXPECT_EQ(problems_of_source("profile: homie, base_topic: devices/homie"), "");
  EXPECT_THAT(problems_of_source("profile: zigbe2mqtt"), HasSubstr("zigbee2mqtt"));
  EXPECT_THAT(problems_of_source("profile: [auto, tasmota]"), HasSubstr("'auto' is all of them"));
  EXPECT_THAT(problems_of_source("profile: tasmota, base_topic: x"), HasSubstr("'base_topic' is of one profile"));
  EXPECT_THAT(problems_of_source("profile: homie, base_topic: \"a/#\""), HasSubstr("letters, digits"));
  EXPECT_THAT(problems_of_source("profile: tasmota, sparkplug: {}"), HasSubstr("'profile: sparkplug' only"));
  EXPECT_THAT(problems_of_source("profile: sparkplug, sparkplug: {host_id: a}, will: {topic: a, payload: b}"),
              HasSubstr("has a last will already"));
  EXPECT_THAT(problems_of_source("profile: tasmota, share: a/b"), HasSubstr("a group is one level"));
  EXPECT_THAT(problems_of_source("version: \"5\""), HasSubstr("no subscription and no profile"));
  EXPECT_THAT(problems_of("{topic: a, payload: {format: json, precision: s}}"), HasSubstr("line_protocol"));
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
