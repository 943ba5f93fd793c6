// How many connections, how many requests, for how long and how large: each bound, with figures of the test's own where
// the server's would take too long.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>

#include "tests/dashboard/own_limits.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using tidegate::test::eventually;
using tidegate::test::parse_response;

/// Nothing ends by time, and nobody gives way.
Front::Limits without_time() {
  Front::Limits limits = patient();
  limits.head = limits.body = limits.idle = limits.patience = 1h;
  return limits;
}

/// A connection that nobody uses, from an address of this machine's.
RawConnection idle_one(int port, const std::string& from) {
  return RawConnection(port, 0, RawConnection::By::plain, from);
}

int answers_in(const std::string& bytes) {
  int count = 0;
  for (auto at = bytes.find("HTTP/1.1 200"); at != bytes.npos; at = bytes.find("HTTP/1.1 200", at + 1)) ++count;
  return count;
}

TEST(Caps, OfAllTogetherTheOldestIdleOneGivesWayToAnotherAddress) {
  Rig rig;
  Front::Limits limits = without_time();
  limits.connections = 8;
  limits.connections_per_address = 4;
  limits.patience = 50ms;
  const OwnLimits server(rig, limits);
  std::vector<RawConnection> idle;
  for (int i = 0; i < 8; ++i) idle.push_back(idle_one(server.port, "127.0.0." + std::to_string(2 + i / 4)));
  EXPECT_EQ(HttpClient(server.port).get("/healthz").status, 200);
  EXPECT_TRUE(closed(idle.front()));
  for (std::size_t i = 1; i < idle.size(); ++i) EXPECT_FALSE(closed(idle[i])) << i;
}

TEST(Caps, WhoComesWhereNobodyGivesWayWaitsUntilOneLeaves) {
  Rig rig;
  Front::Limits limits = without_time();
  limits.connections = 2;
  const OwnLimits server(rig, limits);
  std::vector<RawConnection> young;
  for (int i = 0; i < 2; ++i) young.push_back(idle_one(server.port, "127.0.0.2"));
  RawConnection next(server.port);
  next.send(kHealthz);
  std::string answer;
  EXPECT_FALSE(next.receive(answer, 300ms));
  EXPECT_FALSE(next.closed());
  young.pop_back();
  ASSERT_TRUE(next.receive(answer, 20s));
  EXPECT_EQ(parse_response(answer).status, 200);
}

TEST(Caps, AnAddressHasItsShareAndNoMore) {
  Rig rig;
  Front::Limits limits = without_time();
  limits.connections_per_address = 2;
  const OwnLimits server(rig, limits);
  std::vector<RawConnection> young;
  for (int i = 0; i < 3; ++i) young.push_back(idle_one(server.port, "127.0.0.2"));
  EXPECT_TRUE(eventually([&] { return closed(young.back()); }));
  EXPECT_FALSE(closed(young.front()));
  EXPECT_EQ(rig.metrics.counter("http/refused", "", "").value(), 1);
  EXPECT_EQ(HttpClient(server.port).get("/healthz").status, 200) << "another address has its own";
}

TEST(Caps, AConnectionIsForAThousandRequests) {
  Rig rig;
  const OwnLimits server(rig, without_time());
  RawConnection connection(server.port);
  std::string requests;
  for (int i = 0; i < 1001; ++i) requests += kHealthz;
  ASSERT_TRUE(connection.send(requests));
  const std::string answers = connection.receive_all(2min);
  EXPECT_TRUE(connection.closed());
  EXPECT_EQ(answers_in(answers), 1000);
  ASSERT_NE(answers.find("Connection: close"), answers.npos);
  EXPECT_EQ(answers.find("Connection: close"), answers.rfind("Connection: close")) << "the last says so";
  EXPECT_GT(answers.find("Connection: close"), answers.size() - 1000);
}

