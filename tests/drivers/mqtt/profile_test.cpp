// The profiles, with payloads of the forms that the devices' documentation shows.

#include "drivers/mqtt/profile.h"

#include <gmock/gmock.h>

#include "gateway/core/text.h"
#include "tests/drivers/mqtt/readers_fixture.h"

namespace tidegate::drivers::mqtt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ReadersTest, EveryWrittenProfileIsRight) {
  for (const std::string& name : written_profiles()) {
    config::Problems problems;
    auto node = config::parse("{broker: \"mqtt://x\", profile: " + name + "}", "t.yaml", ".",
                              config::References::system(), problems);
    config::check(node, shape(), problems);
    const auto made = read_options(node, "field", problems);
    EXPECT_EQ(problems.text(), "") << name;
    EXPECT_FALSE(made.subscriptions.empty()) << name;
    for (const auto& rule : made.subscriptions) EXPECT_EQ(rule.style, name);
  }
}

TEST_F(ReadersTest, ReadsZigbee2Mqtt) {
  use("profile: zigbee2mqtt");
  take("zigbee2mqtt/bridge/state", R"({"state":"online"})", true);
  take("zigbee2mqtt/bridge/info", R"({"version":"1.33.0","log_level":"info"})", true);
  take("zigbee2mqtt/freezer/availability", R"({"state":"online"})", true);
  take(
      "zigbee2mqtt/freezer",
      R"({"battery":97,"humidity":44.91,"linkquality":134,"temperature":-18.37,"last_seen":"2026-03-01T13:59:58+02:00",)"
      R"("update":{"installed_version":33,"state":"idle"}})");
  take("zigbee2mqtt/plug", R"({"state":"ON","power":12.5,"energy":3.25,"child_lock":"UNLOCK"})");
  take("zigbee2mqtt/plug/set", R"({"state":"OFF"})");
  take("zigbee2mqtt/kitchen/button", R"({"action":"single","battery":80})");
  EXPECT_EQ(last("freezer/temperature"), "-18.37 °C");
  EXPECT_EQ(last("freezer/battery"), "97 %");
  EXPECT_EQ(sink.last("freezer/temperature")->time, now - std::chrono::seconds(2));
  EXPECT_EQ(last("plug/state"), "1");
  EXPECT_EQ(last("plug/energy"), "3.25 kWh");
  EXPECT_EQ(sink.info("plug/energy")->kind, SeriesKind::counter);
  EXPECT_EQ(last("kitchen/button/action"), "single");
  EXPECT_THAT(sink.names(), Not(Contains(HasSubstr("update"))));
  EXPECT_THAT(sink.names(), Not(Contains(HasSubstr("bridge"))));
  EXPECT_EQ(findings(), "zigbee2mqtt (3 devices)");
}

TEST_F(ReadersTest, ADeviceThatIsAwayHasBadPoints) {
  use("profile: zigbee2mqtt");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37})");
  take("zigbee2mqtt/oven", R"({"temperature":180})");
  take("zigbee2mqtt/freezer/availability", R"({"state":"offline"})");
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
  EXPECT_EQ(last("oven/temperature"), "180 °C");
  EXPECT_EQ(findings(), "zigbee2mqtt (2 devices, 1 offline: freezer)");
  // What the broker keeps, and what the bridge says again of its memory.
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37})", true);
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37})");
  EXPECT_EQ(last("freezer/temperature"), "uncertain no_answer -18.37 °C");
  take("zigbee2mqtt/freezer/availability", R"({"state":"online"})");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.5})");
  EXPECT_EQ(last("freezer/temperature"), "-18.5 °C");
}

TEST_F(ReadersTest, ABridgeTakesItsDevicesWithIt) {
  use("profile: zigbee2mqtt");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37})");
  take("zigbee2mqtt/bridge/state", "offline");  // as it was before version 2
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
  EXPECT_EQ(findings(), "zigbee2mqtt (1 device, all offline: zigbee2mqtt/bridge/state says so)");
  take("zigbee2mqtt/bridge/state", "online");
  take("zigbee2mqtt/freezer", R"({"temperature":-18})");
  EXPECT_EQ(last("freezer/temperature"), "-18 °C");
}

