// From the journal to a real broker.

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/gateway/journal/support.h"
#include "tests/gateway/uplink/make_uplink.h"
#include "tests/support/broker.h"
#include "tests/support/temp_dir.h"

namespace tidegate::uplink {
namespace {

using namespace std::chrono_literals;
using test::Broker;
using test::eventually;
using ::testing::HasSubstr;

class MqttUplink : public journal::JournalTest {
 protected:
  void SetUp() override {
    open();
    id = series("boiler1/temperature");
  }
  std::unique_ptr<Uplink> make(const std::string& broker, const std::string& more) {
    return make_uplink("mqtt", "cloud", "broker: \"" + broker + "\"" + more, *journal);
  }
  void start(const std::string& broker, const std::string& more = "") {
    runner =
        std::make_unique<Runner>(Runner::Section{"cloud", "mqtt", ""}, make(broker, more), *journal, clock, metrics);
    runner->start();
  }
  void samples(int from, int to) {
    for (int i = from; i < to; ++i) append_samples({sample(id, i)});
  }
  bool delivered() {
    return eventually([&] { return runner->stats().backlog_batches == 0 && runner->stats().last_ack.has_value(); },
                      60s);
  }
  std::string message_id(int seq) const { return "plant-7/" + journal->epoch() + "/" + std::to_string(seq); }

  SeriesId id{};
  std::unique_ptr<Runner> runner;
};

/// The messages of a topic, in order of arrival; a message that came again stands there again.
std::vector<nlohmann::json> messages(const std::string& output, const std::string& topic) {
  std::vector<nlohmann::json> out;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(topic + " ")) out.push_back(nlohmann::json::parse(line.substr(topic.size() + 1)));
  }
  return out;
}

TEST_F(MqttUplink, DeliversSamplesAndAlertsAndSaysThatItIsOnline) {
  Broker broker;
  const auto cloud = broker.subscribe("tidegate/#", {"-q", "1"});
  samples(0, 3);
  Batch batch;
  batch.events = {journal::transition(journal::alert("hot:boiler1", Phase::active), clock.now())};
  append(std::move(batch));
  start(broker.url());
  ASSERT_TRUE(cloud->wait_for_output(message_id(3) + "\""));
  const std::string output = cloud->output();
  const auto points = messages(output, "tidegate/plant-7/samples");
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[2]["series"]["boiler1/temperature"]["points"][0][1], 2);
  EXPECT_EQ(points[0]["id"], message_id(1));
  EXPECT_LT(output.find("tidegate/plant-7/alerts"), output.find("tidegate/plant-7/samples"));
  EXPECT_EQ(messages(output, "tidegate/plant-7/alerts").at(0)["alerts"][0]["alert"]["id"], "hot:boiler1");
  EXPECT_THAT(output, HasSubstr(R"(tidegate/plant-7/status {"state":"online"})"));
  runner.reset();
  EXPECT_TRUE(cloud->wait_for_output(R"(tidegate/plant-7/status {"state":"offline"})"));
}

class EveryVersion : public MqttUplink, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(MqttUplink, EveryVersion, ::testing::Values("5", "3.1.1"));

TEST_P(EveryVersion, LosesNothingAndKeepsTheOrderWhileTheBrokerComesAndGoes) {
  Broker broker({.persistence = true});
  // A session of its own, so that the broker keeps for it what comes while it connects again.
  const auto cloud = broker.subscribe("tidegate/#", {"-q", "1", "-c", "-i", "cloud"});
  start(broker.url(), std::string(", version: \"") + GetParam() + "\", max_in_flight: 20");
  samples(0, 100);
  ASSERT_TRUE(cloud->wait_for_output(message_id(50) + "\"", 60s));
  broker.stop();
  samples(100, 300);
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::down; }));
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_batches >= 200; }));
  broker.start();
  samples(300, 400);
  ASSERT_TRUE(delivered()) << runner->stats().text;
  ASSERT_TRUE(cloud->wait_for_output(message_id(400) + "\"", 60s));
  std::vector<int> firsts;
  for (const auto& message : messages(cloud->output(), "tidegate/plant-7/samples")) {
    const int value = message["series"]["boiler1/temperature"]["points"][0][1];
    EXPECT_EQ(message["id"], message_id(value + 1));
    if (std::find(firsts.begin(), firsts.end(), value) == firsts.end()) firsts.push_back(value);
  }
  ASSERT_EQ(firsts.size(), 400u);
  for (int i = 0; i < 400; ++i) EXPECT_EQ(firsts[static_cast<std::size_t>(i)], i);
}

