// A Sparkplug B host, with what an edge node sends.

#include <gmock/gmock.h>

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
