// A backup of a gateway that runs, and a restore of it into one that runs: the real program, and kills of all
// concerned.

#include "gateway/journal/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"
#include "tests/support/publisher.h"
#include "tests/support/sse_client.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::Finished;
using test::GatewayProcess;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

constexpr Seq kAll{std::numeric_limits<std::int64_t>::max()};

/// Publishes 0, 1, 2, ... until it goes.
class Load {
 public:
  explicit Load(int port) : thread_([port](const std::stop_token& stop) { run(port, stop); }) {}

 private:
  static void run(int port, const std::stop_token& stop) {
    test::Publisher publisher(port, "load");
    for (int i = 0; !stop.stop_requested(); ++i) {
      publisher.publish("plant/counter/n", std::to_string(i), 1);
      publisher.flush();
      std::this_thread::sleep_for(2ms);
    }
  }
  std::jthread thread_;
};

using Readings = std::vector<std::pair<Timestamp, double>>;

/// What a store has of counter/n up to a batch, in order of time.
Readings readings(const fs::path& store, Seq through) {
  GatewayClock clock;
  Metrics metrics;
  journal::Options options;
  options.directory = store;
  const auto journal = journal::Journal::open(options, clock, metrics);
  EXPECT_TRUE(journal) << (journal ? "" : journal.error().text);
  Readings found;
  if (!journal) return found;
  EXPECT_THAT((*journal)->notices(), testing::IsEmpty());
  const auto counter = (*journal)->catalogue().find("counter/n");
  for (Seq after{0}; after < through;) {
    const auto batches = (*journal)->read(after);
    if (!batches || batches->empty()) break;
    for (const auto& batch : *batches) {
      EXPECT_FALSE(batch->gap);
      for (const Sample& one : batch->samples) {
        if (counter && one.series == *counter && batch->seq <= through) found.emplace_back(one.time, one.value);
      }
      after = batch->seq;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Backup, UnderLoadIsExactlyWhatWasStoredThenThroughKillsOfAllConcerned) {
  test::Broker field;
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), "", "ack: committed\n    session_expiry: 1h"));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return gateway.get("/api/v1/state").find("connected to mqtt") != std::string::npos; }));
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const test::TempDir copies;
  std::vector<fs::path> backups;
  {
    const Load load(field.port());
    for (int i = 0; i < 6; ++i) {
      wait_for_samples(gateway, 20 + static_cast<double>(random() % 100));
      const fs::path folder = copies / std::to_string(i);
      if (i % 3 == 2) {  // one that is killed itself leaves none, and is in nobody's way
        test::Process cut_off({kProgram, "backup", folder, "--data", gateway.data()});
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
        cut_off.kill();
        if (fs::exists(folder)) fs::remove_all(folder);  // it was quicker
      }
      const Finished made = tidegate({"backup", folder, "--data", gateway.data()});
      ASSERT_EQ(made.status, 0) << made.output;
      backups.push_back(folder);
      if (i % 2 == 1) {
        gateway.kill();
        gateway.start();
      }
    }
  }
  EXPECT_EQ(gateway.stop(), 0);

  for (const fs::path& folder : backups) {
    SCOPED_TRACE(folder);
    const auto made = journal::read_backup(folder);
    ASSERT_TRUE(made);
    const Readings stored = readings(gateway.data(), made->last);
    EXPECT_GT(stored.size(), 10u);
    EXPECT_EQ(tidegate({"store", "check", "--data", folder}).status, 0);
    const fs::path store = copies / ("restored-" + folder.filename().string());
    const Finished restored = tidegate({"restore", folder, "--data", store});
    ASSERT_EQ(restored.status, 0) << restored.output;
    EXPECT_EQ(readings(store, kAll), stored);
  }

  const fs::path store = copies / "restored-0";
  const Readings first = readings(store, kAll);
  const auto last = journal::read_backup(backups.back());
  const Readings newest = readings(gateway.data(), last->last);
  int replaced = 0;
  for (int i = 0; i < 10; ++i) {
    test::Process cut_off({kProgram, "restore", backups.back(), "--force", "--data", store});
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    cut_off.kill();
    const Readings found = readings(store, kAll);
    replaced += found == newest ? 1 : 0;
    EXPECT_TRUE(found == newest || (replaced == 0 && found == first)) << "the one or the other";
  }
}

/// A gateway that takes numbers in, and what it has stored of them.
class RestoreWhileRunning : public testing::Test {
 protected:
  RestoreWhileRunning()
      : gateway(kProgram, plant_configuration(field.url(), cloud.url())), upstream(cloud.subscribe("site/#")) {}