TEST_F(ReadersTest, ABaseTopicTakesTheProfilesPlace) {
  use("profile: zigbee2mqtt, base_topic: home/z2m");
  take("home/z2m/freezer", R"({"temperature":-18.37})");
  EXPECT_EQ(last("freezer/temperature"), "-18.37 °C");
  take("home/z2m/freezer/availability", R"({"state":"offline"})");
  EXPECT_EQ(last("freezer/temperature"), "bad no_answer");
}

TEST_F(ReadersTest, ReadsTasmota) {
  use("profile: tasmota");
  take("tele/pump/LWT", "Online", true);
  take("tele/pump/SENSOR",
       R"({"Time":"2026-03-01T12:00:00","DS18B20":{"Id":"0000083E1F29","Temperature":70.3},"ENERGY":{"TotalStartTime":)"
       R"("2024-01-01T00:00:00","Total":12.345,"Yesterday":0.5,"Today":0.2,"Power":42,"ApparentPower":50,)"
       R"("ReactivePower":27,"Factor":0.84,"Voltage":231,"Current":0.22},"TempUnit":"F"})");
  take(
      "tele/pump/STATE",
      R"({"Time":"2026-03-01T12:00:00","Uptime":"0T00:35:12","UptimeSec":2112,"Heap":25,"SleepMode":"Dynamic","Sleep":50,)"
      R"("POWER":"ON","Wifi":{"AP":1,"SSId":"plant","Channel":6,"RSSI":88,"Signal":-56,"LinkCount":1}})");
  EXPECT_EQ(last("pump/DS18B20/Temperature"), "70.3 °F");
  EXPECT_EQ(last("pump/ENERGY/Total"), "12.345 kWh");
  EXPECT_EQ(sink.info("pump/ENERGY/Total")->kind, SeriesKind::counter);
  EXPECT_EQ(last("pump/ENERGY/Power"), "42 W");
  EXPECT_EQ(last("pump/POWER"), "1");
  EXPECT_EQ(last("pump/Wifi/Signal"), "-56 dBm");
  take("stat/pump/RESULT", R"({"POWER":"OFF"})");
  EXPECT_EQ(last("pump/POWER"), "0");
  EXPECT_THAT(sink.names(), Not(Contains(HasSubstr("Time"))));
  take("tele/pump/LWT", "Offline", true);
  EXPECT_EQ(last("pump/POWER"), "bad no_answer");
  EXPECT_EQ(last("pump/ENERGY/Power"), "bad no_answer");
  EXPECT_THAT(sink.rejected(), IsEmpty());
}

TEST_F(ReadersTest, ReadsShellysOfTheFirstGeneration) {
  use("profile: shelly");
  take("shellies/shellyem-B9E1/online", "true", true);
  take("shellies/shellyem-B9E1/relay/0", "on");
  take("shellies/shellyem-B9E1/relay/0/power", "230.5");
  take("shellies/shellyem-B9E1/relay/0/energy", "600");
  take("shellies/shellyem-B9E1/emeter/0/total", "1234.5");
  take("shellies/shellyem-B9E1/emeter/0/voltage", "231.2");
  take("shellies/shellyht-3F/sensor/temperature", "21.5");
  take("shellies/shellydw-4A/sensor/state", "open");
  EXPECT_EQ(last("shellyem-B9E1/relay/0"), "1");
  EXPECT_EQ(last("shellyem-B9E1/relay/0/power"), "230.5 W");
  EXPECT_EQ(last("shellyem-B9E1/relay/0/energy"), "10 Wh");
  EXPECT_EQ(last("shellyem-B9E1/emeter/0/total"), "1234.5 Wh");
  EXPECT_EQ(last("shellyht-3F/sensor/temperature"), "21.5 °C");
  EXPECT_EQ(last("shellydw-4A/sensor/state"), "open");
  take("shellies/shellyem-B9E1/online", "false");
  EXPECT_EQ(last("shellyem-B9E1/relay/0"), "bad no_answer");
  EXPECT_EQ(last("shellyht-3F/sensor/temperature"), "21.5 °C");
}

