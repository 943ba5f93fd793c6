#include "gateway/core/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Pattern pattern(std::string_view text) {
  auto parsed = Pattern::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().text);
  return parsed.value();
}

std::string refusal(std::string_view text) {
  const auto parsed = Pattern::parse(text);
  return parsed ? "accepted" : parsed.error().text;
}

TEST(Pattern, ALiteralNamesOneSeries) {
  const Pattern p = pattern("boiler1/temperature");
  EXPECT_TRUE(p.literal());
  EXPECT_FALSE(p.anonymous_wildcard());
  EXPECT_TRUE(p.matches("boiler1/temperature"));
  EXPECT_FALSE(p.matches("boiler1"));
  EXPECT_FALSE(p.matches("boiler1/temperature/raw"));
  EXPECT_FALSE(p.matches("boiler2/temperature"));
}

TEST(Pattern, PlusIsOneLevel) {
  const Pattern p = pattern("+/temperature");
  EXPECT_TRUE(p.anonymous_wildcard());
  EXPECT_FALSE(p.literal());
  EXPECT_TRUE(p.matches("boiler1/temperature"));
  EXPECT_FALSE(p.matches("hall/boiler1/temperature"));
  EXPECT_FALSE(p.matches("temperature"));
}

TEST(Pattern, HashIsAllTheRestAndNothingToo) {
  EXPECT_TRUE(pattern("#").matches("a/b/c"));
  const Pattern p = pattern("hall/#");
  EXPECT_TRUE(p.matches("hall"));
  EXPECT_TRUE(p.matches("hall/boiler1/temperature"));
  EXPECT_FALSE(p.matches("hallway/boiler1"));
}

TEST(Pattern, CapturesWhatALevelIs) {
  const Pattern p = pattern("{site}/{device}/temperature");
  const std::string name = "hall/boiler1/temperature";
  EXPECT_THAT(p.match(name).value(), ElementsAre(Pair("site", "hall"), Pair("device", "boiler1")));
  EXPECT_FALSE(p.match("hall/boiler1/pressure"));
  EXPECT_FALSE(p.anonymous_wildcard());
  EXPECT_THAT(p.capture_names(), ElementsAre("site", "device"));
}

TEST(Pattern, OfOneNameAloneItCapturesTheSame) {
  const Pattern p = pattern("{site}/+/temperature").only("hall/boiler1/temperature");
  const std::string name = "hall/boiler1/temperature";
  EXPECT_THAT(p.match(name).value(), ElementsAre(Pair("site", "hall")));
  EXPECT_FALSE(p.matches("hall/boiler2/temperature"));
  EXPECT_FALSE(pattern("{site}/x").only(name).matches(name));
  EXPECT_EQ(p.text(), "{site}/+/temperature");
}

TEST(Pattern, CapturesAllTheRest) {
  const Pattern p = pattern("zigbee2mqtt/{path...}");
  EXPECT_THAT(p.match("zigbee2mqtt/kitchen/sensor").value(), ElementsAre(Pair("path", "kitchen/sensor")));
  EXPECT_THAT(p.match("zigbee2mqtt/kitchen").value(), ElementsAre(Pair("path", "kitchen")));
  EXPECT_FALSE(p.match("zigbee2mqtt"));
  EXPECT_FALSE(p.match("zigbee2mqtt/"));
}

TEST(Pattern, CapturesWithinALevel) {
  const Pattern p = pattern("sensor-{id}.raw/value");
  EXPECT_THAT(p.match("sensor-17.raw/value").value(), ElementsAre(Pair("id", "17")));
  EXPECT_FALSE(p.match("sensor-.raw/value"));
  EXPECT_FALSE(p.match("sensor-17/value"));
  EXPECT_FALSE(p.match("sensor-17.raw"));
}

TEST(Pattern, PrefixAndSuffixOfALevelMayNotOverlap) {
  const Pattern p = pattern("ab{x}ba");
  EXPECT_FALSE(p.match("aba"));
  EXPECT_FALSE(p.match("abba"));
  EXPECT_THAT(p.match("abcba").value(), ElementsAre(Pair("x", "c")));
}