  void start() {
    gateway.start();
    wait_until_connected();
  }
  void wait_until_connected() {
    ASSERT_TRUE(
        eventually([&] { return gateway.get("/api/v1/state").find("connected to mqtt") != std::string::npos; }));
  }
  /// The next `count` numbers, on disk when it returns.
  void publish(int count) {
    const auto stored = [&] { return gateway.metric("tidegate_journal_committed_samples_total"); };
    const double before = stored();
    test::Publisher publisher(field.port(), "numbers");
    for (int i = 0; i < count; ++i) publisher.publish("plant/counter/n", std::to_string(next++), 1);
    publisher.flush();
    ASSERT_TRUE(eventually([&] { return stored() >= before + count; }));
  }
  std::vector<std::string> restore_command(const fs::path& from) const {
    return {kProgram, "restore", from, "--force", "--data", gateway.data()};
  }
  Finished back_up(const fs::path& to) const { return tidegate({"backup", to, "--data", gateway.data()}); }

  static std::vector<double> values(const fs::path& store) {
    std::vector<double> found;
    for (const auto& reading : readings(store, kAll)) found.push_back(reading.second);
    return found;
  }
  static std::vector<double> numbers(std::initializer_list<std::pair<int, int>> ranges) {
    std::vector<double> all;
    for (const auto& [from, to] : ranges) {
      for (int i = from; i < to; ++i) all.push_back(i);
    }
    return all;
  }
  /// What the uplink has sent, each number once.
  std::vector<double> arrived() const {
    std::set<double> all;
    for (const auto& value : read_upstream(upstream->output()).values) all.insert(value.value);
    return {all.begin(), all.end()};
  }
  /// The one folder in which a restore has put what was there before.
  fs::path aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(gateway.data())) {
      if (entry.path().filename().string().starts_with("replaced-")) found.push_back(entry.path());
    }
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? fs::path() : found[0];
  }

  test::Broker field, cloud;
  GatewayProcess gateway;
  std::unique_ptr<test::Process> upstream;
  test::TempDir copies;
  int next = 0;
};