TEST_F(ReadersTest, ReadsShellysFromTheSecondGenerationOn) {
  use("profile: shelly");
  take("shellyplus1pm-a8/status/switch:0",
       R"({"id":0,"source":"timer","output":true,"apower":8.9,"voltage":237.5,"current":0.05,"aenergy":{"total":6.532,)"
       R"("by_minute":[45.1,47.7,88.5],"minute_ts":1626935779},"temperature":{"tC":23.5,"tF":74.4}})");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/output"), "1");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/apower"), "8.9 W");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/aenergy/total"), "6.532 Wh");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/temperature/tC"), "23.5 °C");
  EXPECT_EQ(sink.names().size(), 6u);
  take("shellyplus1pm-a8/online", "false", true);
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/apower"), "bad no_answer");
}

/// What they publish as they come, without "generic status updates": only what changed.
TEST_F(ReadersTest, ReadsTheNotificationsOfShellys) {
  use("profile: shelly");
  take(
      "shellyplus1pm-a8/events/rpc",
      R"({"src":"shellyplus1pm-a8","dst":"shellyplus1pm-a8/events","method":"NotifyStatus","params":{"ts":1772366399.12,)"
      R"("switch:0":{"id":0,"source":"button","output":true,"apower":8.9,"voltage":237.5,"aenergy":{"by_minute":)"
      R"([45.1,47.7,88.5],"minute_ts":1772366399,"total":6.532},"temperature":{"tC":23.5,"tF":74.4}}}})");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/output"), "1");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/apower"), "8.9 W");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/temperature/tC"), "23.5 °C");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/aenergy/total"), "6.532 Wh");
  EXPECT_EQ(sink.info("shellyplus1pm-a8/switch:0/aenergy/total")->kind, SeriesKind::counter);
  EXPECT_EQ(sink.names().size(), 5u);
  // What is left out stays as it was; the whole state is of the same series.
  take(
      "shellyplus1pm-a8/events/rpc",
      R"({"src":"shellyplus1pm-a8","dst":"shellyplus1pm-a8/events","method":"NotifyStatus","params":{"ts":1772366400.01,)"
      R"("switch:0":{"id":0,"apower":11.5}}})");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/apower"), "11.5 W");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/voltage"), "237.5 V");
  EXPECT_EQ(sink.samples("shellyplus1pm-a8/switch:0/voltage").size(), 1u);
  take("shellyplus1pm-a8/status/switch:0", R"({"id":0,"output":true,"apower":11.6,"voltage":237.4})");
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/apower"), "11.6 W");
  // A cover, a thermometer that wakes up, and what is no value.
  take(
      "shellyplus2pm-3c/events/rpc",
      R"({"src":"shellyplus2pm-3c","dst":"shellyplus2pm-3c/events","method":"NotifyStatus","params":{"ts":1772366400.2,)"
      R"("cover:0":{"id":0,"state":"opening","current_pos":40}}})");
  take(
      "shellyplusht-08/events/rpc",
      R"({"src":"shellyplusht-08","dst":"shellyplusht-08/events","method":"NotifyFullStatus","params":{"ts":null,)"
      R"("temperature:0":{"id":0,"tC":21.4,"tF":70.5},"humidity:0":{"id":0,"rh":48.6},"devicepower:0":{"id":0,"battery":)"
      R"({"V":5.02,"percent":59}},"ble":{},"wifi":{"sta_ip":"192.168.1.2","rssi":-61}}})");
  EXPECT_EQ(last("shellyplus2pm-3c/cover:0/state"), "opening");
  EXPECT_EQ(last("shellyplus2pm-3c/cover:0/current_pos"), "40 %");
  EXPECT_EQ(last("shellyplusht-08/temperature:0/tC"), "21.4 °C");
  EXPECT_EQ(last("shellyplusht-08/humidity:0/rh"), "48.6 %");
  EXPECT_EQ(last("shellyplusht-08/devicepower:0/battery/V"), "5.02 V");
  EXPECT_EQ(last("shellyplusht-08/wifi/rssi"), "-61 dBm");
  const std::size_t series = sink.names().size();
  take(
      "shellyplus2pm-3c/events/rpc",
      R"({"src":"shellyplus2pm-3c","dst":"shellyplus2pm-3c/events","method":"NotifyEvent","params":{"ts":1772366400.3,)"
      R"("events":[{"component":"input:0","id":0,"event":"single_push","ts":1772366400.3}]}})");
  EXPECT_EQ(sink.names().size(), series);
  EXPECT_THAT(sink.rejected(), IsEmpty());
  take("shellyplus1pm-a8/online", "false", true);
  EXPECT_EQ(last("shellyplus1pm-a8/switch:0/voltage"), "bad no_answer");
}

