// A Sparkplug B host, with what an edge node sends.

#include <gmock/gmock.h>

#include <map>

#include "drivers/mqtt/sparkplug/payload.h"
#include "gateway/core/text.h"
#include "tests/drivers/mqtt/readers_fixture.h"
#include "tests/drivers/mqtt/sparkplug_payload.h"

namespace tidegate::drivers::mqtt {
namespace {

using test::SparkplugPayload;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SparkplugTest : public ReadersTest {
 protected:
  SparkplugTest() { use("profile: sparkplug"); }

  std::uint64_t millis() const { return static_cast<std::uint64_t>(now.time_since_epoch().count() / 1000); }
  SparkplugPayload payload(std::uint64_t seq) const { return SparkplugPayload(millis()).seq(seq); }
  void node_birth(std::uint64_t bd_seq = 1) {
    auto birth = payload(0);
    birth.metric("bdSeq", 4).longer(bd_seq);
    birth.metric("Node Control/Rebirth", 11).truth(false);
    birth.metric("pressure", 10).alias(1).number(2.5).property("engUnit", "bar");
    take("spBv1.0/plant/NBIRTH/edge", birth.bytes());
  }
  void device_birth(std::uint64_t seq) {
    auto birth = payload(seq);
    birth.metric("level", 9).alias(2).number(1.5);
    birth.metric("running", 11).alias(3).truth(true);
    take("spBv1.0/plant/DBIRTH/edge/tank", birth.bytes());
  }
};

TEST_F(SparkplugTest, ReadsBirthsAndDataByAlias) {
  node_birth();
  device_birth(1);
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
  EXPECT_EQ(last("plant/edge/tank/level"), "1.5");
  EXPECT_EQ(last("plant/edge/tank/running"), "1");
  EXPECT_EQ(sink.names().size(), 3u);
  take("spBv1.0/plant/NDATA/edge", payload(2).by_alias(1).number(3.25).at(millis() - 1500).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "3.25 bar");
  EXPECT_EQ(sink.last("plant/edge/pressure")->time, now - std::chrono::milliseconds(1500));
  take("spBv1.0/plant/DDATA/edge/tank", payload(3).by_alias(3).truth(false).metric("level").number(1.75).bytes());
  EXPECT_EQ(last("plant/edge/tank/running"), "0");
  EXPECT_EQ(last("plant/edge/tank/level"), "1.75");
  EXPECT_THAT(outbox.published, IsEmpty());
  EXPECT_THAT(sink.rejected(), IsEmpty());
  EXPECT_EQ(findings(), "sparkplug (2 devices)");
}

TEST_F(SparkplugTest, KnowsEveryDatatype) {
  auto birth = payload(0);
  birth.metric("i8", 1).whole(0xfffffffe);
  birth.metric("i16", 2).whole(static_cast<std::uint32_t>(-300));
  birth.metric("i32", 3).whole(static_cast<std::uint32_t>(-70000));
  birth.metric("i64", 4).longer(static_cast<std::uint64_t>(-5'000'000'000));
  birth.metric("u8", 5).whole(200);
  birth.metric("u16", 6).whole(60000);
  birth.metric("u32", 7).longer(4'000'000'000);  // as some libraries do
  birth.metric("u64", 8).longer(5'000'000'000);
  birth.metric("f", 9).raw().set_float_value(0.5F);
  birth.metric("nan", 10).number(std::numeric_limits<double>::quiet_NaN());
  birth.metric("s", 12).text("ok");
  birth.metric("null", 10).null();
  take("spBv1.0/plant/NBIRTH/edge", birth.bytes());
  const std::vector<std::pair<const char*, const char*>> expected = {
      {"i8", "-2"},          {"i16", "-300"},
      {"i32", "-70000"},     {"i64", "-5000000000"},
      {"u8", "200"},         {"u16", "60000"},
      {"u32", "4000000000"}, {"u64", "5000000000"},
      {"f", "0.5"},          {"nan", "bad not_a_number"},
      {"s", "ok"},           {"null", "bad device_fault"}};
  for (const auto& [name, text] : expected) EXPECT_EQ(last(std::string("plant/edge/") + name), text) << name;
}

TEST_F(SparkplugTest, RefusesInWordsWhatHasNoSeries) {
  auto birth = payload(0);
  birth.metric("table", 16).alias(9).raw().set_data_set("x");
  birth.metric("when", 13).longer(1);
  birth.metric("odd", 99).whole(1);
  birth.metric("ok", 3).alias(10).whole(1);
  take("spBv1.0/plant/NBIRTH/edge", birth.bytes());
  ASSERT_EQ(sink.rejected().size(), 3u);
  EXPECT_EQ(sink.rejected()[0].reason, "'table': a metric of the datatype 16 (DataSet) has no series");
  EXPECT_THAT(sink.rejected()[1].reason, HasSubstr("13 (DateTime)"));
  EXPECT_THAT(sink.rejected()[2].reason, HasSubstr("99 (unknown)"));
  EXPECT_EQ(last("plant/edge/ok"), "1");
  // Its data says nothing new.
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(9).raw().SerializeAsString());
  auto data = payload(1);
  data.by_alias(9).raw().set_data_set("y");
  data.by_alias(10).whole(2);
  take("spBv1.0/plant/NDATA/edge", data.bytes());
  EXPECT_EQ(last("plant/edge/ok"), "uncertain no_answer 2");  // the broken one before was missed
}

TEST_F(SparkplugTest, ADeathMakesAllPointsBad) {
  node_birth(7);
  device_birth(1);
  take("spBv1.0/plant/DDEATH/edge/tank", payload(2).bytes());
  EXPECT_EQ(last("plant/edge/tank/level"), "bad no_answer");
  EXPECT_EQ(last("plant/edge/tank/running"), "bad no_answer");
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
  device_birth(3);
  EXPECT_EQ(last("plant/edge/tank/level"), "1.5");
  // The death of a connection before this one comes late.
  take("spBv1.0/plant/NDEATH/edge", SparkplugPayload(millis()).metric("bdSeq", 4).longer(6).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
  take("spBv1.0/plant/NDEATH/edge", SparkplugPayload(millis()).metric("bdSeq", 4).longer(7).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "bad no_answer");
  EXPECT_EQ(last("plant/edge/tank/level"), "bad no_answer");
  EXPECT_EQ(findings(), "sparkplug (2 devices, 2 offline: plant/edge, plant/edge/tank)");
  node_birth(8);
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
  EXPECT_EQ(last("plant/edge/tank/level"), "bad no_answer");  // until it is born itself
}

TEST_F(SparkplugTest, AsksForABirthThatItMissed) {
  take("spBv1.0/plant/NDATA/edge", payload(7).by_alias(1).number(1).bytes());
  ASSERT_EQ(outbox.published.size(), 1u);
  EXPECT_EQ(outbox.published[0].topic, "spBv1.0/plant/NCMD/edge");
  EXPECT_FALSE(outbox.published[0].retain);
  test::wire::Payload asked;
  ASSERT_TRUE(asked.ParseFromString(outbox.published[0].payload));
  ASSERT_EQ(asked.metrics_size(), 1);
  EXPECT_EQ(asked.metrics(0).name(), "Node Control/Rebirth");
  EXPECT_EQ(asked.metrics(0).datatype(), 11u);
  EXPECT_TRUE(asked.metrics(0).boolean_value());
  EXPECT_FALSE(asked.has_seq());
  EXPECT_THAT(refused(), HasSubstr("data before a birth"));
  // Once a minute, however many messages come.
  for (std::uint64_t seq = 8; seq < 50; ++seq)
    take("spBv1.0/plant/NDATA/edge", payload(seq).by_alias(1).number(1).bytes());
  EXPECT_EQ(outbox.published.size(), 1u);
  now += std::chrono::seconds(61);
  take("spBv1.0/plant/NDATA/edge", payload(50).by_alias(1).number(1).bytes());
  EXPECT_EQ(outbox.published.size(), 2u);
}

TEST_F(SparkplugTest, DoubtsWhatComesAfterAGap) {
  node_birth();
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(1).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "1 bar");
  take("spBv1.0/plant/NDATA/edge", payload(3).by_alias(1).number(3).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "uncertain no_answer 3 bar");
  EXPECT_EQ(outbox.published.size(), 1u);
  node_birth();
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(4).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "4 bar");
}

TEST_F(SparkplugTest, CountsFrom255To0) {
  node_birth();
  for (std::uint64_t i = 1; i < 600; ++i)
    take("spBv1.0/plant/NDATA/edge", payload(i % 256).by_alias(1).number(static_cast<double>(i)).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "599 bar");
  EXPECT_THAT(outbox.published, IsEmpty());
}

TEST_F(SparkplugTest, ABirthThatNamesAMetricNoMoreMakesItBad) {
  node_birth();
  take("spBv1.0/plant/NBIRTH/edge", payload(0).metric("flow", 10).alias(1).number(9).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "bad no_answer");
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(8).bytes());
  EXPECT_EQ(last("plant/edge/flow"), "8");
  EXPECT_EQ(last("plant/edge/pressure"), "bad no_answer");
}

TEST_F(SparkplugTest, GivesDevicesAMomentWhenTheirNodeIsBornAgain) {
  node_birth(7);
  device_birth(1);
  node_birth(7);
  readers->tick(now);
  EXPECT_EQ(last("plant/edge/tank/level"), "1.5");
  device_birth(1);
  now += std::chrono::seconds(11);
  readers->tick(now);
  EXPECT_EQ(last("plant/edge/tank/level"), "1.5");
  node_birth(7);
  now += std::chrono::seconds(11);
  readers->tick(now);
  EXPECT_EQ(last("plant/edge/tank/level"), "bad no_answer");
  EXPECT_EQ(findings(), "sparkplug (2 devices, 1 offline: plant/edge/tank)");
  // Another session: they were away.
  device_birth(1);
  node_birth(8);
  EXPECT_EQ(last("plant/edge/tank/level"), "bad no_answer");
}

TEST_F(SparkplugTest, TakesQualityAndHistory) {
  node_birth();
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(1).quality(0).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "bad device_fault");
  take("spBv1.0/plant/NDATA/edge", payload(2).by_alias(1).number(2).quality(500).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "uncertain no_answer 2 bar");
  take("spBv1.0/plant/NDATA/edge", payload(3).by_alias(1).number(3).quality(192).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "3 bar");
  take("spBv1.0/plant/NDATA/edge", payload(4).by_alias(1).number(4).historical().at(millis() - 3'600'000).bytes());
  EXPECT_EQ(sink.last("plant/edge/pressure")->time, now - std::chrono::hours(1));
  EXPECT_EQ(sink.last("plant/edge/pressure")->quality, Quality::good);
}

/// What was buffered is of the past or of nothing: it never is the value of now.
TEST_F(SparkplugTest, RefusesHistoryThatSaysNotWhenItWas) {
  node_birth();
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(1).historical().bytes());
  EXPECT_EQ(refused(),
            "'plant/edge/pressure': historical, and without a time of its own; the node has to give each such metric "
            "its own timestamp");
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1000}, millis() + 3'600'000, UINT64_MAX}) {
    const std::size_t before = sink.rejected().size();
    take("spBv1.0/plant/NDATA/edge", payload(before + 1).by_alias(1).number(1).historical().at(wrong).bytes());
    EXPECT_EQ(sink.rejected().size(), before + 1) << wrong;
    EXPECT_THAT(refused(), HasSubstr("'plant/edge/pressure': historical, and of a time that cannot be"));
  }
  EXPECT_EQ(sink.samples("plant/edge/pressure").size(), 1u);
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
  // One that is not historical has the payload's time then, or is doubted.
  take("spBv1.0/plant/NDATA/edge", payload(6).by_alias(1).number(6).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "6 bar");
  take("spBv1.0/plant/NDATA/edge", payload(7).by_alias(1).number(7).at(1000).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "uncertain clock 7 bar");
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