TEST(Pattern, ACaptureIsNeverEmpty) {
  EXPECT_FALSE(pattern("{device}/t").match("/t"));
  EXPECT_TRUE(pattern("+/t").matches("/t"));
}

TEST(Pattern, WithLeadingSlashMatchesSuchTopics) {
  EXPECT_TRUE(pattern("/home/{room}").match("/home/kitchen"));
  EXPECT_FALSE(pattern("/home/{room}").match("home/kitchen"));
}

TEST(Pattern, BecomesAnMqttFilterThatIsAtLeastAsWide) {
  EXPECT_EQ(pattern("zigbee2mqtt/{device}").mqtt_filter(), "zigbee2mqtt/+");
  EXPECT_EQ(pattern("a/{rest...}").mqtt_filter(), "a/#");
  EXPECT_EQ(pattern("shelly-{id}/+/#").mqtt_filter(), "+/+/#");
  EXPECT_EQ(pattern("/a/b").mqtt_filter(), "/a/b");
}

TEST(Pattern, ErrorsNameTheLevelAndSayWhatIsAllowed) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("a/#/b"), HasSubstr("last level"));
  EXPECT_THAT(refusal("a/b+/c"), AllOf(HasSubstr("'b+'"), HasSubstr("{name}")));
  EXPECT_THAT(refusal("a/{device"), HasSubstr("'{device'"));
  EXPECT_THAT(refusal("a/device}"), HasSubstr("'device}'"));
  EXPECT_THAT(refusal("a/}{"), HasSubstr("braces"));
  EXPECT_THAT(refusal("{a}{b}"), HasSubstr("one capture"));
  EXPECT_THAT(refusal("{}/x"), HasSubstr("letters"));
  EXPECT_THAT(refusal("{1a}/x"), HasSubstr("letters"));
  EXPECT_THAT(refusal("{a b}/x"), HasSubstr("letters"));
  EXPECT_THAT(refusal("{rest...}/x"), HasSubstr("last level"));
  EXPECT_THAT(refusal("a/x{rest...}"), HasSubstr("whole last level"));
  EXPECT_THAT(refusal("{a}/{a}"), HasSubstr("twice"));
  EXPECT_THAT(refusal("a\nb"), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal("a\xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal(std::string(70'000, 'a')), HasSubstr("longer"));
}

TEST(Template, RendersNamesAndBraces) {
  const auto t = Template::parse("{{{device}}} is at {value} {unit}", {}).value();
  const auto lookup = [](std::string_view name) -> std::optional<std::string> {
    if (name == "device") return "boiler1";
    if (name == "value") return "93.2";
    return std::nullopt;
  };
  EXPECT_EQ(t.render(lookup), "{boiler1} is at 93.2 ?");
  EXPECT_THAT(t.names(), ElementsAre("device", "value", "unit"));
}

TEST(Template, OfPlainTextIsThatText) {
  const auto t = Template::parse("no places", {"device"}).value();
  EXPECT_EQ(t.render([](std::string_view) { return std::optional<std::string>(); }), "no places");
  EXPECT_TRUE(t.names().empty());
}

TEST(Template, RefusesANameThatIsNotAllowedAndNamesTheNearest) {
  const auto t = Template::parse("{devise}", {"device", "value"});
  ASSERT_FALSE(t);
  EXPECT_THAT(t.error().text, AllOf(HasSubstr("{devise}"), HasSubstr("did you mean 'device'?"), HasSubstr("{value}")));
}

TEST(Template, RefusesBracesWithoutPartner) {
  for (const char* wrong : {"{", "}", "{device", "device}", "{}", "a {device}}", "{{device}"}) {
    EXPECT_FALSE(Template::parse(wrong, {})) << wrong;
  }
}

}  // namespace
}  // namespace tidegate