TEST_F(ReadersTest, ReadsEsphome) {
  use("profile: esphome");
  take("livingroom/status", "online", true);
  take("livingroom/sensor/room_temperature/state", "21.4");
  take("livingroom/binary_sensor/window/state", "OFF");
  take("livingroom/text_sensor/mode/state", "comfort");
  take("livingroom/light/lamp/state", R"({"state":"ON","brightness":128,"color_mode":"brightness"})");
  take("livingroom/sensor/broken/state", "nan");
  EXPECT_EQ(last("livingroom/room_temperature"), "21.4");
  EXPECT_EQ(last("livingroom/window"), "0");
  EXPECT_EQ(last("livingroom/mode"), "comfort");
  EXPECT_EQ(last("livingroom/lamp/state"), "1");
  EXPECT_EQ(last("livingroom/lamp/brightness"), "128");
  EXPECT_EQ(last("livingroom/broken"), "bad not_a_number");
  take("livingroom/status", "offline");
  EXPECT_EQ(last("livingroom/window"), "bad no_answer");
  EXPECT_EQ(findings(), "esphome (1 device, 1 offline: livingroom)");
}

constexpr const char* kChirpstackUp =
    R"({"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2026-03-01T11:59:55.775023242+00:00","deviceInfo":)"
    R"({"tenantId":"52f14cd4","tenantName":"ChirpStack","applicationId":"17c82e96","applicationName":"Application",)"
    R"("deviceProfileId":"14855bf7","deviceProfileName":"DP","deviceName":"cellar","devEui":"0101010101010101",)"
    R"("tags":{"key":"value"}},"devAddr":"00189440","dr":1,"fPort":1,"fCnt":7,"data":"qg==","object":{"temperature":)"
    R"(4.25,"doors":{"open":true}},"rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5}],)"
    R"("txInfo":{"frequency":867100000}})";

TEST_F(ReadersTest, ReadsChirpstack) {
  use("profile: chirpstack");
  take("application/17c82e96/device/0101010101010101/event/up", kChirpstackUp);
  EXPECT_EQ(last("cellar/temperature"), "4.25");
  EXPECT_EQ(last("cellar/doors/open"), "1");
  EXPECT_EQ(last("cellar/rssi"), "-36 dBm");
  EXPECT_EQ(last("cellar/snr"), "10.5 dB");
  EXPECT_EQ(last("cellar/frame_counter"), "7");
  EXPECT_EQ(sink.names().size(), 5u);
  EXPECT_EQ(sink.last("cellar/temperature")->time, *parse_rfc3339("2026-03-01T11:59:55.775023Z"));
  take(
      "application/17c82e96/device/0101010101010101/event/status",
      R"({"time":"2026-03-01T11:59:56+00:00","deviceInfo":{"deviceName":"cellar","devEui":"0101010101010101"},"margin":7,)"
      R"("externalPowerSource":false,"batteryLevelUnavailable":false,"batteryLevel":75.5})");
  EXPECT_EQ(last("cellar/battery"), "75.5 %");
  // Another device of that name is not mixed with it.
  take("application/17c82e96/device/0202020202020202/event/up", kChirpstackUp);
  EXPECT_THAT(refused(), HasSubstr("'cellar' is that of another device"));
  EXPECT_EQ(sink.samples("cellar/temperature").size(), 1u);
}

TEST_F(ReadersTest, ReadsTheThingsStack) {
  use("profile: ttn");
  take(
      "v3/plant@ttn/devices/tank1/up",
      R"({"end_device_ids":{"device_id":"tank1","application_ids":{"application_id":"plant"},"dev_eui":"0004A30B001C0530"},)"
      R"("received_at":"2026-03-01T11:59:59.837Z","uplink_message":{"f_port":1,"f_cnt":12,"frm_payload":"ASA=",)"
      R"("decoded_payload":{"level":1.75,"unit":"m"},"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"rssi":-35,)"
      R"("snr":5.2}],"settings":{"data_rate":{"lora":{"bandwidth":125000}}},"received_at":"2026-03-01T11:59:59.500Z"}})");
  EXPECT_EQ(last("plant@ttn/tank1/level"), "1.75");
  EXPECT_EQ(last("plant@ttn/tank1/rssi"), "-35 dBm");
  EXPECT_EQ(last("plant@ttn/tank1/frame_counter"), "12");
  EXPECT_EQ(sink.names().size(), 4u);
  EXPECT_EQ(sink.last("plant@ttn/tank1/level")->time, *parse_rfc3339("2026-03-01T11:59:59.5Z"));
}

