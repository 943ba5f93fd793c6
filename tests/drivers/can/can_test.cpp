#include "drivers/can/can.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/held.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::can {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

const std::string kDbc = std::string(TIDEGATE_SOURCE_DIR) + "/drivers/can/sample.dbc";

/// The other end of a bus: a pair of sockets that carry the kernel's own frames, where it has no vcan.
class CanDriver : public testing::Test {
 protected:
  ~CanDriver() override {
    thread_ = {};
    unplug();
  }
  void start(Options options, const std::string& file = test::read_file(kDbc), Micros first_rest = 1s) {
    options.prefix = "box";
    auto dbc = parse_dbc(file);
    ASSERT_TRUE(dbc);
    auto decoder = std::make_unique<Decoder>(std::move(*dbc), options);
    driver_ = make_listener(
        std::move(decoder), [this] { return plug(); }, "the bus", {"box", clock_, metrics_}, first_rest);
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
    ASSERT_TRUE(is_plugged());
  }
  void send(canid_t id, std::vector<std::uint8_t> data) {
    can_frame frame{};
    frame.can_id = id;
    frame.len = static_cast<std::uint8_t>(data.size());
    std::copy(data.begin(), data.end(), frame.data);
    ASSERT_EQ(::send(ours_, &frame, sizeof frame, 0), static_cast<ssize_t>(sizeof frame));
  }
  void send_fd(canid_t id, std::vector<std::uint8_t> data) {
    canfd_frame frame{};
    frame.can_id = id;
    frame.len = static_cast<std::uint8_t>(data.size());
    std::copy(data.begin(), data.end(), frame.data);
    ASSERT_EQ(::send(ours_, &frame, sizeof frame, 0), static_cast<ssize_t>(sizeof frame));
  }
  void unplug() {
    if (const int fd = ours_.exchange(-1); fd >= 0) ::close(fd);
  }
  bool is_plugged() {
    return test::eventually([&] { return ours_.load() >= 0; });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && std::abs(last->value - value) < 1e-9;
    });
  }
  bool turns_bad(const std::string& name, Reason why) { return sink_.wait_for_bad(name, why); }
  bool says(SourceHealth health, const std::string& text) { return sink_.wait_for_words(text, health); }
  double lost_messages() { return metrics_.counter("source/box/lost_messages", "", "").value(); }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::atomic<int> ours_ = -1;
  std::atomic<bool> there_ = true;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;

 private:
  Result<int> plug() {
    int pair[2];
    if (!there_ || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
      return fail(Errc::unavailable, "there is no interface can0");
    }
    ours_ = pair[1];
    return pair[0];
  }
};

