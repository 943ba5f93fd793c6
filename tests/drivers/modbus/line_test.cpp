// A line against peers that answer late, by drops, or with rubbish.

#include "drivers/modbus/line.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/drivers/modbus/peer.h"
#include "tests/drivers/modbus/tcp_peer.h"
#include "tests/support/held.h"

namespace tidegate::drivers::modbus {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test::Bytes;
using test::say;
using testing::HasSubstr;
using Peer = test::TcpPeer;

/// What a unit answers to a request over TCP for one register.
Bytes one_register(const Bytes& request, std::uint16_t value) {
  return {request[0],
          request[1],
          0,
          0,
          0,
          5,
          request[6],
          3,
          2,
          static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value)};
}

class ModbusLine : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }
  static LineOptions to(const Peer& peer, LineOptions::Kind kind = LineOptions::Kind::tcp) {
    LineOptions options;
    options.kind = kind;
    options.host = "127.0.0.1";
    options.port = peer.port();
    options.timeout = 300ms;
    return options;
  }
  std::vector<std::uint16_t> registers_;
};

TEST_F(ModbusLine, AnAnswerThatTricklesIsGivenUpInTime) {
  for (const auto kind : {LineOptions::Kind::tcp, LineOptions::Kind::rtu_over_tcp}) {
    const Peer peer([kind](int fd, const Bytes& request) {
      Bytes answer =
          kind == LineOptions::Kind::tcp ? Bytes{request[0], request[1], 0, 0, 0, 203, 1, 3, 200} : Bytes{1, 3, 200};
      answer.resize(answer.size() + 200);
      for (const std::uint8_t byte : answer) {
        if (::send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return false;
        std::this_thread::sleep_for(20ms);
      }
      return true;
    });
    Line line(to(peer, kind));
    const auto begun = Clock::now();
    const auto answer = line.read(1, {Table::holding, 0, 100}, registers_);
    const auto took = Clock::now() - begun;
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().error.code, Errc::timed_out);
    EXPECT_GE(took, 290ms);
    EXPECT_LT(took, 600ms) << "four seconds would be the whole answer";
  }
}

TEST_F(ModbusLine, ALateAnswerIsNotTakenForTheNext) {
  std::atomic<int> asked = 0;
  const Peer peer([&](int fd, const Bytes& request) {
    if (++asked == 1) std::this_thread::sleep_for(450ms);
    say(fd, one_register(request, static_cast<std::uint16_t>(asked)));
    return true;
  });
  Line line(to(peer));
  EXPECT_FALSE(line.read(1, {Table::holding, 0, 1}, registers_));
  std::this_thread::sleep_for(200ms);
  ASSERT_TRUE(line.read(1, {Table::holding, 0, 1}, registers_));
  EXPECT_EQ(registers_[0], 2);
  EXPECT_EQ(peer.connections(), 2);
}

TEST_F(ModbusLine, AConnectionThatWasClosedWhileIdleCostsNothing) {
  const Peer peer([](int fd, const Bytes& request) {
    say(fd, one_register(request, 7));
    return false;
  });
  Line line(to(peer));
  for (int i = 0; i < 3; ++i) {
    const auto answer = line.read(1, {Table::holding, 0, 1}, registers_);
    ASSERT_TRUE(answer) << answer.error().error.text;
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(peer.connections(), 3);
}

TEST_F(ModbusLine, AThousandConnectionsLeaveNothingOpenBehind) {
  std::atomic<int> asked = 0;
  const Peer peer([&](int fd, const Bytes& request) {
    const int round = ++asked;
    if (round % 4 != 0) say(fd, one_register(request, 7));
    return round % 2 == 1;  // every second time it is closed: after an answer, and instead of one
  });
  Line line(to(peer));
  ASSERT_TRUE(line.read(1, {Table::holding, 0, 1}, registers_));
  const auto before = test::held_by().descriptors;
  int failed = 0;
  for (int i = 0; i < 2000; ++i) failed += line.read(1, {Table::holding, 0, 1}, registers_) ? 0 : 1;
  EXPECT_EQ(failed, 0) << "a lost answer is asked for once more";
  EXPECT_GT(peer.connections(), 1000);
  EXPECT_LE(test::held_by().descriptors, before + 1) << "the peer's own end of the last one may still be open";
}

TEST_F(ModbusLine, RubbishIsAnErrorThatComesSoonAndIsAskedForOnceMore) {
  std::atomic<int> asked = 0;
  const Peer peer([&](int fd, const Bytes&) {
    ++asked;
    say(fd, Bytes(40, 0x5a));
    return true;
  });
  for (const auto kind : {LineOptions::Kind::tcp, LineOptions::Kind::rtu_over_tcp}) {
    asked = 0;
    Line line(to(peer, kind));
    const auto begun = Clock::now();
    const auto answer = line.read(1, {Table::holding, 0, 1}, registers_);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().error.text, HasSubstr("damaged"));
    EXPECT_LT(Clock::now() - begun, 600ms);
    EXPECT_EQ(asked, 2);
  }
}

