// What a Zigbee2MQTT bridge says of its devices, in the form in which it publishes it.

#include "drivers/mqtt/zigbee2mqtt.h"

#include <gmock/gmock.h>

#include "tests/drivers/mqtt/readers_fixture.h"

namespace tidegate::drivers::mqtt {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kCoordinator =
    R"({"disabled":false,"endpoints":{"1":{"bindings":[],"clusters":{"input":[],"output":[]},"configured_reportings":[],)"
    R"("scenes":[]}},"friendly_name":"Coordinator","ieee_address":"0x00124b0022a1b2c3","interview_completed":true,)"
    R"("interviewing":false,"network_address":0,"supported":true,"type":"Coordinator","definition":null})";

constexpr const char* kFreezer =
    R"({"date_code":"20191022","definition":{"description":"Temperature and humidity sensor","exposes":[)"
    R"({"access":1,"category":"diagnostic","description":"Remaining battery in %, can take up to 24 hours before )"
    R"(reported","label":"Battery","name":"battery","property":"battery","type":"numeric","unit":"%","value_max":100,)"
    R"("value_min":0},{"access":1,"description":"Measured temperature value","label":"Temperature","name":)"
    R"("temperature","property":"temperature","type":"numeric","unit":"°F"},{"access":1,"description":)"
    R"("Voltage of the battery in millivolts","label":"Voltage","name":"voltage","property":"voltage","type":)"
    R"("numeric","unit":"mV"}],"model":"WSDCGQ11LM","options":[{"access":2,"name":"temperature_calibration",)"
    R"("property":"temperature_calibration","type":"numeric","unit":"no"}],"supports_ota":false,"vendor":"Aqara"},)"
    R"("disabled":false,"endpoints":{"1":{}},"friendly_name":"freezer","ieee_address":"0x00158d0001a2b3c4",)"
    R"("interview_completed":true,"model_id":"lumi.weather","power_source":"Battery","supported":true,"type":"EndDevice"})";

/// What is exposed in brackets, under other words than on and off, and within an object.
constexpr const char* kHall =
    R"({"definition":{"exposes":[{"features":[{"access":7,"description":"On/off state of the switch","name":"state",)"
    R"("property":"state_l1","type":"binary","value_off":"OFF","value_on":"ON","value_toggle":"TOGGLE"}],"type":)"
    R"("switch","endpoint":"l1"},{"access":3,"description":"Enables the lock","name":"child_lock","property":)"
    R"("child_lock","type":"binary","value_off":"UNLOCK","value_on":"LOCK"},{"features":[{"access":3,"name":"state",)"
    R"("property":"state","type":"enum","values":["OPEN","CLOSE","STOP"]},{"access":7,"description":"Position of it",)"
    R"("name":"position","property":"position","type":"numeric","unit":"%"}],"type":"cover"},{"access":1,)"
    R"("description":"How it moves","name":"motor","property":"motor_state","type":"enum","values":["up","down"]},)"
    R"({"access":2,"name":"identify","property":"identify","type":"enum","values":["identify"]},)"
    R"({"access":7,"features":[{"access":7,"name":"x","property":"x","type":"numeric"},{"access":7,"description":)"
    R"("Its y","name":"y","property":"y","type":"numeric","unit":"cd"}],"name":"color_xy","property":"color","type":)"
    R"("composite"}],"model":"X","vendor":"Y"},"disabled":false,"friendly_name":"hall/shutter","type":"Router"})";

constexpr const char* kUnsupported =
    R"({"definition":null,"disabled":false,"friendly_name":"0x00158d00099999","supported":false,"type":"EndDevice"})";

std::string list(std::initializer_list<const char*> devices) {
  std::string text = "[";
  for (const char* device : devices) text += (text.size() > 1 ? "," : "") + std::string(device);
  return text + "]";
}

TEST(ZigbeeDevices, AreReadWithWhatTheyExpose) {
  const auto devices = read_zigbee_devices(list({kCoordinator, kFreezer, kHall, kUnsupported}));
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->size(), 4u);
  const KnownPoints& freezer = devices->at("freezer");
  EXPECT_EQ(freezer.size(), 3u) << "options are no values";
  EXPECT_EQ(freezer.at("temperature").unit, "°F");
  EXPECT_EQ(freezer.at("temperature").description, "Measured temperature value");
  EXPECT_FALSE(freezer.at("temperature").kind);
  const KnownPoints& hall = devices->at("hall/shutter");
  EXPECT_EQ(hall.at("child_lock"), (KnownPoint{SeriesKind::boolean, "", "Enables the lock", "LOCK", "UNLOCK"}));
  EXPECT_EQ(hall.at("state_l1").on, "ON");
  EXPECT_EQ(hall.at("state").kind, SeriesKind::state);
  EXPECT_EQ(hall.at("color/y").unit, "cd");
  EXPECT_THAT(hall, Not(Contains(Pair("identify", ::testing::_)))) << "a device's state does not hold it";
  EXPECT_THAT(devices->at("0x00158d00099999"), IsEmpty());
}

