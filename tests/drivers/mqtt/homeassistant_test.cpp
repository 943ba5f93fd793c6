// Home Assistant's discovery, with messages of the forms that its documentation shows.

#include <gmock/gmock.h>

#include "drivers/mqtt/homeassistant/value_template.h"
#include "gateway/core/text.h"
#include "tests/drivers/mqtt/readers_fixture.h"

namespace tidegate::drivers::mqtt {
namespace {

using homeassistant::ValueTemplate;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What the template makes of a payload, as text; "nothing", or "error: why".
std::string made(std::string_view text, std::string_view payload) {
  const auto parsed = ValueTemplate::parse(text);
  if (!parsed) return "error: " + parsed.error().text;
  Decoder decoder({});
  const auto leaves = decoder.decode(payload, Format::automatic);
  const auto value = parsed->value(payload, *leaves);
  return std::holds_alternative<std::monostate>(value) ? "nothing" : homeassistant::text_of(value);
}

TEST(ValueTemplate, ReadsTheCommonKinds) {
  constexpr const char* kJson =
      R"({"temperature":21.54,"a":{"b":[1,{"c":"7"}]},"on":true,"text":"Open","zero":0,"none":null,"with space":3})";
  EXPECT_EQ(made("{{ value }}", "on"), "on");
  EXPECT_EQ(made("{{value|float}}", " 21.5 "), "21.5");
  EXPECT_EQ(made("{{ value_json.temperature }}", kJson), "21.54");
  EXPECT_EQ(made("{{ value_json['temperature'] }}", kJson), "21.54");
  EXPECT_EQ(made("{{ value_json[\"with space\"] }}", kJson), "3");
  EXPECT_EQ(made("{{ value_json.a.b[1]['c'] | int }}", kJson), "7");
  EXPECT_EQ(made("{{- value_json.a.b[0] -}}", kJson), "1");
  EXPECT_EQ(made("{{ value_json.temperature | round(1) }}", kJson), "21.5");
  EXPECT_EQ(made("{{ (value_json.temperature | float * 1.8 + 32) | round(2) }}", kJson), "70.77");
  EXPECT_EQ(made("{{ value_json.temperature / 10 - -1 }}", kJson), "3.154");
  EXPECT_EQ(made("{{ value_json.on }}", kJson), "True");
  EXPECT_EQ(made("{{ value_json.text | lower }}", kJson), "open");
  EXPECT_EQ(made("{{ 'ON' if value_json.zero == 0 else 'OFF' }}", kJson), "ON");
  EXPECT_EQ(made("{{ 'ON' if value_json.on else 'OFF' }}", kJson), "ON");
  EXPECT_EQ(made("{{ value_json.zero if value_json.zero is defined }}", kJson), "0");
  EXPECT_EQ(made("{{ value_json.none }}", kJson), "None");
  EXPECT_EQ(made("{{ value_json.missing }}", kJson), "nothing");
  EXPECT_EQ(made("{{ value_json.missing | is_defined }}", kJson), "nothing");
  EXPECT_EQ(made("{{ value_json.missing | float }}", kJson), "nothing");
  EXPECT_EQ(made("{{ value_json.missing | float(0) }}", kJson), "0");
  EXPECT_EQ(made("{{ value_json.missing | default('x') }}", kJson), "x");
  EXPECT_EQ(made("{{ value_json.text | float(default=5) }}", kJson), "5");
  EXPECT_EQ(made("{{ value_json.text | float }}", kJson), "nan");
  EXPECT_EQ(made("{{ value_json.text * 2 }}", kJson), "nan");
  EXPECT_EQ(made("{{ 7 % 3 }}", ""), "1");
}

TEST(ValueTemplate, TellsWhatItDoesNotUnderstand) {
  for (const char* text :
       {"{{ states('sensor.x') }}", "{% if value == 'a' %}1{% endif %}", "{{ value_json.x }} {{ value_json.y }}",
        "{{ value | regex_replace('a', 'b') }}", "{{ value_json.x.split(',')[0] }}", "value", "{{ }}", "{{ value | }}",
        "{{ (value }}", "{{ value_json[x] }}", "{{ 2 ** 3 }}", "{{ now() }}", "{{ value ~ 'x' }}", "{{ 'a\\'b' }}"}) {
    EXPECT_THAT(made(text, "1"), HasSubstr("error: ")) << text;
  }
  EXPECT_EQ(made("{{ value_json.x | from_json }}", "1"), "error: not understood from 'from_json ' on");
  EXPECT_THAT(made("{{ " + std::string(1000, '(') + " }}", "1"), HasSubstr("error: "));
  EXPECT_THAT(made("{{ " + std::string(1000, '-') + "1 }}", "1"), HasSubstr("error: "));
}

class HomeAssistantTest : public ReadersTest {
 protected:
  HomeAssistantTest() { use("profile: homeassistant"); }
};

TEST_F(HomeAssistantTest, ReadsWhatIsAnnounced) {
  take(
      "homeassistant/sensor/0x00158d0001/temperature/config",
      R"({"availability":[{"topic":"zigbee2mqtt/bridge/state","value_template":"{{ value_json.state }}"},)"
      R"({"topic":"zigbee2mqtt/freezer/availability","value_template":"{{ value_json.state }}"}],"availability_mode":"all",)"
      R"("device":{"identifiers":["zigbee2mqtt_0x00158d0001"],"manufacturer":"Aqara","name":"Freezer"},)"
      R"("device_class":"temperature","enabled_by_default":true,"object_id":"freezer_temperature","state_class":"measurement",)"
      R"("state_topic":"zigbee2mqtt/freezer","unique_id":"0x00158d0001_temperature","unit_of_measurement":"°C",)"
      R"("value_template":"{{ value_json.temperature }}"})",
      true);
  take(
      "homeassistant/binary_sensor/0x00158d0001/contact/config",
      R"({"device":{"identifiers":["zigbee2mqtt_0x00158d0001"],"name":"Freezer"},"device_class":"door","payload_off":true,)"
      R"("payload_on":false,"state_topic":"zigbee2mqtt/freezer","value_template":"{{ value_json.contact }}","name":"Door"})",
      true);
  EXPECT_THAT(outbox.filters, Contains("zigbee2mqtt/freezer"));
  EXPECT_THAT(outbox.filters, Contains("zigbee2mqtt/freezer/availability"));
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37,"contact":false})");
  EXPECT_EQ(last("Freezer/temperature"), "-18.37 °C");
  EXPECT_EQ(last("Freezer/Door"), "1");
  EXPECT_EQ(sink.info("Freezer/Door")->kind, SeriesKind::boolean);
  take("zigbee2mqtt/freezer/availability", R"({"state":"offline"})");
  EXPECT_EQ(last("Freezer/temperature"), "bad no_answer");
  EXPECT_EQ(last("Freezer/Door"), "1");  // it has no availability
  EXPECT_EQ(findings(), "homeassistant (1 device, 1 offline: Freezer)");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.4})", true);
  EXPECT_EQ(last("Freezer/temperature"), "bad no_answer");
  take("zigbee2mqtt/freezer/availability", R"({"state":"online"})");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.5})");
  EXPECT_EQ(last("Freezer/temperature"), "-18.5 °C");
  EXPECT_THAT(sink.rejected(), IsEmpty());
}

