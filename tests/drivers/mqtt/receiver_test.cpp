#include "drivers/mqtt/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "gateway/config/load.h"
#include "gateway/core/time_text.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::mqtt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Timestamp kNow = *parse_rfc3339("2026-03-01T12:00:00Z");

class ReceiverTest : public ::testing::Test {
 protected:
  /// Reads with the subscriptions of a YAML list.
  void subscribe(const std::string& subscriptions) {
    config::Problems problems;
    auto node = config::parse("{broker: \"mqtt://x\", subscriptions: " + subscriptions + "}", "t.yaml", ".",
                              config::References::system(), problems);
    config::check(node, shape(), problems);
    ASSERT_EQ(problems.text(), "");
    options = read_options(node, "field", problems);
    ASSERT_EQ(problems.text(), "");
    receiver = std::make_unique<Receiver>(options, "field", sink);
  }
  void take(std::string_view topic, std::string_view payload, bool retained = false, Timestamp now = kNow) {
    receiver->take({topic, payload, retained}, now);
  }
  double value(const std::string& series) const {
    const auto last = sink.last(series);
    return last ? last->value : -999999;
  }

  fakes::FakeSink sink;
  Options options;
  std::unique_ptr<Receiver> receiver;
};

TEST_F(ReceiverTest, NamesSeriesByCapturesAndFields) {
  subscribe(
      "[{topic: \"zigbee2mqtt/{device}\", payload: {ignore: [linkquality, \"update/#\"], units: {temperature: °C}}}]");
  take("zigbee2mqtt/freezer",
       R"({"battery":97,"linkquality":134,"temperature":-18.37,"contact":true,"update":{"x":1},"s":"t"})");
  EXPECT_THAT(sink.names(), ElementsAre("freezer/battery", "freezer/temperature", "freezer/contact"));
  EXPECT_EQ(value("freezer/temperature"), -18.37);
  EXPECT_EQ(value("freezer/contact"), 1);
  EXPECT_EQ(sink.info("freezer/temperature")->unit, "°C");
  EXPECT_EQ(sink.info("freezer/contact")->kind, SeriesKind::boolean);
  EXPECT_EQ(sink.last("freezer/battery")->time, kNow);
  EXPECT_TRUE(sink.rejected().empty());
}

TEST_F(ReceiverTest, NamesSeriesByTheTopicWhereItHasNoCaptures) {
  subscribe("[{topic: site/#}]");
  take("site/meter/power", "230.5");
  take("site/gate/state", "closed");
  EXPECT_THAT(sink.names(), ElementsAre("site/meter/power", "site/gate/state"));
  EXPECT_EQ(value("site/meter/power"), 230.5);
  EXPECT_EQ(sink.last_label("site/gate/state"), "closed");
}

TEST_F(ReceiverTest, AMessageWithNoneOfTheNamedFieldsIsToldOnceATopic) {
  subscribe("[{topic: \"plant/{device}\", payload: {fields: {temp: /tempp, rpm: /rpm}}}]");
  take("plant/a", R"({"temp": 21.5, "mode": "auto"})");
  take("plant/a", R"({"temp": 21.6, "mode": "auto"})");
  ASSERT_EQ(sink.rejected().size(), 1u);
  EXPECT_EQ(sink.rejected()[0].reason, "there is no /tempp, /rpm in it; it has /temp, /mode");
  take("plant/b", R"({"rpm": 1450})");
  EXPECT_EQ(sink.rejected().size(), 1u) << "a message may have some of them";
  take("plant/b", R"({"rpms": 1450})");
  EXPECT_EQ(sink.rejected().size(), 2u) << "a field that came may vanish";
  EXPECT_THAT(sink.names(), ElementsAre("b/rpm"));
}

TEST_F(ReceiverTest, NamesSeriesByATemplate) {
  subscribe("[{topic: \"{device}/status/{component}\", series: \"{source}/{device}/{field}\", payload: {field: v}}]");
  take("shelly1/status/switch:0", R"({"temperature":{"tC":45.5}})");
  take("shelly2/status/uptime", "7");
  EXPECT_THAT(sink.names(), ElementsAre("field/shelly1/temperature/tC", "field/shelly2/v"));
}