// By hand, after the tables of the specification's chapter 6.4, and by no code of the driver's: a line a part.
constexpr std::string_view kBirthByHand =
    "08 80 94 94 ca ca 33 "                    // timestamp: 2026-03-01T12:00:00Z
    "12 0b 0a 05 62 64 53 65 71 20 04 58 07 "  // bdSeq, Int64: 7
    "12 42 0a 08 70 72 65 73 73 75 72 65 "     // pressure
    "10 01 18 a4 88 94 ca ca 33 20 0a "        //   alias 1, 1.5 s before, Double
    "4a 22 0a 07 65 6e 67 55 6e 69 74 "        //   properties: engUnit
    "0a 07 51 75 61 6c 69 74 79 "              //     and Quality
    "12 07 08 0c 42 03 62 61 72 "              //     String: bar
    "12 05 08 03 18 c0 01 "                    //     Int32: 192
    "69 00 00 00 00 00 00 04 40 "              //   2.5
    "12 11 0a 05 63 6f 75 6e 74 "              // count
    "10 02 20 03 50 fd ff ff ff 0f "           //   alias 2, Int32: -3
    "12 0e 0a 05 6c 65 76 65 6c "              // level
    "20 09 65 00 00 00 3f "                    //   Float: 0.5
    "12 0a 0a 02 6f 6e 20 0b 30 01 70 01 "     // on, Boolean, transient: true
    "12 12 0a 04 6d 6f 64 65 20 0c "           // mode, String
    "42 02 10 00 7a 04 61 75 74 6f "           //   metadata; auto
    "12 0a 0a 04 67 6f 6e 65 20 08 38 01 "     // gone, UInt64: null
    "12 17 0a 04 66 6c 6f 77 "                 // flow
    "18 80 b7 b8 c8 ca 33 20 08 28 01 "        //   an hour before, UInt64, historical
    "58 80 e4 97 d0 12 "                       //   5,000,000,000
    "18 00 22 01 75 2a 01 00";                 // seq: 0; uuid; body