TEST_F(CanDriver, ReadsSignalsOfBothKindsOfFrames) {
  start({"", 0s, 0s});
  send(0x123, {0, 0x12, 0x34, 0, 0, 0, 0, 0x80});
  ASSERT_TRUE(reaches("box/Tank/Level", 46.6));
  EXPECT_EQ(sink_.last_label("box/Tank/Pump"), "running");
  EXPECT_EQ(sink_.info("box/Tank/Level")->unit, "%");
  EXPECT_TRUE(sink_.samples("box/Tank/Temperature").empty()) << "another page";
  send(0x123, {1, 0x9C, 0x0F, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Temperature", -10));
  EXPECT_EQ(sink_.last_label("box/Tank/Pump"), "stopped");
  EXPECT_EQ(sink_.samples("box/Tank/Level").size(), 1u);
  send(0x0CF004FE | CAN_EFF_FLAG, {0, 0, 175, 0x40, 0x1F, 0, 0, 0});
  ASSERT_TRUE(reaches("box/EEC1/EngineSpeed", 1000));
  EXPECT_EQ(sink_.last("box/EEC1/EngineTorque")->value, 50);
  EXPECT_TRUE(says(SourceHealth::up, "the bus"));
}

TEST_F(CanDriver, ReadsAllOfAFrameOfCanFd) {
  start({"", 0s, 0s}, R"(
BO_ 292 Pack: 64 Battery
 SG_ State : 0|8@1+ (1,0) [0|255] "" Display
 SG_ Current : 96|32@1- (0.001,0) [0|0] "A" Display
 SG_ Voltage : 503|16@0+ (0.01,0) [0|0] "V" Display
)");
  std::vector<std::uint8_t> data(CANFD_MAX_DLEN, 0xFF);
  data[0] = 3;
  std::copy_n(std::begin({0x18, 0xFC, 0xFF, 0xFF}), 4, data.begin() + 12);  // -1000, its lowest byte first
  data[62] = 0x9C, data[63] = 0x40;                                         // 40000, its highest byte first
  send_fd(292, data);
  ASSERT_TRUE(reaches("box/Pack/Voltage", 400));
  EXPECT_EQ(sink_.last("box/Pack/Current")->value, -1);
  EXPECT_EQ(sink_.last("box/Pack/State")->value, 3);
  EXPECT_TRUE(says(SourceHealth::up, "the bus"));
  // One of 20 bytes has the current and lacks the voltage.
  data.resize(20);
  send_fd(292 | CAN_EFF_FLAG, data);  // another message
  send_fd(292, data);
  ASSERT_TRUE(turns_bad("box/Pack/Voltage", Reason::device_fault));
  EXPECT_EQ(sink_.last("box/Pack/Current")->value, -1);
  EXPECT_EQ(sink_.samples("box/Pack/Current").size(), 2u);
  EXPECT_TRUE(says(SourceHealth::degraded, "box/Pack/Voltage: the message is shorter than it should be"));
}

TEST_F(CanDriver, PassesOverWhatIsNotInTheFile) {
  start({"", 0s, 0s});
  send(0x124, {1, 2, 3});
  send(0x0CF00400 | CAN_EFF_FLAG, {1, 2, 3, 4, 5, 6, 7, 8});  // J1939 is not on: another identifier
  send(0x123 | CAN_RTR_FLAG, {});
  const char half[] = "half a frame";
  ASSERT_GT(::send(ours_, half, sizeof half, 0), 0);
  send(0x123, {0, 0, 100, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Level", 1));
  EXPECT_EQ(sink_.samples().size(), 3u);
}

TEST_F(CanDriver, AMessageThatIsTooShortIsBadWhereItIs) {
  start({"", 0s, 0s});
  send(0x123, {0, 0, 100});
  ASSERT_TRUE(reaches("box/Tank/Level", 1));
  ASSERT_TRUE(turns_bad("box/Tank/Pump", Reason::device_fault));
  EXPECT_TRUE(says(SourceHealth::degraded, "box/Tank/Pump: the message is shorter than it should be"));
}

TEST_F(CanDriver, KnowsJ1939ByItsGroupAndItsSender) {
  Options options{"", 0s, 0s, true, 0};
  start(options);
  send(0x18F00403 | CAN_EFF_FLAG, {0, 0, 175, 0x80, 0x3E, 0, 0, 0});
  send(0x0CF00400 | CAN_EFF_FLAG, {0, 0, 0xFE, 0x40, 0x1F, 0, 0, 0});
  ASSERT_TRUE(reaches("box/EEC1/EngineSpeed", 1000));
  EXPECT_EQ(sink_.samples("box/EEC1/EngineSpeed").size(), 1u) << "the other sender's was taken";
  ASSERT_TRUE(turns_bad("box/EEC1/EngineTorque", Reason::device_fault));
  EXPECT_TRUE(says(SourceHealth::degraded, "box/EEC1/EngineTorque: the sender says that it is in error"));
  send(0x18FEF100 | CAN_EFF_FLAG, {0xF7, 0xFF, 0xFF, 0, 0, 0, 0, 0});
  ASSERT_TRUE(
      sink_.wait_until([](const auto& sink) { return sink.last_label("box/CCVS1/ParkingBrakeSwitch") == "set"; }));
  ASSERT_TRUE(turns_bad("box/CCVS1/WheelBasedVehicleSpeed", Reason::device_fault));
}

/// A group of 39 bytes in 6 packets, and one that has a frame of its own where it is short.
const std::string kLongGroups = R"(
BO_ 2566841342 EC1: 39 Engine
 SG_ IdleSpeed : 0|16@1+ (0.125,0) [0|0] "rpm" Display
 SG_ ReferenceTorque : 152|16@1+ (1,0) [0|0] "Nm" Display
BO_ 2566834942 DM1: 14 Engine
 SG_ RedStopLamp : 4|2@1+ (1,0) [0|0] "" Display
 SG_ FMI : 32|5@1+ (1,0) [0|0] "" Display
 SG_ SecondFMI : 64|5@1+ (1,0) [0|0] "" Display
)";

TEST_F(CanDriver, PutsAGroupOfSeveralFramesTogether) {
  start({"", 0s, 0s, true, 0}, kLongGroups);
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 39, 0, 6, 0xFF, 0xE3, 0xFE, 0});
  send(0x18ECFF03 | CAN_EFF_FLAG, {32, 39, 0, 6, 0xFF, 0xE3, 0xFE, 0});  // another sender
  for (std::uint8_t number = 1; number <= 6; ++number) {
    send(0x18EBFF03 | CAN_EFF_FLAG, {number, 1, 1, 1, 1, 1, 1, 1});
    send(0x18FECA00 | CAN_EFF_FLAG, {0x10, 0xFF, 0x64, 0, number, 1, 0xFF, 0xFF});  // a frame of its own between them
    std::vector<std::uint8_t> packet(8, number);
    packet[0] = number;
    if (number == 1) packet[1] = 0x40, packet[2] = 0x1F;  // 8000, the first of all bytes
    if (number == 3) packet[6] = 0xDC, packet[7] = 0x05;  // 1500, bytes 19 and 20
    send(0x18EBFF00 | CAN_EFF_FLAG, packet);
  }
  ASSERT_TRUE(reaches("box/EC1/ReferenceTorque", 1500));
  EXPECT_EQ(sink_.last("box/EC1/IdleSpeed")->value, 1000);
  EXPECT_EQ(sink_.samples("box/EC1/IdleSpeed").size(), 1u) << "the other sender's was taken";
  EXPECT_EQ(sink_.last("box/DM1/FMI")->value, 6);
  EXPECT_EQ(sink_.samples("box/DM1/FMI").size(), 6u);
  EXPECT_EQ(lost_messages(), 0);
}

TEST_F(CanDriver, ReadsAGroupOfAllBytesThatJ1939Carries) {
  start({"", 0s, 0s, true, 0}, R"(
BO_ 2566834942 DM1: 1785 Engine
 SG_ First : 0|8@1+ (1,0) [0|0] "" Display
 SG_ Middle : 7999|16@0+ (1,0) [0|0] "" Display
 SG_ Last : 14272|8@1+ (1,0) [0|0] "" Display
)");
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 0xF9, 0x06, 255, 0xFF, 0xCA, 0xFE, 0});
  for (unsigned number = 1; number <= 255; ++number) {
    const auto fill = static_cast<std::uint8_t>(number % 250);
    std::vector<std::uint8_t> packet(8, fill);
    packet[0] = static_cast<std::uint8_t>(number);
    send(0x18EBFF00 | CAN_EFF_FLAG, packet);
  }
  ASSERT_TRUE(reaches("box/DM1/Last", 5));
  EXPECT_EQ(sink_.last("box/DM1/First")->value, 1);
  EXPECT_EQ(sink_.last("box/DM1/Middle")->value, 143 * 256 + 143) << "bytes 999 and 1000, of packet 143";
  EXPECT_EQ(lost_messages(), 0);
}