TEST_F(MqttUplink, DrainsABacklogWithoutAPauseAtABrokerThatTakesLittleAtOnce) {
  Broker broker({.lines = {"max_inflight_messages 4"}});
  const auto cloud = broker.subscribe("tidegate/plant-7/samples", {"-q", "1"});
  samples(0, 300);
  start(broker.url(), ", max_in_flight: 200");
  // Paho alone looks once a second whether it may send the next four: over a minute.
  EXPECT_TRUE(cloud->wait_for_output(message_id(300) + "\""));
  EXPECT_EQ(messages(cloud->output(), "tidegate/plant-7/samples").size(), 300u);
}

TEST_F(MqttUplink, SaysThatTheBrokersCertificateEndsSoon) {
  Broker broker({.tls = true, .days = 5});
  samples(0, 3);
  start(broker.url(), ", tls: {ca: '" + broker.certificates().ca.string() + "'}");
  ASSERT_TRUE(delivered()) << runner->stats().text;
  const std::string words = "all that is stored is delivered; the broker's certificate ends within 7 days, at ";
  EXPECT_TRUE(eventually([&] { return runner->stats().text.starts_with(words); })) << runner->stats().text;
  EXPECT_EQ(runner->stats().health, SourceHealth::up);
  const Metric& ends = metrics.gauge("uplink/cloud/peer_certificate_expiry_timestamp", "s", "");
  const auto day = std::chrono::system_clock::now() + std::chrono::days(5);
  EXPECT_NEAR(ends.value(), std::chrono::duration<double>(day.time_since_epoch()).count(), 300);
}

TEST_F(MqttUplink, SaysWhyItCannotDeliver) {
  Broker broker({.user = "gateway", .password = "right"});
  samples(0, 1);
  start(broker.url(), ", user: gateway, password: hunter2");
  EXPECT_TRUE(eventually([&] { return runner->stats().text.find("password") != std::string::npos; }));
  EXPECT_EQ(runner->stats().health, SourceHealth::down);
  EXPECT_EQ(runner->stats().text.find("hunter2"), std::string::npos);
}

TEST_F(MqttUplink, AsksWhetherItMayPublishWhereTheBrokerRefusesAlertsAndDeliversTheSamples) {
  const test::TempDir of_broker;
  const auto rights = of_broker.write("acl",
                                      "topic read tidegate/#\ntopic write tidegate/plant-7/samples\n"
                                      "topic write tidegate/plant-7/status\n");
  Broker broker({.lines = {"acl_file " + rights.string()}});
  const auto cloud = broker.subscribe("tidegate/#", {"-q", "1"});
  Batch batch;
  batch.events = {journal::transition(journal::alert("hot:boiler1", Phase::active), clock.now())};
  append(std::move(batch));
  samples(0, 3);
  start(broker.url());
  EXPECT_TRUE(cloud->wait_for_output(message_id(4) + "\""));
  const std::string question = "not authorized; may we publish to 'tidegate/plant-7/alerts'?";
  EXPECT_TRUE(eventually([&] { return runner->stats().text.find(question) != std::string::npos; }))
      << runner->stats().text;
}

TEST_F(MqttUplink, TellsAGapWhereItsMessagesAreMissing) {
  Broker broker;
  const auto cloud = broker.subscribe("tidegate/#", {"-q", "1"});
  const auto uplink = make(broker.url(), "");
  for (const Lane lane : {Lane::alerts, Lane::samples}) {
    Batch gap;
    gap.seq = Seq{9};
    gap.gap = Gap{Seq{2}, Seq{9}, "retention"};
    const Parcel parcel{.batch = std::make_shared<const Batch>(std::move(gap))};
    ASSERT_TRUE(eventually([&] { return uplink->send(lane, {&parcel, 1}, {}).has_value(); }));
  }
  ASSERT_TRUE(cloud->wait_for_output("tidegate/plant-7/samples {"));
  const std::string output = cloud->output();
  EXPECT_EQ(messages(output, "tidegate/plant-7/alerts").size(), 1u);
  EXPECT_EQ(messages(output, "tidegate/plant-7/samples").size(), 1u);
  EXPECT_EQ(messages(output, "tidegate/plant-7/alerts").at(0)["gap"]["last"], 9);
}

