#include "drivers/can/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tidegate::drivers::can {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kDm1 = 65226, kConfiguration = 65251, kProprietary = 61184;  // the last has a destination
constexpr std::uint8_t kEngine = 0, kGearbox = 3, kDisplay = 40, kAll = 255;

/// A bus on which everybody talks, and what is put together of it.
class J1939Transport : public testing::Test {
 protected:
  void frame(std::uint32_t id, const Bytes& data) {
    Frame made{id, true};
    made.size = data.size();
    std::copy(data.begin(), data.end(), made.bytes.begin());
    std::vector<Transport::Loss> lost;
    const auto whole = transport_.take(made, now_, lost);
    if (whole) whole_.push_back({whole->id, Bytes(whole->data.begin(), whole->data.end())});
    keep(lost);
  }
  void keep(const std::vector<Transport::Loss>& lost) {
    for (const auto& loss : lost) lost_.push_back({loss.id, loss.why});
  }
  void pass(Micros time) {
    now_ += time;
    std::vector<Transport::Loss> lost;
    transport_.expire(now_, lost);
    keep(lost);
  }

  void management(std::uint8_t from, std::uint8_t to, Bytes head, std::uint32_t group) {
    for (unsigned shift = 0; shift < 24; shift += 8) head.push_back(static_cast<std::uint8_t>(group >> shift));
    frame(0x18EC0000u | std::uint32_t{to} << 8u | from, head);
  }
  void announce(std::uint8_t how, std::uint8_t from, std::uint8_t to, std::uint32_t group, std::size_t size,
                std::size_t packets) {
    management(from, to,
               {how, static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8u),
                static_cast<std::uint8_t>(packets), 0xFF},
               group);
  }
  void broadcast(std::uint8_t from, std::uint32_t group, std::size_t size, std::size_t packets) {
    announce(32, from, kAll, group, size, packets);
  }
  void request(std::uint8_t from, std::uint8_t to, std::uint32_t group, std::size_t size, std::size_t packets) {
    announce(16, from, to, group, size, packets);
  }
  /// The receiver's: so many packets from this one on.
  void clear(std::uint8_t from, std::uint8_t to, std::uint32_t group, std::uint8_t count, std::uint8_t next) {
    management(from, to, {17, count, next, 0xFF, 0xFF}, group);
  }
  /// Of bytes that are all the same.
  void packet(std::uint8_t from, std::uint8_t to, std::uint8_t number, std::uint8_t fill) {
    Bytes data(8, fill);
    data[0] = number;
    frame(0x1CEB0000u | std::uint32_t{to} << 8u | from, data);
  }
  static Bytes filled(std::initializer_list<std::pair<std::size_t, std::uint8_t>> parts) {
    Bytes made;
    for (const auto& [count, fill] : parts) made.insert(made.end(), count, fill);
    return made;
  }

  Timestamp now_{std::chrono::seconds(1'772'366'400)};
  Transport transport_{{kDm1, kConfiguration, kProprietary}, std::nullopt};
  std::vector<std::pair<std::uint32_t, Bytes>> whole_;
  std::vector<std::pair<std::uint32_t, std::string>> lost_;
};

TEST_F(J1939Transport, PutsABroadcastTogetherByteByByte) {
  frame(0x1CECFF03, {0x20, 0x0A, 0x00, 0x02, 0xFF, 0xCA, 0xFE, 0x00});
  frame(0x1CEBFF03, {0x01, 0x40, 0xFF, 0x64, 0x00, 0x01, 0x05, 0xBE});
  EXPECT_THAT(whole_, IsEmpty());
  EXPECT_EQ(transport_.sessions(), 1u);
  frame(0x1CEBFF03, {0x02, 0x00, 0x02, 0x07, 0xFF, 0xFF, 0xFF, 0xFF});
  const Bytes all = {0x40, 0xFF, 0x64, 0x00, 0x01, 0x05, 0xBE, 0x00, 0x02, 0x07};
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x1CFECA03u, all)));
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_EQ(transport_.sessions(), 0u);
}

