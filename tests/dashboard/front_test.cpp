// Connections that no good client makes, against the connection limits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "tests/dashboard/own_limits.h"
#include "tests/support/pace.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using tidegate::test::eventually;
using tidegate::test::kPrompt;
using tidegate::test::Millis;
using tidegate::test::parse_response;

std::string answer_to(int port, const std::string& request) {
  RawConnection connection(port);
  connection.send(request);
  return connection.receive_all();
}

RawConnection slow_reader(const Rig& rig, int port, const std::string& target) {
  RawConnection connection(port, 4096);
  connection.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization() + "\r\n");
  return connection;
}

/// What /healthz takes, in the middle, of so many times; `others` do in each round what they do.
Millis healthz_takes(const HttpClient& http, const std::function<void(int round)>& others) {
  std::vector<Millis> took;
  for (int round = 0; round < 20; ++round) {
    others(round);
    took.push_back(tidegate::test::time_of([&] { EXPECT_EQ(http.get("/healthz").status, 200) << round; }));
  }
  return tidegate::test::median(std::move(took));
}

class Connections : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  Rig rig;
};

TEST_F(Connections, SixtyFourThatDripTheirHeadDoNotDelayTheRest) {
  std::vector<RawConnection> drips;
  for (int i = 0; i < 64; ++i) {
    drips.emplace_back(rig.port());
    drips.back().send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  }
  EXPECT_LT(healthz_takes(rig.http(),
                          [&](int round) {
                            for (auto& drip : drips) drip.send("X-Header: " + std::to_string(round) + "\r\n");
                          }),
            kPrompt);
}

