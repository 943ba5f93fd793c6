// The driver on a CAN interface of the kernel's, by the sockets that it has on a gateway.

#include "tests/drivers/can/vcan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/can/error.h>

#include <cmath>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/held.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::can {
namespace {

using namespace std::chrono_literals;

class CanOnVcan : public testing::Test {
 protected:
  void SetUp() override {
    if (!vcan_.lacks().empty()) GTEST_SKIP() << vcan_.lacks();
  }
  void start(const std::string& more = "", const std::string& dbc = TIDEGATE_SOURCE_DIR "/drivers/can/sample.dbc") {
    std::string why;
    driver_ = test::make_driver(
        "{name: box, type: can, interface: vcan0, every: 0s, silent_after: 0s, dbc: '" + dbc + "'" + more + "}", clock_,
        metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    // A thread is in the network of the one that starts it.
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool listens() { return says(SourceHealth::up, "vcan0: "); }
  bool says(SourceHealth health, const std::string& text) { return sink_.wait_for_words(text, health); }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && std::abs(last->value - value) < 1e-9;
    });
  }
  /// The tank's level, in hundredths of a percent.
  static bool send_level(std::uint8_t level) { return Sender().send(0x123, {0, 0, level, 0, 0, 0, 0, 0}); }

  Vcan vcan_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

TEST_F(CanOnVcan, ReadsSignalsOfBothKindsOfFramesAndNothingElse) {
  start();
  ASSERT_TRUE(listens());
  const Sender sender;
  ASSERT_TRUE(sender.send(0x124, {1, 2, 3}));          // not in the file
  ASSERT_TRUE(sender.send(0x123 | CAN_RTR_FLAG, {}));  // asks for it
  ASSERT_TRUE(sender.send(0x123, {0, 0x12, 0x34, 0, 0, 0, 0, 0x80}));
  ASSERT_TRUE(reaches("box/Tank/Level", 46.6));
  EXPECT_EQ(sink_.last_label("box/Tank/Pump"), "running");
  ASSERT_TRUE(sender.send(0x0CF004FE | CAN_EFF_FLAG, {0, 0, 175, 0x40, 0x1F, 0, 0, 0}));
  ASSERT_TRUE(reaches("box/EEC1/EngineSpeed", 1000));
  EXPECT_EQ(sink_.last("box/EEC1/EngineTorque")->value, 50);
  EXPECT_EQ(sink_.samples("box/Tank/Level").size(), 1u);
}

TEST_F(CanOnVcan, KnowsJ1939ByItsGroupAndItsSender) {
  start(", j1939: true, sender: 0");
  ASSERT_TRUE(listens());
  const Sender sender;
  ASSERT_TRUE(sender.send(0x18F00403 | CAN_EFF_FLAG, {0, 0, 175, 0x80, 0x3E, 0, 0, 0}));  // another one's
  ASSERT_TRUE(sender.send(0x0CF00400 | CAN_EFF_FLAG, {0, 0, 175, 0x40, 0x1F, 0, 0, 0}));
  ASSERT_TRUE(reaches("box/EEC1/EngineSpeed", 1000));
  EXPECT_EQ(sink_.samples("box/EEC1/EngineSpeed").size(), 1u);
}

TEST_F(CanOnVcan, ReadsAllOfAFrameOfCanFd) {
  if (!vcan_.takes_fd()) GTEST_SKIP() << "the kernel's vcan has no CAN FD";
  const test::TempDir folder;
  start("",
        folder.write("pack.dbc", "BO_ 292 Pack: 64 Battery\n SG_ Voltage : 503|16@0+ (0.01,0) [0|0] \"V\" Display\n")
            .string());
  ASSERT_TRUE(listens());
  std::vector<std::uint8_t> data(CANFD_MAX_DLEN, 0xFF);
  data[62] = 0x9C, data[63] = 0x40;  // 40000, its highest byte first
  ASSERT_TRUE(Sender().send_fd(292, data));
  EXPECT_TRUE(reaches("box/Pack/Voltage", 400));
}

TEST_F(CanOnVcan, HearsThatTheControllerIsOffTheBusAndThatItIsBack) {
  start();
  ASSERT_TRUE(listens());
  const Sender sender;
  ASSERT_TRUE(sender.send(CAN_ERR_FLAG | CAN_ERR_BUSOFF, {0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(says(SourceHealth::down, "off the bus"));
  ASSERT_TRUE(send_level(100));
  EXPECT_TRUE(reaches("box/Tank/Level", 1));
  EXPECT_TRUE(listens());
}

TEST_F(CanOnVcan, AnInterfaceThatIsDownIsBadAndIsReadAgainWhenItIsUp) {
  start();
  ASSERT_TRUE(listens());
  ASSERT_TRUE(send_level(100));
  ASSERT_TRUE(reaches("box/Tank/Level", 1));
  vcan_.set_up(false);
  ASSERT_TRUE(sink_.wait_for_bad("box/Tank/Level", Reason::no_answer));
  EXPECT_TRUE(says(SourceHealth::down, "the bus is gone: Network is down"));
  vcan_.set_up(true);
  ASSERT_TRUE(listens());
  ASSERT_TRUE(send_level(200));
  EXPECT_TRUE(reaches("box/Tank/Level", 2));
}

TEST_F(CanOnVcan, AnInterfaceThatIsDeletedIsReadAgainWhenItIsMadeAnew) {
  start();
  ASSERT_TRUE(listens());
  const test::Held before = test::held_by();
  for (std::uint8_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(send_level(round)) << "in round " << int{round};
    ASSERT_TRUE(reaches("box/Tank/Level", round / 100.0)) << "in round " << int{round};
    vcan_.remove();
    ASSERT_TRUE(sink_.wait_for_bad("box/Tank/Level", Reason::no_answer)) << "in round " << int{round};
    ASSERT_TRUE(says(SourceHealth::down, "there is no interface vcan0: No such device")) << "in round " << int{round};
    vcan_.add();
    ASSERT_TRUE(listens()) << "in round " << int{round};
  }
  EXPECT_EQ(test::held_by(), before);
}

}  // namespace
}  // namespace tidegate::drivers::can