TEST_F(ReceiverTest, LeavesTheSlashOutWhereABareValueHasNoField) {
  subscribe("[{topic: \"power/{device}\", series: \"{device}/{field}\"}]");
  take("power/pump", "7");
  EXPECT_THAT(sink.names(), ElementsAre("pump"));
}

TEST_F(ReceiverTest, ReadsNamedFieldsByPointerAndNoOthers) {
  subscribe(
      "[{topic: \"tele/{device}/SENSOR\", payload: {format: json, fields: {temperature: {pointer: "
      "/DS18B20/Temperature, unit: °C, "
      "scale: 10, offset: 1}, total: {pointer: /ENERGY/Total, kind: counter}, mode: {pointer: /Mode, kind: state}, "
      "on: {pointer: /Power, kind: boolean}, ENERGY/Power: /ENERGY/Power}}}]");
  take(
      "tele/lab/SENSOR",
      R"({"DS18B20":{"Id":"03","Temperature":"21.5"},"ENERGY":{"Total":12,"Power":3,"x":1},"Mode":"eco","Power":"ON","y":2})");
  EXPECT_THAT(sink.names(), ElementsAre("lab/temperature", "lab/total", "lab/ENERGY/Power", "lab/mode", "lab/on"));
  EXPECT_EQ(value("lab/temperature"), 216);
  EXPECT_EQ(sink.info("lab/total")->kind, SeriesKind::counter);
  EXPECT_EQ(sink.last_label("lab/mode"), "eco");
  EXPECT_EQ(value("lab/on"), 1);
}

TEST_F(ReceiverTest, KeepsStatesByTheirLabel) {
  subscribe("[{topic: \"z/{device}\", payload: {states: [action]}}]");
  for (const char* action : {"single", "double", "single"})
    take("z/button", std::string("{\"action\":\"") + action + "\"}");
  const auto samples = sink.samples("button/action");
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].value, samples[2].value);
  EXPECT_NE(samples[0].value, samples[1].value);
  EXPECT_EQ(sink.last_label("button/action"), "single");
}

TEST_F(ReceiverTest, TakesTheDevicesOwnTime) {
  subscribe("[{topic: \"s/{d}\", payload: {timestamp: {pointer: /ts, format: milliseconds}}}]");
  take("s/a", R"({"v":1,"ts":1772366399250})");
  EXPECT_THAT(sink.names(), ElementsAre("a/v"));
  EXPECT_EQ(rfc3339(sink.last("a/v")->time), "2026-03-01T11:59:59.250Z");
  EXPECT_EQ(sink.last("a/v")->quality, Quality::good);
}

TEST_F(ReceiverTest, MarksASampleWhoseTimeIsNotSane) {
  subscribe("[{topic: \"s/{d}\", payload: {timestamp: {pointer: /ts}}}]");
  for (const char* payload : {R"({"v":1,"ts":12})", R"({"v":1})", R"({"v":1,"ts":"soon"})"}) {
    take("s/a", payload);
    EXPECT_EQ(sink.last("a/v")->time, kNow) << payload;
    EXPECT_EQ(sink.last("a/v")->quality, Quality::uncertain) << payload;
    EXPECT_EQ(sink.last("a/v")->reason, Reason::clock) << payload;
  }
}

TEST_F(ReceiverTest, MarksRetainedMessagesUntilAFreshOneComes) {
  subscribe("[{topic: \"s/{d}\"}]");
  take("s/a", "1", true);
  EXPECT_EQ(sink.last("a")->quality, Quality::uncertain);
  EXPECT_EQ(sink.last("a")->reason, Reason::retained);
  take("s/a", "2");
  EXPECT_EQ(sink.last("a")->quality, Quality::good);
}

TEST_F(ReceiverTest, AFailureThatTheBrokerKeptIsOldNewsToo) {
  subscribe("[{topic: \"s/{d}\", payload: {field: v, kind: number, format: json}}]");
  take("s/a", "null", true);
  EXPECT_EQ(sink.last("a/v")->quality, Quality::bad);
  EXPECT_EQ(sink.last("a/v")->reason, Reason::retained);
  take("s/a", "null");
  EXPECT_EQ(sink.last("a/v")->reason, Reason::device_fault);
}