TEST_F(J1939Transport, PutsTogetherWhatOneNodeSendsToAnother) {
  frame(0x18EC2803, {0x10, 0x17, 0x00, 0x04, 0xFF, 0xE3, 0xFE, 0x00});
  frame(0x18EC0328, {0x11, 0x02, 0x01, 0xFF, 0xFF, 0xE3, 0xFE, 0x00});
  frame(0x18EB2803, {0x01, 1, 2, 3, 4, 5, 6, 7});
  frame(0x18EB2803, {0x02, 8, 9, 10, 11, 12, 13, 14});
  frame(0x18EC0328, {0x11, 0x00, 0xFF, 0xFF, 0xFF, 0xE3, 0xFE, 0x00});  // wait
  frame(0x18EC0328, {0x11, 0x02, 0x03, 0xFF, 0xFF, 0xE3, 0xFE, 0x00});
  frame(0x18EB2803, {0x03, 15, 16, 17, 18, 19, 20, 21});
  frame(0x18EB2803, {0x04, 22, 23});  // not filled up
  frame(0x18EC0328, {0x13, 0x17, 0x00, 0x04, 0xFF, 0xE3, 0xFE, 0x00});
  Bytes all(23);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i + 1);
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x18FEE303u, all)));
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(J1939Transport, AGroupThatHasADestinationIsGivenWithIt) {
  request(kGearbox, kDisplay, kProprietary, 9, 2);
  packet(kGearbox, kDisplay, 1, 7);
  packet(kGearbox, kDisplay, 2, 8);
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x18EF2803u, filled({{7, 7}, {2, 8}}))));
}

TEST_F(J1939Transport, KeepsApartWhatComesAtOnce) {
  broadcast(kEngine, kDm1, 14, 2);
  broadcast(kGearbox, kDm1, 10, 2);
  request(kEngine, kDisplay, kConfiguration, 9, 2);
  request(kEngine, kGearbox, kConfiguration, 11, 2);
  request(kDisplay, kEngine, kConfiguration, 12, 2);
  EXPECT_EQ(transport_.sessions(), 5u);
  for (std::uint8_t number = 1; number <= 2; ++number) {
    packet(kGearbox, kAll, number, 10 + number);
    packet(kEngine, kAll, number, 20 + number);
    packet(kEngine, kDisplay, number, 30 + number);
    packet(kDisplay, kEngine, number, 40 + number);
    packet(kEngine, kGearbox, number, 50 + number);
  }
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x18FECA03u, filled({{7, 11}, {3, 12}})),
                                  std::pair(0x18FECA00u, filled({{7, 21}, {7, 22}})),
                                  std::pair(0x18FEE300u, filled({{7, 31}, {2, 32}})),
                                  std::pair(0x18FEE328u, filled({{7, 41}, {5, 42}})),
                                  std::pair(0x18FEE300u, filled({{7, 51}, {4, 52}}))));
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(J1939Transport, APacketThatDoesNotFollowEndsTheSession) {
  std::size_t losses = 0;
  for (const std::uint8_t wrong : Bytes{1, 3, 4, 0, 255}) {
    broadcast(kEngine, kDm1, 28, 4);
    packet(kEngine, kAll, 1, 1);
    packet(kEngine, kAll, wrong, 2);
    ASSERT_EQ(lost_.size(), ++losses);
    EXPECT_EQ(lost_.back(),
              std::pair(0x18FECA00u, "packet " + std::to_string(wrong) + " came where packet 2 of 4 was due"));
    EXPECT_EQ(transport_.sessions(), 0u);
  }
  packet(kEngine, kAll, 2, 2);
  packet(kEngine, kAll, 3, 3);
  EXPECT_EQ(lost_.size(), 5u) << "what follows is of a loss that was told";
  EXPECT_THAT(whole_, IsEmpty());
}

TEST_F(J1939Transport, APacketThatIsTooShortEndsTheSession) {
  broadcast(kEngine, kDm1, 10, 2);
  frame(0x1CEBFF00, {1, 2, 3, 4, 5, 6, 7});
  broadcast(kEngine, kDm1, 10, 2);
  frame(0x1CEBFF00, {});
  broadcast(kEngine, kDm1, 10, 2);
  packet(kEngine, kAll, 1, 1);
  frame(0x1CEBFF00, {2, 8, 9});
  EXPECT_THAT(lost_, ElementsAre(std::pair(0x18FECA00u, "a packet of 7 bytes came where packet 1 of 2 was due"),
                                 std::pair(0x18FECA00u, "a packet of 0 bytes came where packet 1 of 2 was due"),
                                 std::pair(0x18FECA00u, "a packet of 3 bytes came where packet 2 of 2 was due")));
  EXPECT_THAT(whole_, IsEmpty());
}