TEST_F(HomeAssistantTest, ReadsShortKeysAndABaseTopic) {
  take(
      "homeassistant/sensor/DVES_83BBE8_ENERGY_Total/config",
      R"({"~":"tele/pump/","name":"Energy Total","stat_t":"~SENSOR","avty_t":"~LWT","pl_avail":"Online",)"
      R"("pl_not_avail":"Offline","uniq_id":"DVES_83BBE8_ENERGY_Total","dev":{"ids":["DVES_83BBE8"],"name":"Pump"},)"
      R"("unit_of_meas":"kWh","stat_cla":"total_increasing","dev_cla":"energy","val_tpl":"{{value_json['ENERGY']['Total']}}"})",
      true);
  take("tele/pump/SENSOR", R"({"Time":"2026-03-01T12:00:00","ENERGY":{"Total":12.345}})");
  EXPECT_EQ(last("Pump/Energy Total"), "12.345 kWh");
  EXPECT_EQ(sink.info("Pump/Energy Total")->kind, SeriesKind::counter);
  take("tele/pump/LWT", "Offline");
  EXPECT_EQ(last("Pump/Energy Total"), "bad no_answer");
}

TEST_F(HomeAssistantTest, ReadsADeviceInOneMessage) {
  take(
      "homeassistant/device/ea334450945afc/config",
      R"({"dev":{"ids":"ea334450945afc","name":"Kitchen","mf":"Bla electronics"},"o":{"name":"bla2mqtt"},"cmps":{)"
      R"("t":{"p":"sensor","device_class":"temperature","unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}",)"
      R"("unique_id":"temp01ae_t"},"h":{"p":"sensor","name":"Moisture","unit_of_measurement":"%","value_template":)"
      R"("{{ value_json.humidity }}","unique_id":"temp01ae_h"},"b":{"p":"button","command_topic":"x"}},)"
      R"("state_topic":"sensorBedroom/state","qos":2})",
      true);
  take("sensorBedroom/state", R"({"temperature":21.5,"humidity":44})");
  EXPECT_THAT(sink.names(), ::testing::UnorderedElementsAre("Kitchen/temperature", "Kitchen/Moisture"));
  EXPECT_EQ(last("Kitchen/Moisture"), "44 %");
  // A component that is not named any more is gone, and so is a device without a message.
  take("homeassistant/device/ea334450945afc/config",
       R"({"dev":{"ids":"ea334450945afc","name":"Kitchen"},"cmps":{"t":{"p":"sensor","device_class":"temperature",)"
       R"("unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}"},"h":{"p":"sensor"}},)"
       R"("state_topic":"sensorBedroom/state2"})");
  EXPECT_EQ(last("Kitchen/Moisture"), "bad no_answer");
  take("sensorBedroom/state2", R"({"temperature":22})");
  EXPECT_EQ(last("Kitchen/temperature"), "22 °C");
  take("homeassistant/device/ea334450945afc/config", "");
  EXPECT_EQ(last("Kitchen/temperature"), "bad no_answer");
}

