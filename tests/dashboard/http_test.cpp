#include "dashboard/api.h"
#include "dashboard/assets.h"
#include "tests/dashboard/http_fixture.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(Http, APageOfAnotherSiteChangesNothing) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  const std::string host = "127.0.0.1:" + std::to_string(rig.port());
  const auto status = [&](const std::map<std::string, std::string>& extra) {
    std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
    headers.insert(extra.begin(), extra.end());
    return rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})", headers).status;
  };
  EXPECT_EQ(status({{"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(status({{"Origin", "null"}}), 403);
  EXPECT_EQ(status({{"Origin", "http://127.0.0.1:1"}}), 403);
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_TRUE(rig.gateway.wishes().empty());
  EXPECT_EQ(status({{"Origin", "http://" + host}, {"Sec-Fetch-Site", "same-origin"}}), 200);
}

TEST_F(Http, AHostThatIsNotOursIsMisdirectedOnEveryRoute) {
  std::vector<std::string> paths = {"/", "/api/v1/stream", "/no/such"};
  for (const auto& route : routes()) paths.emplace_back(route.path);
  for (const auto& path : paths) {
    EXPECT_EQ(rig.http().get(path, {{"Host", "evil.example"}}).status, 421) << path;
  }
  EXPECT_EQ(rig.http().get("/healthz", {{"Host", "tidegate.local:80"}}).status, 200);
}

TEST_F(Http, TwoHostsOrNoneAreABadRequest) {
  for (const std::string& hosts : {std::string(), std::string("Host: 127.0.0.1\r\nHost: evil.example\r\n")}) {
    RawConnection connection(rig.port());
    connection.send("GET /healthz HTTP/1.1\r\n" + hosts + "Connection: close\r\n\r\n");
    EXPECT_EQ(tidegate::test::parse_response(connection.receive_all()).status, 400);
  }
}

TEST_F(Http, EveryAnswerCarriesTheSecurityHeadersAndNoCors) {
  for (const std::string path : {"/", "/healthz", "/api/v1/state", "/no/such"}) {
    const auto response = rig.http().get(path, {{"Origin", "http://evil.example"}});
    EXPECT_THAT(response.headers.at("content-security-policy"), HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(response.headers.at("referrer-policy"), "same-origin") << path;
    EXPECT_EQ(response.headers.count("access-control-allow-origin"), 0u) << path;
  }
  EXPECT_EQ(get("/api/v1/state").headers.at("cache-control"), "no-store");
}

TEST_F(Http, AnotherMethodIsToldWhichOnesThereAre) {
  const auto response = rig.http().request("DELETE", "/api/v1/series");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(rig.http().request("OPTIONS", "/api/v1/alerts/ack").status, 405);
  EXPECT_EQ(rig.http().get("/api/v1/alerts/ack").headers.at("allow"), "POST");
}

TEST_F(Http, WhatCannotBeParsedIsRefusedAndTheConnectionClosed) {
  const auto response = rig.http().request("BREW", "/");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_EQ(response.headers.at("content-type"), "application/problem+json");
}

TEST_F(Http, AParameterThatIsNotKnownIsRefusedWithTheNearest) {
  const auto refused = [this](const std::string& path) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 400) << path;
    EXPECT_EQ(response.headers.at("content-type"), "application/problem+json") << path;
    return json::parse(response.body).value("detail", "");
  };
  EXPECT_EQ(refused("/api/v1/history?series=a/b&pionts=5"), "unknown parameter 'pionts' (did you mean 'points'?)");
  EXPECT_EQ(refused("/api/v1/history?series=a/b&until=5"),
            "unknown parameter 'until'; known are series, from, to, points, format");
  EXPECT_EQ(refused("/api/v1/alerts/log?limits=5"), "unknown parameter 'limits' (did you mean 'limit'?)");
  EXPECT_EQ(refused("/api/v1/dead-letters?limt=5"), "unknown parameter 'limt' (did you mean 'limit'?)");
  EXPECT_EQ(refused("/api/v1/series?%0A=1"), "unknown parameter '\\x0a'; there is none here");
  EXPECT_EQ(refused("/api/v1/stream?lastEventId=e:1"),
            "unknown parameter 'lastEventId' (did you mean 'last_event_id'?)");
}

TEST(Lanes, WhatMayReadTheDiskIsSlowHoweverItIsWritten) {
  using enum Workers::Lane;
  for (const std::string_view path : {"/healthz", "/", "/api/v1/series", "/api/v1/state", "/no/such"}) {
    EXPECT_EQ(lane_of(path), quick) << path;
  }
  for (const std::string_view path : {"/api/v1/history", "/api/v1/alerts/log", "/metrics", "/api/v1/alerts",
                                      "/api/v1/alerts/ack", "/api/v1/alerts/shelve", "/api/v1/alerts/unshelve",
                                      "/api/v1/snapshots", "/api/v1/snapshot", "/api/v1/dead-letters"}) {
    EXPECT_EQ(lane_of(path), slow) << path;
  }
  for (const std::string_view path : {"/api/v1/log-in", "/api/v1/log%2Din", "/%61pi/v1/claim", "/api/v1/password"}) {
    EXPECT_EQ(lane_of(path), log_ins) << path;
  }
}

TEST_F(Http, ThePageComesCompressedOrPlainAndIsKnownByItsTag) {
  const auto plain = rig.http().get("/");
  ASSERT_EQ(plain.status, 200);
  EXPECT_THAT(plain.headers.at("content-type"), HasSubstr("text/html"));
  EXPECT_THAT(plain.body, HasSubstr("<title>"));
  EXPECT_EQ(plain.headers.count("content-encoding"), 0u);
  const auto zipped = rig.http().get("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(zipped.headers.at("vary"), "Accept-Encoding");
  const auto page =
      std::find_if(assets().begin(), assets().end(), [](const Asset& one) { return one.path == "/index.html"; });
  ASSERT_NE(page, assets().end());
  EXPECT_EQ(zipped.body, page->gzip);
  const auto again = rig.http().get("/", {{"If-None-Match", zipped.headers.at("etag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
}

TEST_F(Http, LargeAnswersAreCompressedForWhoAsks) {
  for (int i = 0; i < 200; ++i) rig.commit({reading(rig.series("a/s" + std::to_string(i)), i)});
  const auto plain = rig.http().get("/api/v1/series");
  const auto zipped = rig.http().get("/api/v1/series", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_LT(zipped.body.size() * 4, plain.body.size());
}

TEST_F(Http, AConnectionServesManyRequestsEvenSentAtOnce) {
  RawConnection connection(rig.port());
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  connection.send(request + request + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string all = connection.receive_all();
  std::size_t answers = 0;
  for (auto at = all.find("ok\n"); at != all.npos; at = all.find("ok\n", at + 1)) ++answers;
  EXPECT_EQ(answers, 3u) << all;
}

TEST(SecondServer, OnTheSamePortIsRefusedWithASentence) {
  Rig rig;
  rig.serve();
  Options options;
  options.port = rig.port();
  const auto second = Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().text, HasSubstr("is in use by another program"));
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
}

TEST(SecondServer, MayFollowAtOnceOnTheSamePort) {
  Rig rig;
  rig.serve();
  const int port = rig.port();
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.stop();
  Options options;
  options.port = port;
  EXPECT_TRUE(Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics));
}

TEST(ServerAddress, ThatIsNoneIsRefused) {
  Rig rig;
  Options options;
  options.address = "not an address";
  EXPECT_EQ(Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics).error().code,
            Errc::invalid);
}

}  // namespace
}  // namespace tidegate::dashboard::test