TEST_F(Connections, SixtyFourThatDripTheirBodyDoNotDelayTheRest) {
  std::vector<RawConnection> drips;
  for (int i = 0; i < 64; ++i) {
    drips.emplace_back(rig.port());
    drips.back().send("POST /api/v1/alerts/ack HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                      rig.authorization() + "Content-Length: 1000\r\n\r\n");
  }
  EXPECT_LT(healthz_takes(rig.http(),
                          [&](int) {
                            for (auto& drip : drips) drip.send(" ");
                          }),
            kPrompt);
}

TEST_F(Connections, AHeadThatNeverEndsIsGivenUp) {
  RawConnection connection(rig.port());
  connection.send("GET /healthz HTTP/1.1\r\n");
  std::string answer;
  ASSERT_TRUE(eventually([&] {
    connection.send("X: y\r\n");
    return connection.receive(answer, std::chrono::milliseconds(200));
  }));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(Connections, AreRefusedByTheirSizeBeforeTheyAreParsed) {
  const int port = rig.port();
  EXPECT_EQ(parse_response(answer_to(port, "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n")).status, 414);
  EXPECT_EQ(parse_response(answer_to(port, "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'))).status, 431);
  EXPECT_EQ(
      parse_response(answer_to(port, "POST /api/v1/alerts/ack HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n")).status,
      413);
  EXPECT_EQ(
      parse_response(answer_to(port, "POST /api/v1/alerts/ack HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")).status,
      411);
  EXPECT_EQ(parse_response(answer_to(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).status, 400);
  EXPECT_EQ(parse_response(answer_to(port, std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11))).status, 400);
}

TEST_F(Connections, AClientThatWaitsForContinueIsToldTo) {
  RawConnection connection(rig.port());
  const std::string body = R"({"id": "no:such"})";
  connection.send("POST /api/v1/alerts/ack HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                  rig.authorization() + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n");
  std::string answer;
  ASSERT_TRUE(connection.receive(answer, std::chrono::seconds(20)));
  EXPECT_EQ(answer, "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send(body);
  EXPECT_EQ(parse_response(connection.receive_all()).status, 404);
}

TEST_F(Connections, ABodyInPiecesIsPutTogether) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  RawConnection connection(rig.port());
  const std::string body = R"({"id": "hot:boiler1"})";
  connection.send("POST /api/v1/alerts/ack HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                  rig.authorization() + "Connection: close\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n");
  for (const char c : body) connection.send(std::string(1, c));
  EXPECT_EQ(parse_response(connection.receive_all()).status, 200);
}

TEST_F(Connections, BeyondTheBoundTheOldestIdleOneGivesWay) {
  const Front::Limits limits;
  std::vector<RawConnection> idle;
  for (std::size_t i = 0; i < limits.connections_per_address; ++i) idle.emplace_back(rig.port());
  EXPECT_TRUE(eventually([&] { return rig.http().get("/healthz").status == 200; }));
  EXPECT_TRUE(eventually([&] { return closed(idle.front()); }));
}

TEST_F(Connections, AnAnswerThatNobodyReadsHoldsNoWorker) {
  std::vector<Sample> samples;
  const auto series = rig.series("a/b");
  for (int i = 0; i < 5000; ++i) samples.push_back(reading(series, i * 0.123, std::chrono::seconds(i)));
  rig.commit(std::move(samples));
  std::vector<RawConnection> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.emplace_back(rig.port(), 4096);
    stalled.back().send(
        "GET /api/v1/history?series=a/b&from=1700000000000000&to=1700005000000000&points=5000 HTTP/1.1\r\n"
        "Host: localhost\r\n" +
        rig.authorization() + "\r\n");
  }
  EXPECT_LT(healthz_takes(rig.http(), [](int) {}), kPrompt);
  EXPECT_EQ(rig.http().get("/api/v1/history?series=a/b").status, 200);
}

TEST(Answers, ThatWaitForSlowReadersAreBoundedInAll) {
  Rig rig;
  const std::string target = large_history(rig);
  Front::Limits limits = patient();
  limits.waiting_bytes = 12u << 20;
  const OwnLimits server(rig, limits);
  const tidegate::test::HttpClient http(server.port, rig.token);
  const std::size_t size = http.get(target).body.size();
  const auto too_many = static_cast<int>(2 * limits.waiting_bytes / size);
  Metric& answered = rig.metrics.counter("http/requests", "", "");
  Metric& waiting = rig.metrics.gauge("http/waiting_bytes", "", "");
  {
    std::vector<RawConnection> readers;
    const double before = answered.value();
    for (int i = 0; i < too_many; ++i) readers.push_back(slow_reader(rig, server.port, target));
    ASSERT_TRUE(eventually([&] { return answered.value() == before + too_many; }, std::chrono::minutes(2)));
    EXPECT_LE(waiting.value(), static_cast<double>(limits.waiting_bytes));
    EXPECT_GT(waiting.value(), static_cast<double>(limits.waiting_bytes / 2));
    EXPECT_TRUE(eventually([&] {  // the kernel may have taken of them since, and so made room for a few more
      readers.push_back(slow_reader(rig, server.port, target));
      return http.get(target).status == 503;
    }));
    EXPECT_EQ(http.get("/healthz").status, 200);
  }
  EXPECT_TRUE(eventually([&] { return waiting.value() == 0; }));
  EXPECT_EQ(http.get(target).status, 200);
}

TEST(Answers, LargerThanTheBoundIsGivenWhenNoOtherWaits) {
  Rig rig;
  Front::Limits limits;
  limits.waiting_bytes = 1000;
  const OwnLimits server(rig, limits);
  const std::string target = large_history(rig);
  EXPECT_EQ(tidegate::test::HttpClient(server.port, rig.token).get(target).status, 200);
}

TEST(Answers, AreNotHeldForWhoTakesThemInDrips) {
  Rig rig;
  const std::string target = large_history(rig);
  Front::Limits limits = patient();
  limits.take = std::chrono::seconds(1);
  const OwnLimits server(rig, limits);
  RawConnection drip = slow_reader(rig, server.port, target);
  Metric& waiting = rig.metrics.gauge("http/waiting_bytes", "", "");
  ASSERT_TRUE(eventually([&] { return waiting.value() > 0; }));
  const auto size = static_cast<std::size_t>(waiting.value());
  std::string taken;
  EXPECT_TRUE(eventually([&] {  // at this pace it would have all of it in a minute
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    drip.receive(taken, std::chrono::milliseconds(0));
    return waiting.value() == 0;
  }));
  EXPECT_LT(taken.size(), size);
}

TEST(Stopping, FinishesWhatIsBeingAnswered) {
  Rig rig;
  std::latch asked(1), may_answer(1);
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  rig.gateway.on_ask = [&] { asked.count_down(), may_answer.wait(); };
  Front::Limits limits;
  limits.linger = std::chrono::minutes(1);
  auto server = std::make_unique<OwnLimits>(rig, limits);
  const int port = server->port;
  RawConnection idle(port), asking(port);
  const std::string body = R"({"id": "hot:boiler1"})";
  asking.send("POST /api/v1/alerts/ack HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization() +
              "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  asked.wait();
  std::jthread stopping([&] { server.reset(); });
  EXPECT_TRUE(eventually([&] { return !tidegate::test::wait_for_port(port, std::chrono::milliseconds(0)); }));
  may_answer.count_down();
  EXPECT_EQ(parse_response(asking.receive_all()).status, 200);
  stopping.join();
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_TRUE(idle.closed());
}

}  // namespace
}  // namespace tidegate::dashboard::test