constexpr std::string_view kDataByHand =
    "08 80 94 94 ca ca 33 "                     // timestamp
    "12 0b 10 01 69 00 00 00 00 00 00 0a 40 "   // alias 1: 3.25
    "12 06 10 02 28 01 50 09 "                  // alias 2, historical: 9
    "18 01";                                    // seq: 1
constexpr std::string_view kDeathsByHand[] = {  // bdSeq, Int64: 6 and 7
    "12 0b 0a 05 62 64 53 65 71 20 04 58 06", "12 0b 0a 05 62 64 53 65 71 20 04 58 07"};
constexpr std::string_view kRebirthByHand =
    "08 80 94 94 ca ca 33 "                                            // timestamp
    "12 21 0a 14 4e 6f 64 65 20 43 6f 6e 74 72 6f 6c 2f 52 65 62 69 "  // Node Control/Rebi
    "72 74 68 18 80 94 94 ca ca 33 20 0b 70 01";                       //   rth, timestamp, Boolean: true

TEST_F(SparkplugTest, ReadsAndWritesBytesThatWereEncodedByHand) {
  take("spBv1.0/plant/NBIRTH/edge", bytes_of(kBirthByHand));
  for (const auto& [name, text] : std::map<std::string, std::string>{{"pressure", "2.5 bar"},
                                                                     {"count", "-3"},
                                                                     {"level", "0.5"},
                                                                     {"on", "1"},
                                                                     {"mode", "auto"},
                                                                     {"gone", "bad device_fault"},
                                                                     {"flow", "5000000000"}})
    EXPECT_EQ(last("plant/edge/" + name), text) << name;
  EXPECT_EQ(sink.names().size(), 7u);
  EXPECT_EQ(sink.last("plant/edge/pressure")->time, now - std::chrono::milliseconds(1500));
  EXPECT_EQ(sink.last("plant/edge/flow")->time, now - std::chrono::hours(1));
  EXPECT_THAT(sink.rejected(), IsEmpty());
  take("spBv1.0/plant/NDATA/edge", bytes_of(kDataByHand));
  EXPECT_EQ(last("plant/edge/pressure"), "3.25 bar");  // its number followed
  EXPECT_EQ(last("plant/edge/count"), "-3");
  EXPECT_THAT(refused(), HasSubstr("historical, and without a time"));
  take("spBv1.0/plant/NDEATH/edge", bytes_of(kDeathsByHand[0]));
  EXPECT_EQ(last("plant/edge/pressure"), "3.25 bar");
  take("spBv1.0/plant/NDEATH/edge", bytes_of(kDeathsByHand[1]));
  EXPECT_EQ(last("plant/edge/pressure"), "bad no_answer");
  EXPECT_THAT(outbox.published, IsEmpty());
  EXPECT_EQ(sparkplug::rebirth_request(millis()), bytes_of(kRebirthByHand));
}