TEST_F(ReceiverTest, MarksWhatIsNoNumberAsBadAndNeverPassesNanOn) {
  subscribe("[{topic: \"s/{d}\", payload: {format: number, scale: 1e300}}]");
  for (const char* payload : {"nan", "1e400", "1e300"}) {
    take("s/a", payload);
    EXPECT_EQ(sink.last("a")->quality, Quality::bad) << payload;
    EXPECT_EQ(sink.last("a")->reason, Reason::not_a_number) << payload;
    EXPECT_EQ(sink.last("a")->value, 0) << payload;
  }
  EXPECT_TRUE(sink.rejected().empty());
}

TEST_F(ReceiverTest, ShowsTextInPlaceOfANumberAsBadAndAmongTheRefused) {
  subscribe("[{topic: \"s/{d}\", payload: {format: number}}]");
  take("s/a", "unavailable");
  EXPECT_EQ(sink.last("a")->reason, Reason::wrong_type);
  ASSERT_EQ(sink.rejected().size(), 1u);
  EXPECT_EQ(sink.rejected()[0].topic, "s/a");
  EXPECT_EQ(sink.rejected()[0].payload, "unavailable");
  EXPECT_EQ(sink.rejected()[0].reason, "a: 'unavailable' is no number");
}

TEST_F(ReceiverTest, TakesNullForAKnownValueAsTheDevicesFault) {
  subscribe("[{topic: \"s/{d}\"}]");
  take("s/a", R"({"v":null})");
  EXPECT_TRUE(sink.names().empty());
  take("s/a", R"({"v":5})");
  take("s/a", R"({"v":null})");
  EXPECT_EQ(sink.last("a/v")->quality, Quality::bad);
  EXPECT_EQ(sink.last("a/v")->reason, Reason::device_fault);
}

TEST_F(ReceiverTest, RefusesBrokenJsonWithItsReason) {
  subscribe("[{topic: \"s/{d}\"}]");
  take("s/a", R"({"v":1,)");
  EXPECT_TRUE(sink.samples().empty());
  ASSERT_EQ(sink.rejected().size(), 1u);
  EXPECT_THAT(sink.rejected()[0].reason, HasSubstr("not valid JSON"));
}

TEST_F(ReceiverTest, SaysOnceAMinuteThatTheSeriesAreFullAndGoesOnWithTheOthers) {
  subscribe("[{topic: \"s/{d}\"}]");
  sink.limit_series(1);
  take("s/a", R"({"v":1,"w":2})");
  take("s/a", R"({"v":3,"w":4})");
  EXPECT_THAT(sink.names(), ElementsAre("a/v"));
  EXPECT_EQ(value("a/v"), 3);
  EXPECT_EQ(sink.rejected().size(), 1u);
  sink.limit_series(10);
  take("s/a", R"({"v":5,"w":6})", false, kNow + std::chrono::minutes(2));
  EXPECT_EQ(value("a/w"), 6);
}

TEST_F(ReceiverTest, RefusesNamesThatAreNone) {
  subscribe("[{topic: \"s/#\"}]");
  take("s/{a}", "1");
  take("s/b", R"({"x+y":1,"":2,"ok":3})");
  EXPECT_THAT(sink.names(), ElementsAre("s/b", "s/b/ok"));  // a key without a name stands for the topic itself
  EXPECT_EQ(sink.rejected().size(), 2u);
}

TEST_F(ReceiverTest, ReadsATopicByTheFirstSubscriptionThatFits) {
  subscribe("[{topic: \"s/{d}\", series: \"first/{d}\"}, {topic: \"s/#\", series: \"second/{topic}\"}]");
  take("s/a", "1");
  take("s/a/b", "2");
  take("other", "3");
  EXPECT_THAT(sink.names(), ElementsAre("first/a", "second/s/a/b"));
}

TEST_F(ReceiverTest, LeavesOutTheCopyThatAnotherSubscriptionBrought) {
  subscribe("[{topic: \"s/sensor-{id}\"}, {topic: \"s/{d}\"}, {topic: \"s/#\", series: \"all/{topic}\"}]");
  const std::uint32_t one_level = subscription_id(Pattern::parse("s/{d}")->mqtt_filter());
  const std::uint32_t all = subscription_id(Pattern::parse("s/#")->mqtt_filter());
  EXPECT_EQ(one_level, subscription_id(Pattern::parse("s/sensor-{id}")->mqtt_filter()))
      << "the broker knows one subscription s/+";
  const auto copies = [&](std::initializer_list<std::vector<std::uint32_t>> of, std::string_view topic) {
    const std::size_t before = sink.samples().size();
    for (const auto& ids : of) receiver->take({topic, "1", false, ids}, kNow);
    return sink.samples().size() - before;
  };
  EXPECT_EQ(copies({{one_level}, {all}}, "s/a"), 1u);
  EXPECT_EQ(copies({{all}, {one_level}}, "s/sensor-9"), 1u);
  EXPECT_EQ(copies({{all, one_level}}, "s/a"), 1u) << "a broker may send one for both";
  EXPECT_EQ(copies({{all}}, "s/a/b"), 1u);
  EXPECT_EQ(copies({{}}, "s/a"), 1u) << "a broker without ids";
  EXPECT_THAT(sink.names(), ElementsAre("a", "9", "all/s/a/b"));
}