TEST_F(ReadersTest, ReadsHomie) {
  use("profile: homie");
  take("homie/meter/$homie", "4.0.0", true);
  take("homie/meter/$state", "ready", true);
  take("homie/meter/main/$properties", "power,energy,mode", true);
  take("homie/meter/main/power", "1500.5");  // before its datatype
  EXPECT_EQ(last("meter/main/power"), "none");
  take("homie/meter/main/power/$unit", "W", true);
  take("homie/meter/main/power/$datatype", "float", true);
  EXPECT_EQ(last("meter/main/power"), "1500.5 W");
  take("homie/meter/main/on/$datatype", "boolean", true);
  take("homie/meter/main/on", "true", true);
  EXPECT_EQ(last("meter/main/on"), "uncertain retained 1");
  take("homie/meter/main/mode/$datatype", "enum", true);
  take("homie/meter/main/mode", "eco");
  EXPECT_EQ(last("meter/main/mode"), "eco");
  take("homie/meter/main/power/set", "7");
  take("homie/meter/main/note/$datatype", "string", true);
  take("homie/meter/main/note", "hello");
  EXPECT_EQ(last("meter/main/note"), "none");
  EXPECT_EQ(last("meter/main/power"), "1500.5 W");
  take("homie/meter/$state", "lost");
  EXPECT_EQ(last("meter/main/power"), "bad no_answer");
  EXPECT_EQ(last("meter/state"), "lost");
  EXPECT_EQ(findings(), "homie (1 device, 1 offline: meter)");
  take("homie/meter/$state", "ready");
  take("homie/meter/main/power", "1400");
  EXPECT_EQ(last("meter/main/power"), "1400 W");
}

TEST_F(ReadersTest, AutoSaysWhatItGuessed) {
  use("profile: auto");
  EXPECT_EQ(findings(), "nothing yet that a profile reads");
  take("zigbee2mqtt/freezer", R"({"temperature":-18.37})");
  take("tele/pump/SENSOR", R"({"Time":"2026-03-01T12:00:00","DS18B20":{"Temperature":70.3},"TempUnit":"C"})");
  take("livingroom/sensor/room/state", "21.4");
  take("shellyplus1pm-a8/status/switch:0", R"({"id":0,"output":true})");
  // What only looks like one of them: neither read nor complained of.
  take("backup/status", "running");
  take("backup/status/last", "two days ago");
  EXPECT_EQ(last("freezer/temperature"), "-18.37 °C");
  EXPECT_EQ(last("pump/DS18B20/Temperature"), "70.3 °C");
  EXPECT_THAT(findings(),
              HasSubstr("guessed: zigbee2mqtt (1 device), tasmota (1 device), esphome (2 devices), shelly"));
  EXPECT_THAT(sink.names(), Not(Contains(HasSubstr("backup"))));
}

TEST_F(ReadersTest, ReadsAnAvailabilityTopicOfTheConfiguration) {
  use("subscriptions: [{topic: \"plant/{device}/alive\", availability: {online: [there], offline: [gone]}}, "
      "{topic: \"plant/{device}\"}]");
  take("plant/pump", R"({"flow":3})");
  EXPECT_EQ(last("pump/flow"), "3");
  take("plant/pump/alive", "GONE");
  EXPECT_EQ(last("pump/flow"), "bad no_answer");
  take("plant/pump/alive", "perhaps");
  EXPECT_THAT(refused(), HasSubstr("neither a word for"));
}

TEST_F(ReadersTest, SharesItsSubscriptionsButNotWhoIsThere) {
  use("share: gateways, subscriptions: [{topic: \"plant/{device}/alive\", availability: {}}, {topic: "
      "\"plant/{device}\"}]");
  const auto subscriptions = readers->subscriptions();
  ASSERT_EQ(subscriptions.size(), 2u);
  EXPECT_EQ(subscriptions[0].filter, "plant/+/alive");
  EXPECT_EQ(subscriptions[1].filter, "$share/gateways/plant/+");
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