TEST_F(J1939Transport, AReceiverMayHavePacketsSentAgain) {
  request(kEngine, kDisplay, kConfiguration, 21, 3);
  clear(kDisplay, kEngine, kConfiguration, 2, 1);
  packet(kEngine, kDisplay, 1, 1);
  packet(kEngine, kDisplay, 2, 2);
  clear(kDisplay, kEngine, kDm1, 3, 3);  // of another group
  clear(kDisplay, kGearbox, kConfiguration, 3, 3);
  clear(kDisplay, kEngine, kConfiguration, 2, 2);
  packet(kEngine, kDisplay, 2, 22);
  packet(kEngine, kDisplay, 3, 3);
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x18FEE300u, filled({{7, 1}, {7, 22}, {7, 3}}))));
  // It has missed one that was heard here.
  clear(kDisplay, kEngine, kConfiguration, 1, 2);
  packet(kEngine, kDisplay, 2, 2);
  EXPECT_EQ(whole_.size(), 1u);
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(J1939Transport, WhatItsReceiverHasAndWasNotHeardIsLost) {
  request(kEngine, kDisplay, kConfiguration, 28, 4);
  packet(kEngine, kDisplay, 1, 1);
  clear(kDisplay, kEngine, kConfiguration, 2, 3);
  request(kEngine, kDisplay, kConfiguration, 28, 4);
  management(kDisplay, kEngine, {19, 28, 0, 4, 0xFF}, kConfiguration);
  EXPECT_THAT(lost_,
              ElementsAre(std::pair(0x18FEE300u, "its receiver goes on with packet 3 where packet 2 of 4 was due"),
                          std::pair(0x18FEE300u, "its receiver has all of it where packet 1 of 4 was due")));
  EXPECT_EQ(transport_.sessions(), 0u);
}

TEST_F(J1939Transport, EitherOfTheTwoMayAbort) {
  for (const bool sender : {true, false}) {
    request(kEngine, kDisplay, kConfiguration, 20, 3);
    packet(kEngine, kDisplay, 1, 1);
    const auto [from, to] = sender ? std::pair(kEngine, kDisplay) : std::pair(kDisplay, kEngine);
    const Bytes abort = {255, 3, 0xFF, 0xFF, 0xFF};
    management(from, to, abort, kDm1);
    management(kGearbox, to, abort, kConfiguration);
    EXPECT_EQ(transport_.sessions(), 1u) << "another one's";
    management(from, to, abort, kConfiguration);
    ASSERT_EQ(transport_.sessions(), 0u);
    EXPECT_EQ(lost_.back().second, "it was aborted with reason 3 where packet 2 of 3 was due");
  }
  EXPECT_EQ(lost_.size(), 2u);
}

TEST_F(J1939Transport, AnAnnouncementTakesThePlaceOfTheOneBefore) {
  broadcast(kEngine, kDm1, 20, 3);
  packet(kEngine, kAll, 1, 1);
  broadcast(kGearbox, kDm1, 20, 3);
  broadcast(kEngine, kConfiguration, 9, 2);
  EXPECT_THAT(lost_, ElementsAre(std::pair(0x18FECA00u, "another message was announced where packet 2 of 3 was due")));
  packet(kEngine, kAll, 1, 4);
  packet(kEngine, kAll, 2, 5);
  EXPECT_THAT(whole_, ElementsAre(std::pair(0x18FEE300u, filled({{7, 4}, {2, 5}}))));
  // One that nobody wants too: what follows is of it.
  broadcast(kGearbox, 65260, 20, 3);
  EXPECT_EQ(lost_.size(), 2u);
  packet(kGearbox, kAll, 1, 1);
  EXPECT_EQ(transport_.sessions(), 0u);
}

TEST_F(J1939Transport, ABroadcastIsGivenUpAfterT1AndASessionAfterT2) {
  broadcast(kEngine, kDm1, 20, 3);
  request(kEngine, kDisplay, kConfiguration, 20, 3);
  pass(749ms);
  packet(kEngine, kAll, 1, 1);
  pass(749ms);
  EXPECT_THAT(whole_, IsEmpty());
  ASSERT_EQ(lost_.size(), 1u) << "1498 ms after its announcement";
  EXPECT_EQ(lost_[0], std::pair(0x18FEE300u, std::string("nothing came for 1.25 s where packet 1 of 3 was due")));
  pass(1ms);
  EXPECT_EQ(lost_.back(), std::pair(0x18FECA00u, std::string("nothing came for 0.75 s where packet 2 of 3 was due")));
  EXPECT_EQ(transport_.sessions(), 0u);
}