TEST_F(CanDriver, ReadsAGroupThatIsLongOrShortByOneMessage) {
  start({"", 0s, 0s, true, 0}, kLongGroups);
  // To a display, which answers from an address that is not listened to.
  send(0x18EC2800 | CAN_EFF_FLAG, {16, 10, 0, 2, 0xFF, 0xCA, 0xFE, 0});
  send(0x18EC0028 | CAN_EFF_FLAG, {17, 2, 1, 0xFF, 0xFF, 0xCA, 0xFE, 0});
  send(0x18EB2800 | CAN_EFF_FLAG, {1, 0x10, 0xFF, 0x64, 0, 3, 1, 0x65});
  send(0x18EC0028 | CAN_EFF_FLAG, {17, 2, 1, 0xFF, 0xFF, 0xCA, 0xFE, 0});  // it wants the first once more
  send(0x18EB2800 | CAN_EFF_FLAG, {1, 0x10, 0xFF, 0x64, 0, 3, 1, 0x65});
  send(0x18EB2800 | CAN_EFF_FLAG, {2, 0, 4, 1, 0xFF, 0xFF, 0xFF, 0xFF});
  ASSERT_TRUE(reaches("box/DM1/SecondFMI", 4));
  EXPECT_EQ(sink_.last("box/DM1/FMI")->value, 3);
  EXPECT_TRUE(says(SourceHealth::up, "the bus"));
  // The second trouble is gone, and with it its place.
  send(0x18FECA00 | CAN_EFF_FLAG, {0x10, 0xFF, 0x64, 0, 5, 1, 0xFF, 0xFF});
  ASSERT_TRUE(reaches("box/DM1/FMI", 5));
  ASSERT_TRUE(turns_bad("box/DM1/SecondFMI", Reason::device_fault));
  EXPECT_TRUE(says(SourceHealth::degraded, "box/DM1/SecondFMI: the message is shorter than it should be"));
}