TEST_F(ReceiverTest, StaysCorrectWhenTheOrderOfFieldsChanges) {
  subscribe("[{topic: \"s/{d}\"}]");
  take("s/a", R"({"x":1,"y":2,"z":3})");
  take("s/a", R"({"z":30,"x":10,"y":20})");
  take("s/a", R"({"y":200,"new":1,"x":100})");
  EXPECT_EQ(value("a/x"), 100);
  EXPECT_EQ(value("a/y"), 200);
  EXPECT_EQ(value("a/z"), 30);
  EXPECT_EQ(value("a/new"), 1);
}

TEST_F(ReceiverTest, OutlivesAFloodOfTopics) {
  subscribe("[{topic: \"s/{d}\", payload: {format: number}}]");
  sink.limit_series(10);
  for (int i = 0; i < 120'000; ++i) take("s/" + std::to_string(i), "1");
  EXPECT_EQ(sink.names().size(), 10u);
  take("s/0", "7");
  EXPECT_EQ(value("0"), 7);
}

/// Refuses every series, and keeps nothing of what is refused.
class FullSink final : public Sink {
 public:
  Result<SeriesId> series(std::string_view, const SeriesInfo&) override { return fail(Errc::full, "no room"); }
  Result<double> label(SeriesId, std::string_view) override { return fail(Errc::full, "no room"); }
  Ticket push(std::span<const Sample>) override { return {}; }
  bool wait_committed(Ticket, std::stop_token) override { return true; }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view) override { ++rejected; }
  int rejected = 0;
};

TEST_F(ReceiverTest, OutlivesAFloodOfLongNames) {
  subscribe("[{topic: \"s/{d}\", payload: {format: json}}]");
  FullSink full;
  Receiver flooded(options, "field", full);
  const std::string tail(240, 'x');
  const std::size_t before = mallinfo2().uordblks;
  std::size_t most = 0;
  for (int message = 0; message < 400; ++message) {
    std::string payload = "{";
    for (int i = 0; i < 400; ++i) {
      payload += fmt::format("{}\"{}-{}-{}\":1", i == 0 ? "" : ",", message, i, tail);
    }
    flooded.take({"s/a", payload + "}"}, kNow);
    most = std::max(most, mallinfo2().uordblks - before);
  }
  EXPECT_GT(full.rejected, 400 * 300) << "refused for the room and not as a payload";
  EXPECT_LT(most, 56u << 20);
}

TEST_F(ReceiverTest, GivesEachLineItsOwnTime) {
  subscribe(
      "[{topic: \"telegraf/{host}\", payload: {format: line_protocol, precision: s, units: {\"cpu/#\": \"%\"}, states: "
      "[\"+/note\"]}}]");
  take("telegraf/nas", "cpu idle=98.5,note=\"calm\" 1772366390\ncpu idle=97 1772366391\nmem used=3i 17");
  EXPECT_THAT(sink.names(), ElementsAre("nas/cpu/idle", "nas/cpu/note", "nas/mem/used"));
  const auto idle = sink.samples("nas/cpu/idle");
  ASSERT_EQ(idle.size(), 2u);
  EXPECT_EQ(idle[0].time, kNow - std::chrono::seconds(10));
  EXPECT_EQ(idle[1].time, kNow - std::chrono::seconds(9));
  EXPECT_EQ(idle[1].quality, Quality::good);
  EXPECT_EQ(sink.info("nas/cpu/idle")->unit, "%");
  EXPECT_EQ(sink.last("nas/mem/used")->reason, Reason::clock);
  EXPECT_EQ(sink.last("nas/mem/used")->time, kNow);
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