TEST_F(J1939Transport, AReceiverThatHasTheSenderWaitKeepsTheSessionUp) {
  request(kEngine, kDisplay, kConfiguration, 10, 2);
  for (int i = 0; i < 10; ++i) {
    pass(1249ms);
    clear(kDisplay, kEngine, kConfiguration, 0, 0xFF);
  }
  clear(kDisplay, kEngine, kConfiguration, 2, 1);
  pass(1249ms);
  packet(kEngine, kDisplay, 1, 1);
  pass(1249ms);
  packet(kEngine, kDisplay, 2, 2);
  EXPECT_EQ(whole_.size(), 1u);
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(J1939Transport, CarriesNineBytesTo1785) {
  for (const std::size_t size : {9, 14, 15, 1784, 1785}) {
    const auto packets = static_cast<std::uint8_t>((size + 6) / 7);
    broadcast(kEngine, kDm1, size, packets);
    Bytes all;
    for (unsigned number = 1; number <= packets; ++number) {
      packet(kEngine, kAll, static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number * 3));
      all.insert(all.end(), 7, static_cast<std::uint8_t>(number * 3));
    }
    all.resize(size);
    ASSERT_FALSE(whole_.empty()) << size;
    EXPECT_EQ(whole_.back().second, all);
  }
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_EQ(whole_.size(), 5u);
}

TEST_F(J1939Transport, AnAnnouncementThatCannotBeIsALoss) {
  for (const auto& [size, packets] : {std::pair(8, 2), {8, 1}, {0, 0}, {9, 1}, {14, 3}, {1785, 254}, {1786, 255}}) {
    const auto before = lost_.size();
    broadcast(kEngine, kDm1, size, packets);
    ASSERT_EQ(lost_.size(), before + 1) << size << ' ' << packets;
    EXPECT_EQ(lost_.back().second, "it was announced with " + std::to_string(size) + " bytes in " +
                                       std::to_string(packets) + " packets, which cannot be");
  }
  EXPECT_EQ(transport_.sessions(), 0u);
}

TEST_F(J1939Transport, OneMoreThanTheMostIsALoss) {
  for (std::uint8_t sender = 0; sender < Transport::kMostSessions; ++sender) broadcast(sender, kDm1, 1785, 255);
  EXPECT_EQ(transport_.sessions(), Transport::kMostSessions);
  EXPECT_THAT(lost_, IsEmpty());
  broadcast(200, kDm1, 9, 2);
  EXPECT_THAT(lost_, ElementsAre(std::pair(0x18FECAC8u, "64 others were on their way, which is the most")));
  broadcast(7, kDm1, 9, 2);  // in place of its own
  EXPECT_EQ(transport_.sessions(), Transport::kMostSessions);
  packet(7, kAll, 1, 1);
  packet(7, kAll, 2, 1);
  broadcast(200, kDm1, 9, 2);
  EXPECT_EQ(transport_.sessions(), Transport::kMostSessions);
  EXPECT_EQ(lost_.size(), 2u);
  EXPECT_EQ(whole_.size(), 1u);
}

TEST_F(J1939Transport, PassesOverWhatIsNotWanted) {
  broadcast(kEngine, 65260, 20, 3);
  broadcast(kEngine, 0xFFFFFF, 20, 3);
  broadcast(kEngine, kDm1 | 0x40000u, 20, 3);
  frame(0x18ECFF00, {32, 20, 0, 3, 0xFF, 0xCA, 0xFE});  // names no group
  frame(0x18ECFF00, {99, 20, 0, 3, 0xFF, 0xCA, 0xFE, 0});
  frame(0x19ECFF00, {32, 20, 0, 3, 0xFF, 0xCA, 0xFE, 0});  // another data page
  frame(0x18F00400, {32, 20, 0, 3, 0xFF, 0xCA, 0xFE, 0});
  EXPECT_EQ(transport_.sessions(), 0u);
  packet(kEngine, kAll, 1, 1);
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(J1939Transport, HearsOneSenderAlone) {
  Transport one({kDm1}, kGearbox);
  std::vector<Transport::Loss> lost;
  Frame announcement{0x18ECFF00, true};
  announcement.size = 8;
  announcement.bytes = {32, 20, 0, 3, 0xFF, 0xCA, 0xFE, 0};
  one.take(announcement, now_, lost);
  EXPECT_EQ(one.sessions(), 0u);
  announcement.id = 0x18ECFF03;
  one.take(announcement, now_, lost);
  EXPECT_EQ(one.sessions(), 1u);
  one.lose_all(lost);
  EXPECT_EQ(one.sessions(), 0u);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].why, "the bus went away where packet 1 of 3 was due");
}

}  // namespace
}  // namespace tidegate::drivers::can