TEST_F(CanDriver, TellsAndCountsAGroupThatDidNotComeWhole) {
  start({"", 0s, 0s, true, 0}, kLongGroups, 1ms);
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 14, 0, 2, 0xFF, 0xCA, 0xFE, 0});
  send(0x18EBFF00 | CAN_EFF_FLAG, {2, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_TRUE(says(SourceHealth::degraded, "DM1 from 0 is lost: packet 2 came where packet 1 of 2 was due"));
  EXPECT_EQ(lost_messages(), 1);
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 39, 0, 6, 0xFF, 0xE3, 0xFE, 0});
  EXPECT_TRUE(says(SourceHealth::degraded, "EC1 from 0 is lost: nothing came for 0.75 s"));
  EXPECT_EQ(lost_messages(), 2);
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 39, 0, 6, 0xFF, 0xE3, 0xFE, 0});
  for (std::uint8_t number = 1; number <= 6; ++number) send(0x18EBFF00 | CAN_EFF_FLAG, {number, 0, 0, 0, 0, 0, 0, 0});
  send(0x18FECA00 | CAN_EFF_FLAG, {0, 0, 0, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/EC1/IdleSpeed", 0));
  EXPECT_TRUE(says(SourceHealth::degraded, "box/DM1/SecondFMI")) << "and no more of a loss";
  EXPECT_EQ(sink_.reports().back().text.find("lost"), std::string::npos);
  EXPECT_EQ(lost_messages(), 2);
  // One that is on its way when the bus goes.
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 14, 0, 2, 0xFF, 0xCA, 0xFE, 0});
  unplug();
  EXPECT_TRUE(says(SourceHealth::degraded, "DM1 from 0 is lost: the bus went away where packet 1 of 2 was due"));
  EXPECT_EQ(lost_messages(), 3);
}

TEST_F(CanDriver, PutsNothingTogetherWithoutJ1939) {
  start({"", 0s, 0s}, kLongGroups);
  send(0x18ECFF00 | CAN_EFF_FLAG, {32, 10, 0, 2, 0xFF, 0xCA, 0xFE, 0});
  send(0x18EBFF00 | CAN_EFF_FLAG, {1, 1, 1, 1, 1, 1, 1, 1});
  send(0x18EBFF00 | CAN_EFF_FLAG, {2, 1, 1, 1, 1, 1, 1, 1});
  send(0x18FECAFE | CAN_EFF_FLAG, {0, 0, 0, 0, 7, 0, 0, 0});
  ASSERT_TRUE(reaches("box/DM1/FMI", 7));
  EXPECT_EQ(sink_.samples("box/DM1/FMI").size(), 1u);
}

