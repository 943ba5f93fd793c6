// Peers that come and go, all kinds of them at once: each is lost, is seen to be lost, and is back, again and again,
// and the gateway holds no more descriptors, threads and memory than before. `./test soak` does it 1,440 times: once a
// minute of a day.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <thread>

#include "tests/bench/process.h"
#include "tests/drivers/coap/server.h"
#include "tests/drivers/modbus/serial_line.h"
#include "tests/e2e/small_plant.h"
#include "tests/support/held.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;

/// Faster than a plant is asked, for a day's worth of losses is to be seen in two hours.
const Pace kPace{.every = "500ms", .timeout = "500ms"};

/// The small plant, a CoAP server, and Modbus units on a serial line.
class Peers {
 public:
  Peers() {
    tank_.put("t", "21.5");
    start_line();
  }

  std::string configuration() const {
    const std::string more = fmt::format(R"(  - name: tank
    type: coap
    host: 127.0.0.1
    port: {}
    every: {}
    resources: [{{path: /t, points: [{{name: t, kind: number}}]}}]
  - name: line
    type: modbus
    serial: {{port: "{}"}}
    every: {}
    devices: [{{name: far, unit: 1, points: [{{name: x, holding: 7}}]}}]
)",
                                         tank_.port(), kPace.every, line_.end(1), kPace.every);
    return plant_.configuration(more, kPace);
  }

  /// All of them; the broker too where it is wanted.
  void lose(bool broker) {
    if (broker) plant_.broker.kill();
    broker_is_lost_ = broker;
    plant_.units->process().kill();
    plant_.agent.kill();
    plant_.web.kill();
    plant_.scale.unplug();
    tank_.kill();
    far_.reset();
    line_.unplug();
  }
  void bring_back() {
    if (broker_is_lost_) plant_.broker.start();
    plant_.start_units();
    plant_.agent.start();
    plant_.web.start();
    plant_.scale.plug_in();
    tank_.start();
    tank_.put("t", "21.5");
    line_.plug_in();
    start_line();
  }
  void say() { plant_.say(); }
  void publish() { plant_.publish(); }
  std::vector<std::string> wrong(const test::GatewayProcess& gateway) const { return plant_.wrong(gateway); }

 private:
  void start_line() {
    if (!line_.plugged()) throw std::runtime_error("no serial line: is socat there?");
    far_ = std::make_unique<test::Simulator>("serial", line_.end(2));
    if (!far_->ready()) throw std::runtime_error("no Modbus units on the line: " + far_->process().output());
  }

  SmallPlant plant_;
  test::CoapServer tank_;
  test::TempDir folder_;
  test::SerialLine line_{folder_.path().string()};
  std::unique_ptr<test::Simulator> far_;
  bool broker_is_lost_ = false;
};

constexpr const char* kOfBroker = "field";

/// The sources whose health is not this one, but for the broker's, and what they say.
std::vector<std::string> not_yet(const test::GatewayProcess& gateway, const std::string& health) {
  std::vector<std::string> others;
  const json state = get_json(gateway, "/api/v1/state");
  for (const json& source : state["sources"]) {
    if (source["name"] == kOfBroker || source["health"] == health) continue;
    others.push_back(fmt::format("{}: {}", source["name"].get<std::string>(), source["text"].get<std::string>()));
  }
  return others;
}

class Flap : public testing::Test {
 protected:
  void reaches(const std::string& health) {
    std::vector<std::string> others;
    ASSERT_TRUE(eventually(
        [&] {
          if (health == "up") peers_.say();
          std::this_thread::sleep_for(50ms);
          others = not_yet(gateway_, health);
          return others.empty();
        },
        120s))
        << fmt::format("not {}: {}", health, fmt::join(others, "; "));
  }
  // A broker that goes again and again is waited for longer and longer: it is lost whenever the gateway has it back.
  void once() {
    const bool broker = broker_is_up();
    lost_brokers_ += broker ? 1 : 0;
    peers_.lose(broker);
    ASSERT_NO_FATAL_FAILURE(reaches("down"));
    peers_.bring_back();
    ASSERT_NO_FATAL_FAILURE(reaches("up"));
  }

  bool broker_is_up() const { return source_named(gateway_, kOfBroker, "up"); }
  test::Held held() { return test::held_by(gateway_.process().pid()); }
  double mebibytes() { return bench::resident_mebibytes(gateway_.process().pid()); }
  void tell(int turn) {
    const test::Held now = held();
    std::cout << fmt::format("{} turns, the broker lost {} times: {} descriptors, {} threads, {:.1f} MiB\n", turn,
                             lost_brokers_, now.descriptors, now.threads, mebibytes())
              << std::flush;
  }

  int lost_brokers_ = 0;
  Peers peers_;
  test::GatewayProcess gateway_{kProgram, peers_.configuration()};
};

TEST_F(Flap, LeavesNothingBehind) {
  const int times = test::flaps(2);
  // A few turns say nothing of memory; there AddressSanitizer looks for leaks as the gateway ends.
  const bool weighed = times >= 100;
  gateway_.start();
  ASSERT_TRUE(eventually([&] { return broker_is_up(); }));
  ASSERT_NO_FATAL_FAILURE(reaches("up"));
  int warm = 0;
  // With the millionth sample, some minutes on, the log is first written to history: what that takes is no leak.
  const auto is_warm = [&] { return warm > 0 && (!weighed || gateway_.metric("tidegate_history_rounds_total") >= 1); };
  for (; !is_warm(); ++warm) ASSERT_NO_FATAL_FAILURE(once()) << "in turn " << warm << " of warming up";
  ASSERT_TRUE(eventually([&] { return broker_is_up(); }, 120s));
  const test::Held before = held();
  const double weight = mebibytes();
  tell(warm);
  for (int i = 1; i <= times; ++i) {
    ASSERT_NO_FATAL_FAILURE(once()) << "in turn " << i;
    if (i % 50 == 0) tell(i);
  }
  EXPECT_TRUE(eventually([&] { return broker_is_up(); }, 120s));
  EXPECT_GT(lost_brokers_, 0);
  EXPECT_TRUE(eventually([&] { return held().descriptors <= before.descriptors; }))
      << before.descriptors << " before, " << held().descriptors;
  EXPECT_TRUE(eventually([&] { return held().threads <= before.threads; }))
      << before.threads << " before, " << held().threads;
  if (weighed) {
    EXPECT_LT(mebibytes(), weight + 4) << "MiB, after " << times;
  }

  peers_.publish();
  std::vector<std::string> left;
  EXPECT_TRUE(eventually(
      [&] {
        peers_.say();
        left = peers_.wrong(gateway_);
        return left.empty();
      },
      60s))
      << fmt::format("{}", fmt::join(left, " "));
  EXPECT_EQ(gateway_.stop(), 0) << gateway_.process().output();
}

}  // namespace
}  // namespace tidegate::e2e
