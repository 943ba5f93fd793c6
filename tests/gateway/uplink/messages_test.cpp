// What rules publish, from the journal to a real broker.

#include <gmock/gmock.h>

#include <sstream>

#include "tests/gateway/journal/support.h"
#include "tests/gateway/uplink/make_uplink.h"
#include "tests/support/broker.h"

namespace tidegate::uplink {
namespace {

using namespace std::chrono_literals;
using test::Broker;
using test::eventually;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a subscriber got, a line a message, without what its client says of itself.
std::string received(const test::Process& subscriber) {
  std::istringstream lines(subscriber.output());
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Client ") && !line.starts_with("Subscribed ")) out += line + "\n";
  }
  return out;
}

/// Each line once where it stands twice in a row: what was under way when the broker went comes again (QoS 1).
std::string once(const std::string& text) {
  std::istringstream lines(text);
  std::string out, last;
  for (std::string line; std::getline(lines, line); last = line) {
    if (line != last) out += line + "\n";
  }
  return out;
}

class Messages : public journal::JournalTest {
 protected:
  void SetUp() override {
    open();
    id = series("boiler1/temperature");
  }
  void start(const std::string& broker) {
    auto uplink = make_uplink("mqtt_messages", "lamps", "broker: \"" + broker + "\"", *journal);
    runner = std::make_unique<Runner>(Runner::Section{"lamps", "mqtt_messages", ""}, std::move(uplink), *journal, clock,
                                      metrics);
    runner->start();
  }
  void raise(std::vector<Publication> publications) {
    Event event = journal::transition(journal::alert("hot:boiler1", Phase::active), clock.now());
    std::get<AlertTransition>(event.body).publish = std::move(publications);
    Batch batch;
    batch.events = {std::move(event)};
    append(std::move(batch));
  }

  SeriesId id{};
  std::unique_ptr<Runner> runner;
};

TEST_F(Messages, AreWhatItsRulesPublishAndNothingElse) {
  Broker broker;
  const auto all = broker.subscribe("#", {"-q", "1"});
  for (int i = 0; i < 5; ++i) append_samples({sample(id, i)});
  raise({{"lamps", "lamp/boiler1", "on", true}, {"elsewhere", "horn", "loud"}});
  raise({});
  raise({{"lamps", "lamp/boiler2", ""}, {"lamps", "lamp/boiler1", "off"}});
  start(broker.url());
  ASSERT_TRUE(all->wait_for_output("lamp/boiler1 off"));
  EXPECT_EQ(received(*all), "lamp/boiler1 on\nlamp/boiler2 \nlamp/boiler1 off\n");
  const auto later = broker.subscribe("#", {"-q", "1"});
  EXPECT_TRUE(later->wait_for_output("lamp/boiler1 on\n")) << "it is retained";
  append_samples({sample(id, 7)});
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_batches == 0; })) << "samples are not for it";
  EXPECT_EQ(runner->stats().lost_batches, 0u);
}

TEST_F(Messages, WaitForABrokerThatIsAway) {
  Broker broker({.persistence = true});
  const auto lamp = broker.subscribe("lamp", {"-q", "1", "-c", "-i", "lamp"});
  start(broker.url());
  raise({{"lamps", "lamp", "1"}});
  ASSERT_TRUE(lamp->wait_for_output("lamp 1"));
  broker.stop();
  raise({{"lamps", "lamp", "2"}});
  append_samples({sample(id, 7)});
  raise({{"lamps", "lamp", "3"}});
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::down; }));
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_batches == 3; }));
  runner.reset();
  start(broker.url());
  broker.start();
  ASSERT_TRUE(lamp->wait_for_output("lamp 3"));
  EXPECT_EQ(once(received(*lamp)), "lamp 1\nlamp 2\nlamp 3\n");
}

TEST_F(Messages, ThatTheBrokerNeverTakesArePutAside) {
  Broker broker({.lines = {"max_packet_size 300"}});
  const auto lamp = broker.subscribe("lamp", {"-q", "1"});
  raise({{"lamps", "lamp", std::string(400, 'x')}});
  raise({{"lamps", "lamp", "2"}});
  start(broker.url());
  ASSERT_TRUE(lamp->wait_for_output("lamp 2"));
  EXPECT_THAT(lamp->output(), Not(HasSubstr("xx")));
  EXPECT_TRUE(eventually([&] { return runner->stats().lost_batches == 1; }));
}

}  // namespace
}  // namespace tidegate::uplink