TEST_F(SparkplugTest, RefusesWhatIsNone) {
  take("spBv1.0/plant/NBIRTH/edge", "hello");
  EXPECT_EQ(refused(), "no Sparkplug B payload");
  std::string many;
  for (int i = 0; i < 30'000; ++i) many += std::string("\x12\x00", 2);
  take("spBv1.0/plant/NBIRTH/edge", many);
  EXPECT_EQ(refused(), "more than 20000 metrics in one message");
  take("spBv1.0/plant/NBIRTH/edge", payload(0).bytes(), true);
  EXPECT_EQ(refused(), "retained: a Sparkplug message never is");
  EXPECT_THAT(sink.names(), IsEmpty());
}

TEST_F(SparkplugTest, IsUnsureAfterAConnectionOfItsOwn) {
  node_birth();
  readers->connected(now);
  EXPECT_EQ(outbox.published.size(), 1u);
  take("spBv1.0/plant/NDATA/edge", payload(1).by_alias(1).number(1).bytes());
  EXPECT_EQ(last("plant/edge/pressure"), "uncertain no_answer 1 bar");
  node_birth();
  EXPECT_EQ(last("plant/edge/pressure"), "2.5 bar");
}

TEST_F(SparkplugTest, AsksNobodyWhereItMayNot) {
  use("profile: sparkplug, sparkplug: {rebirth: false}");
  take("spBv1.0/plant/NDATA/edge", payload(7).by_alias(1).number(1).bytes());
  EXPECT_THAT(outbox.published, IsEmpty());
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
