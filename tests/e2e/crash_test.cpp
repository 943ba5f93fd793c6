// kill -9 at random moments under load, again and again, with an oracle that knows every message that was published.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>

#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"
#include "tests/support/publisher.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr auto kRestart = 3s;  ///< from the start of the process to the page

/// Publishes 0, 1, 2, ... on one topic and a temperature that crosses the limit every ten messages, until stopped.
class Load {
 public:
  explicit Load(int port) : thread_([this, port](std::stop_token stop) { run(port, stop); }) {}
  /// How many were published and acknowledged by the broker.
  int stop() {
    thread_.request_stop();
    thread_.join();
    return count_;
  }

 private:
  void run(int port, const std::stop_token& stop) {
    test::Publisher publisher(port, "load");
    while (!stop.stop_requested()) {
      publisher.publish("plant/counter/n", std::to_string(count_), 1);
      if (count_ % 10 == 0) publisher.publish("plant/boiler/temperature", count_ % 20 == 0 ? "95" : "20", 1);
      publisher.flush();
      ++count_;
      std::this_thread::sleep_for(10ms);  // a commit a message keeps up with this
    }
  }

  std::atomic<int> count_{0};
  std::jthread thread_;
};

/// The time that a start took after a kill. Every third time another kill comes first, while the start goes on.
std::chrono::milliseconds kill_and_start(test::GatewayProcess& gateway, std::mt19937& random) {
  gateway.kill();
  if (random() % 3 == 0) {
    gateway.launch();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    gateway.kill();
  }
  const auto began = std::chrono::steady_clock::now();
  gateway.start();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

/// One that the machine's other work held up is no fault of the gateway's; many are.
void expect_quick(std::vector<std::chrono::milliseconds> starts) {
  std::sort(starts.begin(), starts.end());
  const auto usual = starts[starts.size() * 9 / 10];
  EXPECT_LT(usual, kRestart) << "nine of ten starts";
  testing::Test::RecordProperty("restart_p50_ms", static_cast<int>(starts[starts.size() / 2].count()));
  testing::Test::RecordProperty("restart_max_ms", static_cast<int>(starts.back().count()));
}

struct Stored {
  std::set<int> numbers;
  std::vector<std::string> transitions;
  std::set<std::int64_t> seqs;
};

/// What the journal holds, read after the last stop.
Stored read_journal(const std::filesystem::path& directory) {
  GatewayClock clock;
  Metrics metrics;
  journal::Options options;
  options.directory = directory;
  const auto journal = journal::Journal::open(options, clock, metrics);
  EXPECT_TRUE(journal) << (journal ? "" : journal.error().text);
  if (!journal) return {};
  EXPECT_TRUE((*journal)->notices().empty()) << (*journal)->notices().front();
  Stored stored;
  const auto counter = (*journal)->catalogue().find("counter/n");
  for (Seq after{0}; after < (*journal)->last();) {
    const auto batches = (*journal)->read(after);
    if (!batches || batches->empty()) break;
    for (const auto& batch : *batches) {
      EXPECT_FALSE(batch->gap) << batch->gap->why;
      if (batch->gap) return stored;
      EXPECT_TRUE(stored.seqs.insert(number(batch->seq)).second);
      for (const Sample& sample : batch->samples) {
        if (counter && sample.series == *counter) stored.numbers.insert(static_cast<int>(sample.value));
      }
      for (const Event& event : batch->events) {
        if (const auto* t = std::get_if<AlertTransition>(&event.body)) stored.transitions.push_back(t->cause);
      }
      after = batch->seq;
    }
  }
  return stored;
}

TEST(Crash, KillsLoseNothingAcknowledgedAndAnnounceNothingTwice) {
  test::BrokerOptions lines;
  lines.lines = {"max_queued_messages 0", "max_inflight_messages 50"};
  test::Broker field(lines), cloud;
  const auto upstream = cloud.subscribe("site/#");
  // The broker keeps what was not on disk, and sends it again.
  test::GatewayProcess gateway(kProgram,
                               plant_configuration(field.url(), cloud.url(), "ack: committed\n    session_expiry: 1h"));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return gateway.get("/api/v1/state").find("connected to mqtt") != std::string::npos; }));
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Load load(field.port());
  std::vector<std::chrono::milliseconds> starts;
  const int kills = test::kills(100);
  for (int i = 0; i < kills; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
    starts.push_back(kill_and_start(gateway, random));
  }
  expect_quick(std::move(starts));
  const int published = load.stop();
  ASSERT_GT(published, kills);
  const auto all_stored = [&] {
    const std::string series = gateway.get("/api/v1/series");
    return series.find("\"counter/n\"") != std::string::npos &&
           gateway.get("/api/v1/history?series=counter/n&points=1").find(std::to_string(published - 1)) !=
               std::string::npos;
  };
  EXPECT_TRUE(eventually(all_stored, 60s)) << gateway.get("/api/v1/state");
  // Alerts go first, samples after: when the last number has arrived upstream, so has every alert.
  EXPECT_TRUE(eventually(
      [&] {
        const auto sent = read_upstream(upstream->output());
        return !sent.values.empty() && std::any_of(sent.values.rbegin(), sent.values.rend(), [&](const auto& v) {
          return v.series == "counter/n" && v.value == published - 1;
        });
      },
      60s))
      << gateway.get("/api/v1/state") << gateway.process().output();
  EXPECT_EQ(gateway.stop(), 0);

  const Stored stored = read_journal(gateway.data());
  std::vector<int> missing;
  for (int i = 0; i < published; ++i) {
    if (!stored.numbers.contains(i)) missing.push_back(i);
  }
  EXPECT_TRUE(missing.empty()) << missing.size() << " of " << published
                               << " acknowledged messages are not stored, the first " << missing.front();
  for (std::size_t i = 0; i < stored.transitions.size(); ++i) {
    EXPECT_EQ(stored.transitions[i], i % 2 == 0 ? "raised" : "cleared") << "transition " << i;
  }
  EXPECT_GT(stored.transitions.size(), 2u);
  const auto sent = read_upstream(upstream->output());
  EXPECT_EQ(sent.alert_causes.size(), stored.transitions.size()) << "upstream saw other alerts than the journal holds";
  std::set<int> arrived;
  for (const auto& value : sent.values) {
    if (value.series == "counter/n") arrived.insert(static_cast<int>(value.value));
  }
  std::vector<int> not_sent;
  std::set_difference(stored.numbers.begin(), stored.numbers.end(), arrived.begin(), arrived.end(),
                      std::back_inserter(not_sent));
  EXPECT_TRUE(not_sent.empty()) << not_sent.size() << " of " << published << " never arrived upstream, from "
                                << not_sent.front() << " to " << not_sent.back();
  const auto check = test::run({"sqlite3", gateway.data() / "journal.db", "PRAGMA integrity_check"});
  EXPECT_EQ(check.output, "ok\n");
}

}  // namespace
}  // namespace tidegate::e2e