TEST_F(HomeAssistantTest, TellsOfATemplateThatItDoesNotUnderstand) {
  take("homeassistant/sensor/x/config",
       R"({"name":"Odd","state_topic":"a/b","value_template":"{% set x = value %}{{ x }}","device":{"name":"Box"}})");
  EXPECT_THAT(refused(), HasSubstr("'Box/Odd' is left out: its value_template"));
  take("a/b", "1");
  EXPECT_THAT(sink.names(), IsEmpty());
  take("homeassistant/sensor/y/config", "[1]");
  EXPECT_EQ(refused(), "no JSON object");
}

TEST_F(HomeAssistantTest, NeverMixesTwoOfOneName) {
  take("homeassistant/sensor/a/config", R"({"name":"T","stat_t":"a/t","unit_of_meas":"°C","dev":{"name":"Box"}})");
  take("homeassistant/sensor/b/config", R"({"name":"T","stat_t":"b/t","unit_of_meas":"°C","dev":{"name":"Box"}})");
  EXPECT_THAT(refused(), HasSubstr("the name 'Box/T' is that of another entity (homeassistant/sensor/a/config)"));
  take("a/t", "1");
  take("b/t", "2");
  EXPECT_EQ(sink.samples("Box/T").size(), 1u);
}

TEST_F(HomeAssistantTest, AsksForATopicOnceHoweverOftenItIsAnnounced) {
  for (int i = 0; i < 100; ++i)
    take("homeassistant/sensor/a/config", R"({"name":"T","stat_t":"a/t","dev":{"name":"Box"}})");
  EXPECT_THAT(outbox.filters, ElementsAre("a/t"));
}

TEST_F(HomeAssistantTest, LeavesToAProfileWhatItReads) {
  use("profile: [zigbee2mqtt, homeassistant]");
  take("homeassistant/sensor/a/config", R"({"name":"T","stat_t":"zigbee2mqtt/freezer","dev":{"name":"Freezer"}})");
  EXPECT_THAT(outbox.filters, IsEmpty());
  take("zigbee2mqtt/freezer", R"({"temperature":-18})");
  EXPECT_THAT(sink.names(), ElementsAre("freezer/temperature"));
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