TEST_F(ModbusLine, AWriteIsSentOnceWhateverComesOfIt) {
  std::atomic<int> asked = 0;
  const Peer peer([&](int fd, const Bytes& request) {
    if (++asked == 1) say(fd, {request[0], request[1], 0, 0, 0, 3, request[6], 0x86, 6});  // busy
    if (asked == 2) say(fd, Bytes(40, 0x5a));
    return asked < 3;
  });
  Line line(to(peer));
  const std::uint16_t value[] = {7};
  for (const char* expected : {"device is busy (exception 6)", "damaged", "lost 127.0.0.1"}) {
    const auto answer = line.write(1, {Table::holding, 0, 1}, value, false, [] { return true; });
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().error.text, HasSubstr(expected));
  }
  EXPECT_EQ(asked, 3);
}

TEST_F(ModbusLine, NoBytesWhateverBringItDown) {
  std::atomic<unsigned> seed = 1;
  const Peer peer([&](int fd, const Bytes& request) {
    // A header that fits now and then, then anything.
    Bytes answer = seed % 2 == 0 ? one_register(request, 1) : Bytes{};
    for (unsigned i = 0; i < seed * 7 % 270; ++i) answer.push_back(static_cast<std::uint8_t>(seed * 31 + i * i));
    if (answer.size() > 7 && seed % 3 == 0) answer[7] = static_cast<std::uint8_t>(seed);
    ++seed;
    say(fd, answer);
    return seed % 5 != 0;
  });
  for (const auto kind : {LineOptions::Kind::tcp, LineOptions::Kind::rtu_over_tcp}) {
    LineOptions options = to(peer, kind);
    options.timeout = 20ms;
    Line line(options);
    for (int i = 0; i < 100; ++i) {
      const auto answer = line.read(1, {i % 2 == 0 ? Table::holding : Table::coil, 0, 1}, registers_);
      EXPECT_TRUE(answer || !answer.error().error.text.empty());
    }
  }
}

TEST_F(ModbusLine, WhatCannotBeOpenedIsNotTriedForEachUnit) {
  int port = 0;
  {
    const Peer gone([](int, const Bytes&) { return false; });
    port = gone.port();
  }
  LineOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  Line line(options);
  const auto first = line.read(1, {Table::holding, 0, 1}, registers_);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().error.code, Errc::unavailable);
  EXPECT_THAT(first.error().error.text, HasSubstr("refused"));
  const auto second = line.read(2, {Table::holding, 0, 1}, registers_);
  EXPECT_EQ(second.error().error.text, first.error().error.text);
}

TEST_F(ModbusLine, WhoeverAsksNextIsNext) {
  const Peer peer([](int fd, const Bytes& request) {
    std::this_thread::sleep_for(20ms);
    say(fd, one_register(request, 1));
    return true;
  });
  Line line(to(peer));
  std::atomic<bool> stop = false;
  std::jthread poller([&] {
    std::vector<std::uint16_t> own;
    while (!stop) (void)line.read(1, {Table::holding, 0, 1}, own);
  });
  std::this_thread::sleep_for(100ms);
  for (int i = 0; i < 5; ++i) {
    const auto begun = Clock::now();
    ASSERT_TRUE(line.read(2, {Table::holding, 0, 1}, registers_));
    EXPECT_LT(Clock::now() - begun, 150ms) << "it waited for more than the one that was under way";
  }
  stop = true;
}

TEST_F(ModbusLine, RefusesADescriptorThatSelectCannotTake) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit before = limit;
  if (limit.rlim_max < FD_SETSIZE + 64) GTEST_SKIP() << "too few files may be open here";
  limit.rlim_cur = FD_SETSIZE + 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const Peer peer([](int fd, const Bytes& request) {
    say(fd, one_register(request, 1));
    return true;
  });
  std::vector<int> taken;
  while (taken.empty() || taken.back() < FD_SETSIZE) taken.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Line line(to(peer));
  const auto answer = line.read(1, {Table::holding, 0, 1}, registers_);
  for (const int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::full);
}

}  // namespace
}  // namespace tidegate::drivers::modbus