TEST(ZigbeeDevices, AreNoneWhereTheyAreDisabledOrNoDevices) {
  const auto devices = read_zigbee_devices(
      R"([1, null, [], {}, {"friendly_name":""}, {"friendly_name":7}, {"friendly_name":"off","disabled":true},)"
      R"({"friendly_name":"a","definition":[]}, {"friendly_name":"b","definition":{"exposes":{}}},)"
      R"({"friendly_name":"c","definition":{"exposes":[1,{"property":3},{"features":7},{"property":"p","unit":1}]}}])");
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->size(), 3u);
  EXPECT_EQ(devices->at("c").size(), 1u);
}

TEST(ZigbeeDevices, AreRefusedInWordsWhereTheMessageIsNoList) {
  for (const char* text : {"", "{}", "[", "nonsense", "[\"\xff\"]"}) {
    const auto devices = read_zigbee_devices(text);
    ASSERT_FALSE(devices) << text;
    EXPECT_EQ(devices.error().text, "no list of devices in JSON");
  }
  EXPECT_THAT(read_zigbee_devices(std::string(5 << 20, ' ')).error().text, HasSubstr("5242880 bytes; at most"));
  EXPECT_FALSE(read_zigbee_devices(std::string(100'000, '[')));
  std::string deep = R"([{"friendly_name":"d","definition":{"exposes":)";
  for (int i = 0; i < 1000; ++i) deep += R"([{"features":)";
  deep += "[]";
  for (int i = 0; i < 1000; ++i) deep += "}]";
  const auto devices = read_zigbee_devices(deep + "}}]");
  ASSERT_TRUE(devices);
  EXPECT_THAT(devices->at("d"), IsEmpty());
}

class Zigbee2MqttTest : public ReadersTest {
 protected:
  Zigbee2MqttTest() { use("profile: zigbee2mqtt"); }
  void devices(std::initializer_list<const char*> those) { take("zigbee2mqtt/bridge/devices", list(those), true); }
};

TEST_F(Zigbee2MqttTest, GivesPointsTheirUnitsWordsAndDescriptions) {
  devices({kCoordinator, kFreezer, kHall});
  take("zigbee2mqtt/freezer", R"({"battery":97,"temperature":-1.5,"voltage":3005,"linkquality":134})");
  EXPECT_EQ(last("freezer/temperature"), "-1.5 °F") << "the bridge's unit, and not the usual one";
  EXPECT_EQ(last("freezer/voltage"), "3005 mV");
  EXPECT_EQ(last("freezer/linkquality"), "134 lqi") << "not exposed: the usual one";
  EXPECT_EQ(sink.info("freezer/temperature")->labels, (Labels{{"description", "Measured temperature value"}}));
  take(
      "zigbee2mqtt/hall/shutter",
      R"({"state":"OPEN","position":40,"child_lock":"UNLOCK","motor_state":"up","state_l1":"ON","color":{"x":1,"y":2}})");
  EXPECT_EQ(last("hall/shutter/state"), "OPEN");
  EXPECT_EQ(last("hall/shutter/child_lock"), "0");
  EXPECT_EQ(sink.info("hall/shutter/child_lock")->kind, SeriesKind::boolean);
  EXPECT_EQ(last("hall/shutter/motor_state"), "up");
  EXPECT_EQ(last("hall/shutter/state_l1"), "1");
  EXPECT_EQ(last("hall/shutter/color/y"), "2 cd");
  take("zigbee2mqtt/hall/shutter", R"({"child_lock":"LOCK"})");
  EXPECT_EQ(last("hall/shutter/child_lock"), "1");
  EXPECT_THAT(sink.rejected(), IsEmpty());
}

TEST_F(Zigbee2MqttTest, KnowsBetterLater) {
  take("zigbee2mqtt/freezer", R"({"temperature":-18.5,"voltage":null})");
  EXPECT_EQ(last("freezer/temperature"), "-18.5 °C");
  devices({kFreezer});
  take("zigbee2mqtt/freezer", R"({"temperature":null})");  // that says nothing of what it is
  take("zigbee2mqtt/freezer/availability", R"({"state":"offline"})");
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer") << "whatever was learned of it";
  take("zigbee2mqtt/freezer/availability", R"({"state":"online"})");
  take("zigbee2mqtt/freezer", R"({"temperature":-1.5,"voltage":3005})");
  EXPECT_EQ(last("freezer/temperature"), "-1.5 °F");
  EXPECT_EQ(last("freezer/voltage"), "3005 mV");
}

TEST_F(Zigbee2MqttTest, ADeviceThatLeftTheNetworkHasBadPoints) {
  devices({kFreezer, kHall});
  take("zigbee2mqtt/freezer", R"({"temperature":-1.5})");
  take("zigbee2mqtt/hall/shutter", R"({"position":40})");
  take("zigbee2mqtt/all_lights", R"({"brightness":254})");  // a group is in no list
  devices({kHall});
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
  EXPECT_EQ(last("hall/shutter/position"), "40 %");
  EXPECT_EQ(last("all_lights/brightness"), "254");
  EXPECT_EQ(findings(), "zigbee2mqtt (3 devices, 1 offline: freezer)");
  take("zigbee2mqtt/freezer", R"({"temperature":-1.5})", true);
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer") << "what the broker kept of it";
  devices({kFreezer, kHall});
  take("zigbee2mqtt/freezer", R"({"temperature":-2})");
  EXPECT_EQ(last("freezer/temperature"), "-2 °F");
  EXPECT_EQ(findings(), "zigbee2mqtt (3 devices)");
}

TEST_F(Zigbee2MqttTest, ItsAvailabilityIsJsonOrAWord) {
  for (const auto& [offline, online] : std::vector<std::pair<std::string, std::string>>{
           {R"({"state":"offline"})", R"({"state":"online"})"}, {"offline", "online"}}) {
    for (const std::string name : {"freezer", "hall/shutter"}) {
      take("zigbee2mqtt/" + name, R"({"position":40})");
      take("zigbee2mqtt/" + name + "/availability", offline, true);
      EXPECT_EQ(last(name + "/position"), "bad no_answer") << offline;
      take("zigbee2mqtt/" + name + "/availability", online, true);
      take("zigbee2mqtt/" + name, R"({"position":41})");
      EXPECT_EQ(last(name + "/position"), "41 %") << online;
    }
  }
  EXPECT_THAT(sink.rejected(), IsEmpty());
}

TEST_F(Zigbee2MqttTest, ABridgeThatIsAwayIsToldOf) {
  take("zigbee2mqtt/freezer", R"({"temperature":-1.5})");
  take("zigbee2mqtt/bridge/state", R"({"state":"offline"})", true);
  bool offline = false;
  EXPECT_EQ(readers->findings(offline), "zigbee2mqtt (1 device, all offline: zigbee2mqtt/bridge/state says so)");
  EXPECT_TRUE(offline);
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
  // A device that is heard of for the first time now is no healthier.
  take("zigbee2mqtt/oven", R"({"temperature":180})");
  EXPECT_EQ(last("oven/temperature"), "uncertain no_answer 180 °C");
  take("zigbee2mqtt/bridge/state", R"({"state":"online"})", true);
  take("zigbee2mqtt/oven", R"({"temperature":181})");
  EXPECT_EQ(last("oven/temperature"), "181 °C");
}

TEST_F(Zigbee2MqttTest, AListThatCannotBeReadIsShownAndChangesNothing) {
  devices({kFreezer});
  take("zigbee2mqtt/bridge/devices", "nonsense");
  EXPECT_EQ(refused(), "no list of devices in JSON");
  take("zigbee2mqtt/freezer", R"({"temperature":-1.5})");
  EXPECT_EQ(last("freezer/temperature"), "-1.5 °F");
}

TEST_F(Zigbee2MqttTest, IsAskedForItsDevicesFirst) {
  const auto described = readers->descriptions();
  ASSERT_EQ(described.size(), 1u);
  EXPECT_EQ(described[0].filter, "zigbee2mqtt/bridge/devices");
  use("profile: zigbee2mqtt, base_topic: home/z2m");
  take("home/z2m/bridge/devices", list({kFreezer}), true);
  take("home/z2m/freezer", R"({"temperature":-1.5})");
  EXPECT_EQ(last("freezer/temperature"), "-1.5 °F");
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