TEST_F(CanDriver, AMessageThatFallsSilentIsBadOnceAndComesBack) {
  start({"", 0s, 300ms});
  send(0x123, {0, 0, 100, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Level", 1));
  ASSERT_TRUE(turns_bad("box/Tank/Level", Reason::no_answer));
  EXPECT_TRUE(says(SourceHealth::degraded, "Tank is silent"));
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(sink_.samples("box/Tank/Level").size(), 2u);
  send(0x123, {0, 0, 200, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Level", 2));
}

TEST_F(CanDriver, GivesASampleATurnHoweverManyMessagesThereAre) {
  start({"", 1h, 0s});
  for (int i = 0; i < 500; ++i) send(0x123, {0, 0, 100, 0, 0, 0, 0, 0});
  send(0x123, {1, 0, 0, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Temperature", 0));
  EXPECT_LE(sink_.samples("box/Tank/Level").size(), 2u) << "two, where an hour ended just then";
}

TEST_F(CanDriver, AnInterfaceThatGoesIsBadAndComesBack) {
  start({"", 0s, 0s});
  send(0x123, {0, 0, 100, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Level", 1));
  there_ = false;
  unplug();
  ASSERT_TRUE(turns_bad("box/Tank/Level", Reason::no_answer));
  EXPECT_TRUE(says(SourceHealth::down, "there is no interface can0"));
  there_ = true;
  ASSERT_TRUE(is_plugged());
  send(0x123, {0, 0, 200, 0, 0, 0, 0, 0});
  ASSERT_TRUE(reaches("box/Tank/Level", 2));
  ASSERT_TRUE(says(SourceHealth::up, "the bus"));
}

TEST_F(CanDriver, AnInterfaceThatIsLostAThousandTimesLeavesNothingOpenBehind) {
  start({"", 0s, 0s}, test::read_file(kDbc), 1ms);
  const test::Held before = test::held_by();
  for (int i = 0; i < test::flaps(1000); ++i) {
    const auto level = static_cast<std::uint8_t>(i % 200);
    send(0x123, {0, 0, level, 0, 0, 0, 0, 0});
    ASSERT_TRUE(reaches("box/Tank/Level", level / 100.0)) << "in turn " << i;
    there_ = false;
    unplug();
    ASSERT_TRUE(turns_bad("box/Tank/Level", Reason::no_answer)) << "in turn " << i;
    if (i % 2 == 0) {  // it is looked for while it is away, and the next time it is there at once
      ASSERT_TRUE(says(SourceHealth::down, "there is no interface can0")) << "in turn " << i;
    }
    there_ = true;
    ASSERT_TRUE(is_plugged()) << "in turn " << i;
  }
  ASSERT_TRUE(says(SourceHealth::up, "the bus"));
  EXPECT_EQ(test::held_by(), before);
}

TEST_F(CanDriver, AControllerThatIsOffTheBusIsSaid) {
  start({"", 0s, 0s});
  send(CAN_ERR_FLAG | CAN_ERR_BUSOFF, {0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(says(SourceHealth::down, "off the bus"));
}

TEST_F(CanDriver, WithoutTheInterfaceIsDownAndSaysSo) {
  std::string why;
  driver_ = test::make_driver("{name: box, type: can, interface: nocan9, dbc: '" + kDbc + "'}", clock_, metrics_, why);
  ASSERT_NE(driver_, nullptr) << why;
  thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink_.reports().back().text, testing::AnyOf(HasSubstr("nocan9"), HasSubstr("no CAN socket")));
}

TEST(CanOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  const test::TempDir folder;
  const std::string long_one =
      folder.write("long.dbc", "BO_ 2566834942 DM1: 1785 Engine\nBO_ 291 Tank: 8 Engine\n").string();
  for (const auto& [options, expected] : std::vector<std::pair<std::string, std::string>>{
           {"dbc: /nowhere.dbc", "nowhere.dbc"},
           {"dbc: '" + kDbc + "', messages: [EEC9]", "no message 'EEC9'"},
           {"dbc: '" + kDbc + "', signals: [{signal: EEC1/Speed}]", "no signal 'EEC1/Speed'"},
           {"dbc: '" + kDbc + "', sender: 3", "j1939"},
           {"dbc: '" + long_one + "'", "the message DM1 has 1785 bytes, more than a frame: set j1939: true"},
           {"every: 1s", "dbc"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, type: can, interface: can0, " + options + "}", clock, metrics, why),
              nullptr)
        << options;
    EXPECT_THAT(why, AllOf(HasSubstr("test.yaml:1:"), HasSubstr(expected)));
  }
  for (const char* right : {"j1939: true", "messages: [Tank]"}) {
    std::string why;
    EXPECT_NE(test::make_driver("{name: box, type: can, interface: can0, dbc: '" + long_one + "', " + right + "}",
                                clock, metrics, why),
              nullptr)
        << why;
  }
}

}  // namespace
}  // namespace tidegate::drivers::can