TEST_F(RestoreWhileRunning, TheGatewayGoesOnWithItInTheSameProcess) {
  start();
  publish(100);
  ASSERT_EQ(back_up(copies / "then").status, 0);
  publish(50);
  test::SseClient viewer = gateway.viewer();
  const auto hello = viewer.wait_for("hello");
  ASSERT_TRUE(hello);

  const Finished refused = tidegate({"restore", copies / "then", "--data", gateway.data()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("with --force it is set aside"));
  publish(50);  // as if nothing had been asked
  EXPECT_TRUE(eventually([&] { return arrived() == numbers({{0, 200}}); }));

  const Finished restored = test::run(restore_command(copies / "then"));
  EXPECT_EQ(restored.status, 0) << restored.output;
  EXPECT_THAT(restored.output, HasSubstr(gateway.data().string() + " is as it was at "));
  EXPECT_THAT(restored.output, HasSubstr("the gateway that runs has taken it"));
  EXPECT_THAT(restored.output, HasSubstr("is in " + aside().string()));
  EXPECT_TRUE(viewer.wait_for("bye"));
  EXPECT_TRUE(viewer.ended());

  wait_until_connected();
  ASSERT_TRUE(gateway.process().running()) << "the same process";
  test::SseClient again = gateway.viewer(hello->json().at("epoch").get<std::string>() + ":1");
  const auto new_hello = again.wait_for("hello");
  ASSERT_TRUE(new_hello);
  EXPECT_NE(new_hello->json().at("epoch"), hello->json().at("epoch"));
  const auto gap = again.wait_for("gap");
  ASSERT_TRUE(gap) << "what it knew of the log is void";
  EXPECT_EQ(gap->json().at("why"), "epoch");
  publish(10);
  EXPECT_TRUE(eventually([&] { return arrived() == numbers({{0, 210}}); })) << "the uplink goes on in the new epoch";
  EXPECT_EQ(gateway.stop(), 0) << gateway.process().output();
  EXPECT_THAT(gateway.process().output(), Not(HasSubstr("critical")));
  EXPECT_EQ(values(gateway.data()), numbers({{0, 100}, {200, 210}}));
  EXPECT_EQ(values(aside()), numbers({{0, 200}})) << "all that was taken in is on disk";
}

/// "127.0.0.1:40123", each time that the gateway said where its dashboard is.
std::vector<std::string> addresses(const std::string& output) {
  constexpr std::string_view kBefore = "dashboard: http://";
  std::vector<std::string> found;
  for (auto at = output.find(kBefore); at != output.npos; at = output.find(kBefore, at + 1)) {
    const auto begin = at + kBefore.size();
    found.push_back(output.substr(begin, output.find('/', begin) - begin));
  }
  return found;
}

TEST(RestoreOnAnyPort, TheDashboardIsWhereItWas) {
  const test::TempDir directory;
  directory.write("tidegate.yaml", "sources: [{name: gateway, type: self}]\n");
  const fs::path data = directory / "data";
  test::Process gateway(
      {kProgram, "run", "--config", directory / "tidegate.yaml", "--data", data, "--listen", "127.0.0.1:0"});
  ASSERT_TRUE(eventually([&] { return addresses(gateway.output()).size() == 1; })) << gateway.output();
  ASSERT_EQ(tidegate({"backup", directory / "then", "--data", data}).status, 0);
  ASSERT_EQ(tidegate({"restore", directory / "then", "--force", "--data", data}).status, 0);
  ASSERT_TRUE(eventually([&] { return addresses(gateway.output()).size() == 2; })) << gateway.output();
  EXPECT_EQ(addresses(gateway.output()).at(0), addresses(gateway.output()).at(1));
  EXPECT_EQ(gateway.terminate(), 0);
}

TEST_F(RestoreWhileRunning, OneThatIsKilledOrKillsTheGatewayLeavesTheOldStoreOrTheRestoredOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  start();
  publish(40);
  ASSERT_EQ(back_up(copies / "then").status, 0);
  const std::vector<double> then = numbers({{0, next}});
  std::vector<double> there = then;
  int taken = 0;
  for (int i = 0; i < test::kills(9); ++i) {
    SCOPED_TRACE(i);
    publish(20);
    for (int number = next - 20; number < next; ++number) there.push_back(number);
    test::Process command(restore_command(copies / "then"));
    if (i % 3 == 0) {  // anywhere in the command
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1200));
      command.kill();
    } else {  // or while the gateway takes it, and perhaps both
      ASSERT_TRUE(gateway.process().wait_for_output("a restored store is ready")) << command.output();
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
      gateway.kill();
      if (i % 3 == 1) command.kill();
    }
    const bool said_done = i % 3 == 2 && command.wait(20s) == 0;
    if (i % 3 == 0) gateway.stop();
    const std::vector<double> found = values(gateway.data());
    EXPECT_TRUE(found == then || (!said_done && found == there)) << "the one or the other";
    taken += found == then ? 1 : 0;
    there = found;
    start();
    EXPECT_FALSE(fs::exists(gateway.data() / "restore.ready"));
    if (HasFailure()) return;
  }
  EXPECT_GT(taken, 0);
}

TEST(Backup, ByHttpIsAStoreThatRestoreTakes) {
  GatewayProcess gateway(kProgram, "sources: [{name: pushed, type: push}]\n");
  gateway.start();
  const auto push = [&] {
    return gateway.http().post("/api/v1/samples", R"({"samples": [{"series": "counter/n", "value": 42}]})").status ==
           200;
  };
  ASSERT_TRUE(eventually(push));
  const auto answer = gateway.http().get("/api/v1/backup");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(std::to_string(answer.body.size()), answer.headers.at("content-length"));
  EXPECT_TRUE(eventually([&] { return !fs::exists(gateway.data() / "backup.sent"); })) << "nothing is left behind";
  EXPECT_THAT(gateway.get("/api/v1/audit"), HasSubstr("\"what\":\"backup\""));

  const test::TempDir elsewhere;
  elsewhere.write("b.tar", answer.body);
  const auto unpacked = test::run({"tar", "-xf", elsewhere / "b.tar", "-C", elsewhere.path()});
  ASSERT_EQ(unpacked.status, 0) << unpacked.output;
  fs::path folder;
  for (const auto& entry : fs::directory_iterator(elsewhere.path())) {
    if (entry.is_directory()) folder = entry.path();
  }
  EXPECT_TRUE(journal::read_backup(folder));
  const auto restored = tidegate({"restore", folder, "--data", elsewhere / "store"});
  EXPECT_EQ(restored.status, 0) << restored.output;
  EXPECT_EQ(readings(elsewhere / "store", kAll).size(), 1u);
}

}  // namespace
}  // namespace tidegate::e2e