TEST(Caps, BetweenTwoRequestsAConnectionIsIdleForSoLong) {
  EXPECT_EQ(Front::Limits{}.idle, 15s);
  Rig rig;
  Front::Limits limits = without_time();
  limits.idle = 500ms;
  const OwnLimits server(rig, limits);
  RawConnection connection(server.port);
  const auto began = std::chrono::steady_clock::now();
  connection.send(kHealthz);
  const std::string answers = connection.receive_all();
  EXPECT_TRUE(connection.closed());
  EXPECT_EQ(answers_in(answers), 1);
  EXPECT_THAT(answers, HasSubstr("Keep-Alive: timeout=15"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, limits.idle);
}

TEST(Caps, ABodyThatNeverEndsIsGivenUp) {
  Rig rig;
  Front::Limits limits = without_time();
  limits.body = 300ms;
  const OwnLimits server(rig, limits);
  const std::string head = "POST /api/v1/alerts/ack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
  RawConnection silent(server.port), drip(server.port);
  silent.send(head);
  drip.send(head);
  std::string answer;
  ASSERT_TRUE(eventually([&] {
    drip.send(" ");
    return drip.receive(answer, 20ms);
  }));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(parse_response(silent.receive_all()).status, 408);
  EXPECT_TRUE(silent.closed());
}

TEST(Caps, ABodyInChunksWithoutEndIsRefusedAtItsBound) {
  constexpr std::size_t kTenThousand = 10'000, kAtMost = 32u << 20;  // six bytes for one, and what the kernel holds
  std::string tiny;
  for (std::size_t i = 0; i < kTenThousand; ++i) tiny += "1\r\nx\r\n";
  Rig rig;
  Front::Limits limits = without_time();
  limits.request.takes_samples = takes_samples;
  const OwnLimits server(rig, limits);
  for (const std::string& chunks : {"4000\r\n" + std::string(0x4000, 'x') + "\r\n", tiny}) {
    RawConnection endless(server.port);
    endless.send("POST /api/v1/samples HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" +
                 rig.authorization() + "\r\n");
    std::string answer;
    std::size_t sent = 0;
    for (; answer.empty() && sent < kAtMost && endless.send(chunks); sent += chunks.size()) {
      endless.receive(answer, 0ms);
    }
    if (answer.empty()) endless.receive(answer, 20s);  // it was closed before we looked
    EXPECT_EQ(parse_response(answer).status, 413);
    EXPECT_GT(sent, limits.request.samples);
    EXPECT_EQ(HttpClient(server.port).get("/healthz").status, 200);
    EXPECT_TRUE(eventually([&] { return !endless.send(chunks); }));
  }
}

std::size_t open_files() {
  using Files = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Files("/proc/self/fd"), Files()));
}

void allow_files(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, count);
  limit.rlim_max = std::max(limit.rlim_max, count);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0) << "this needs " << count << " open files: ulimit -Hn";
}

TEST(Caps, TenThousandThatAreKeptAliveLeaveRoomForTheNext) {
  constexpr std::size_t kPeers = 10'000, kOfAnAddress = 200;  // so that none has more than its share
  Rig rig;
  rig.serve();
  ASSERT_NO_FATAL_FAILURE(allow_files(kPeers + 2'000));
  const std::size_t before = open_files();
  constexpr std::size_t kServers = 10;  // for what it does beside
  {
    std::vector<RawConnection> kept;
    while (kept.size() < kPeers) {
      kept.push_back(idle_one(rig.port(), "127.0.1." + std::to_string(1 + kept.size() / kOfAnAddress)));
      kept.back().send(kHealthz);
      if (kept.size() % 1000 > 0) continue;
      EXPECT_TRUE(eventually([&] { return rig.http().get("/healthz").status == 200; })) << kept.size();
      EXPECT_LE(open_files(), before + kept.size() + Front::Limits{}.connections + kServers);
    }
  }
  EXPECT_TRUE(eventually([&] { return open_files() <= before + kServers; }));
}

}  // namespace
}  // namespace tidegate::dashboard::test
