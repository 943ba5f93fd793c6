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
  EXPECT_EQ(problems_of("{topic: a, payload: {format: number, unit: W}}"), "");
  EXPECT_THAT(problems_of("{topic: a, payload: {format: number, units: {\"#\": W}}}"),
              HasSubstr("'units' is of payloads with fields: 'format: number' is one value; its unit is `unit`"));
  EXPECT_THAT(problems_of("{topic: a, payload: {format: text, ignore: [\"#\"]}}"),
              HasSubstr("'ignore' is of payloads"));
  EXPECT_THAT(problems_of("{topic: a, payload: {format: text, fields: {t: /t}}}"),
              HasSubstr("'fields' is of payloads"));
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

/// Of a point at /x with that `writable`.
std::string problems_of_writable(const std::string& writable, const std::string& point = "kind: boolean",
                                 const std::string& topic = "a") {
  return problems_of("{topic: \"" + topic + "\", payload: {fields: {x: {" + point + ", writable: {" + writable +
                     "}}}}}");
}

TEST(MqttOptions, OfPointsThatCanBeSetAreChecked) {
  EXPECT_EQ(problems_of_writable("topic: a/set"), "");
  EXPECT_EQ(problems_of_writable("topic: a/set, min: 0, max: 5, interlock: b/c", "kind: number"), "");
  EXPECT_EQ(problems_of_writable("topic: a/set, states: [heat, \"off\"]", "kind: state"), "");
  EXPECT_EQ(problems_of("{topic: a, payload: {format: number, writable: {topic: a/set, min: 0, max: 5}}}"), "");
  EXPECT_EQ(problems_of("{topic: a, payload: {also: {x: {kind: boolean, writable: {topic: a/set}}}}}"), "");
  for (const auto& [wrong, expected] : std::vector<std::pair<std::string, const char*>>{
           {problems_of_writable("payload: x"), "say with {value}"},
           {problems_of_writable(""), "topic"},
           {problems_of_writable("topic: \"a/+\""), "no topic to publish to"},
           {problems_of_writable("topic: a"), "take its own words for the device's"},
           {problems_of_writable("topic: b", "kind: boolean", "a/{device}"), "is of one topic"},
           {problems_of_writable("topic: b", "unit: x"), "say its kind"},
           {problems_of_writable("topic: b", "kind: number"), "needs its min and max"},
           {problems_of_writable("topic: b", "kind: state"), "needs words"},
           {problems_of_writable("topic: b, states: [x]", "enum: {1: z}"), "without an enum"},
           {problems_of_writable("topic: b, timeout: 1m"), "30s"},
           {problems_of("{topic: a, series: \"{name}/x\", name: /n, payload: {fields: {x: {kind: boolean, "
                        "writable: {topic: b}}}}}"),
            "before a message says it"},
           {problems_of("{topic: a, availability: {}, payload: {kind: boolean, writable: {topic: b}}}"),
            "no point is read"},
           {problems_of_source("share: g, subscriptions: [{topic: a, payload: {kind: boolean, writable: {topic: b}}}]"),
            "shares no messages"}}) {
    EXPECT_THAT(wrong, HasSubstr(expected));
  }
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