TEST_F(MqttUplink, ConnectsBeforeThereIsAnythingToSend) {
  Broker broker;
  const auto cloud = broker.subscribe("tidegate/#");
  start(broker.url());
  EXPECT_TRUE(cloud->wait_for_output(R"(tidegate/plant-7/status {"state":"online"})"));
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::up; }));
  broker.stop();
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::down; }));
}

/// The limit of a broker that says it when we connect, of one that answers, and of one that can only go away.
struct Limit {
  const char* name;
  const char* line;
  const char* version;
};
class LargeBatch : public MqttUplink, public ::testing::WithParamInterface<Limit> {
 protected:
  std::string version() const { return std::string(", version: \"") + GetParam().version + "\""; }
};
INSTANTIATE_TEST_SUITE_P(MqttUplink, LargeBatch,
                         ::testing::Values(Limit{"Said", "max_packet_size 2000", "5"},
                                           Limit{"Answered", "message_size_limit 2000", "5"},
                                           Limit{"GoesAway", "max_packet_size 2000", "3.1.1"}),
                         [](const auto& limit) { return limit.param.name; });

TEST_P(LargeBatch, ArrivesInPartsThatFit) {
  Broker broker({.lines = {GetParam().line}});
  const auto cloud = broker.subscribe("tidegate/plant-7/samples", {"-q", "1"});
  std::vector<Sample> many;
  for (int i = 0; i < 120; ++i) many.push_back(sample(id, 1000 + i));
  samples(0, 2);
  append_samples(many);
  samples(3, 5);
  start(broker.url(), version());
  std::map<std::string, nlohmann::json> parts;  // what was on the way with the large one comes again
  std::multiset<int> values;
  const auto collect = [&] {
    parts.clear();
    values.clear();
    const std::string output = cloud->output();
    const std::string lines = output.substr(0, output.rfind('\n') + 1);
    for (const auto& message : messages(lines, "tidegate/plant-7/samples")) parts[message["id"]] = message;
    for (const auto& [part, message] : parts) {
      for (const auto& point : message["series"]["boiler1/temperature"]["points"]) values.insert(point[1].get<int>());
    }
    return values.size() >= 124;
  };
  EXPECT_TRUE(eventually(collect, 60s)) << values.size();
  EXPECT_EQ(values.size(), 124u);
  EXPECT_EQ(std::set<int>(values.begin(), values.end()).size(), 124u) << "the parts do not overlap";
  EXPECT_TRUE(parts.contains(message_id(3) + "/0"));
  EXPECT_EQ(runner->stats().lost_batches, 0u);
}

TEST_F(MqttUplink, OnlyTheSampleThatNoMessageHoldsIsAGap) {
  Broker broker({.lines = {"max_packet_size 600"}});
  const auto cloud = broker.subscribe("tidegate/plant-7/samples", {"-q", "1"});
  SeriesInfo wordy;
  wordy.unit = std::string(500, 'u');
  const auto too_long = journal->catalogue().intern("wordy", wordy);
  ASSERT_TRUE(too_long);
  std::vector<Sample> many(40, sample(id, 7));
  many[20].series = *too_long;
  append_samples(many);
  samples(0, 1);
  start(broker.url());
  ASSERT_TRUE(cloud->wait_for_output(message_id(2) + "\""));
  const std::string at = message_id(1) + "/20";
  std::size_t points = 0;
  for (const auto& message : messages(cloud->output(), "tidegate/plant-7/samples")) {
    if (message["id"] == at) {
      EXPECT_EQ(message["gap"].dump(), R"({"first":1,"last":1,"samples":1,"why":"refused"})");
    } else if (message["id"] != message_id(2)) {
      points += message["series"]["boiler1/temperature"]["points"].size();
    }
  }
  EXPECT_EQ(points, 39u);
  EXPECT_EQ(runner->stats().lost_batches, 1u);
  ASSERT_TRUE(journal->maintain());
  const auto letters = journal->dead_letters(10);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_THAT(letters->front().letter.payload, HasSubstr("commit 1: sample 21 of 40, of 'wordy' at "));
}

TEST_F(MqttUplink, CompressesWhenAsked) {
  Broker broker;
  const auto cloud = broker.subscribe("up/#", {"-q", "1", "-F", "%t %x"});
  samples(0, 1);
  start(broker.url(), ", topic: \"up/{gateway}\", compression: gzip");
  EXPECT_TRUE(cloud->wait_for_output("up/plant-7/samples 1f8b08"));
}

}  // namespace
}  // namespace tidegate::uplink
