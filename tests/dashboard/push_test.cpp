// Bodies of samples as programs send them: plain, as a form, compressed, in chunks, too large; and who may.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "dashboard/gzip.h"
#include "tests/dashboard/rig.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using tidegate::test::HttpResponse;
using tidegate::test::parse_response;
using Headers = std::map<std::string, std::string>;

std::string zipped(std::string_view text) {
  z_stream zip{};
  deflateInit2(&zip, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zip, text.size()) + 32, '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zip.avail_in = static_cast<uInt>(text.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&zip, Z_FINISH), Z_STREAM_END);
  out.resize(zip.total_out);
  deflateEnd(&zip);
  return out;
}

class PushApi : public testing::Test {
 protected:
  void SetUp() override {
    rig.serve();
    rig.gateway.set_pushed(Pushed{.samples = 3});
  }
  HttpResponse post(const std::string& path, const std::string& body, Headers headers = {}) {
    return rig.http().post(path, body, std::move(headers));
  }
  FakeGateway::Arrived last() { return rig.gateway.pushes().back(); }
  HttpResponse say(const std::string& bytes) {
    RawConnection connection(rig.port());
    connection.send(bytes);
    return parse_response(connection.receive_all());
  }
  std::string head(const std::string& path, const std::string& headers) const {
    return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + rig.authorization() + headers +
           "\r\n";
  }

  Rig rig;
};

TEST_F(PushApi, TheTypeSaysWhatItIs) {
  const auto response = post("/api/v1/samples?source=a", "[]", {{"Content-Type", "application/json; charset=utf-8"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"samples":3})");
  EXPECT_EQ(last().source, "a");
  EXPECT_EQ(last().from, "rig");
  EXPECT_EQ(last().format, Push::Format::json);
  // The last is what curl says of a body of which it is told nothing.
  for (const Headers& headers : {Headers{}, Headers{{"Content-Type", "text/plain"}},
                                 Headers{{"Content-Type", "application/x-www-form-urlencoded"}}}) {
    const std::string body = "m f=1&x=%41\n" + std::string(20'000, '#');
    EXPECT_EQ(post("/api/v1/samples?precision=ms", body, headers).status, 200);
    EXPECT_EQ(last().format, Push::Format::lines);
    EXPECT_EQ(last().body, body);
    EXPECT_EQ(last().unit, std::chrono::milliseconds(1));
  }
  EXPECT_EQ(post("/api/v1/samples?precision=days", "m f=1").status, 400);
  EXPECT_EQ(post("/api/v1/samples?presicion=ms", "m f=1").status, 400);
}

TEST_F(PushApi, AnswersInfluxdbsClientsInTheirWords) {
  GatewayView view;
  view.sources = {{.name = "telegraf", .type = "push"}, {.name = "field", .type = "mqtt"}};
  rig.gateway.set_view(view);
  for (const char* path :
       {"/api/v2/write?org=plant&bucket=telegraf&precision=s", "/write?db=telegraf&rp=a&precision=s"}) {
    const auto response = post(path, "m f=1", {{"Content-Type", "text/plain; charset=utf-8"}});
    EXPECT_EQ(response.status, 204) << path << response.body;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(last().source, "telegraf");
    EXPECT_EQ(last().unit, std::chrono::seconds(1));
  }
  EXPECT_EQ(post("/api/v2/write?bucket=field", "m f=1").status, 204);
  EXPECT_EQ(last().source, "") << "a bucket that is no source means nothing";
  rig.gateway.set_pushed(Pushed{.samples = 2, .refused = 1, .told = {{7, "column 3: a tag's key is missing"}}});
  const auto partial = post("/api/v2/write", "m f=1");
  EXPECT_EQ(partial.status, 400);
  const json body = json::parse(partial.body);
  EXPECT_EQ(body["code"], "invalid");
  EXPECT_EQ(body["message"], body["detail"]);
  EXPECT_THAT(body["error"],
              HasSubstr("partial write: 1 line was not taken, and 2 samples were taken; line 7: column 3"));
  EXPECT_EQ(body["first"], json::parse(R"([{"line": 7, "reason": "column 3: a tag's key is missing"}])"));
  EXPECT_EQ(body["samples"], 2);
}

TEST_F(PushApi, TokensComeInBothWords) {
  const auto with = [&](const std::string& value) {
    return HttpClient(rig.port()).post("/api/v2/write", "m f=1", {{"Authorization", value}}).status;
  };
  EXPECT_EQ(with("Token " + rig.token), 204);
  EXPECT_EQ(with("Bearer " + rig.token), 204);
  EXPECT_EQ(with("Token x"), 401);
  EXPECT_EQ(with("Basic x"), 401);
  const access::Identity by{"rig", access::Role::admin};
  EXPECT_EQ(with("Token " + rig.access->make_token(by, "v", access::Role::viewer, {}).value()), 403);
  EXPECT_EQ(with("Token " + rig.access->make_token(by, "o", access::Role::operator_, {}).value()), 204);
}

TEST_F(PushApi, APageOfAnotherSitePushesNothing) {
  EXPECT_EQ(post("/api/v1/samples", "m f=1", {{"Origin", "http://evil.example"}}).status, 403);
  ASSERT_TRUE(rig.access->add_user({"rig", access::Role::admin}, "ada", access::Role::admin, "correct horse battery"));
  const HttpClient browser(rig.port());
  const auto in = browser.post("/api/v1/log-in", R"({"name": "ada", "password": "correct horse battery"})");
  const std::string set = in.headers.at("set-cookie");
  const std::string origin = fmt::format("http://127.0.0.1:{}", rig.port());
  Headers headers{{"Cookie", set.substr(0, set.find(';'))}, {"Origin", origin}, {"Content-Type", "text/plain"}};
  EXPECT_EQ(browser.post("/api/v1/samples", "m f=1", headers).status, 403) << "without the token of its own page";
  EXPECT_TRUE(rig.gateway.pushes().empty());
}

TEST_F(PushApi, ABodyMayBeCompressed) {
  const std::string body(300'000, '#');
  EXPECT_EQ(post("/api/v2/write", zipped(body), {{"Content-Encoding", "gzip"}}).status, 204);
  EXPECT_EQ(last().body, body);
  EXPECT_EQ(post("/api/v2/write", body.substr(0, 100), {{"Content-Encoding", "identity"}}).status, 204);
  const std::size_t pushes = rig.gateway.pushes().size();
  EXPECT_EQ(post("/api/v2/write", zipped(std::string((1u << 20) + 1, '#')), {{"Content-Encoding", "gzip"}}).status,
            413);
  EXPECT_EQ(post("/api/v2/write", zipped(body).substr(0, 50), {{"Content-Encoding", "gzip"}}).status, 413);
  EXPECT_EQ(post("/api/v2/write", "m f=1", {{"Content-Encoding", "zstd"}}).status, 415);
  EXPECT_EQ(rig.gateway.pushes().size(), pushes);
  EXPECT_EQ(
      post("/api/v1/alerts/ack", zipped("{}"), {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}})
          .status,
      415);
}

TEST_F(PushApi, ABodyMayComeInChunksAndTheConnectionGoesOn) {
  RawConnection connection(rig.port());
  const std::string path = "/api/v2/write?bucket=b";
  const std::string keep = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization();
  connection.send(keep + "Transfer-Encoding: chunked\r\n\r\n4\r\nm f=\r\n2\r\n1\n");
  connection.send("\r\n0\r\n\r\n" + head(path, "Content-Length: 5\r\n") + "m f=2");
  const std::string answers = connection.receive_all();
  EXPECT_THAT(answers, testing::ContainsRegex("HTTP/1.1 204(.|\r|\n)*HTTP/1.1 204"));
  ASSERT_EQ(rig.gateway.pushes().size(), 2u);
  EXPECT_EQ(rig.gateway.pushes()[0].body, "m f=1\n");
  EXPECT_EQ(rig.gateway.pushes()[1].body, "m f=2");
  EXPECT_EQ(say(head(path, "Transfer-Encoding: chunked\r\n") + "zz\r\n").status, 400);
  EXPECT_EQ(say(head("/api/v1/alerts/ack", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").status, 411);
}

TEST_F(PushApi, ABodyMayBeOneMegabyteWhereOthersAreSmall) {
  const std::string body((1u << 20), '#');
  EXPECT_EQ(post("/api/v1/samples", body).status, 200);
  EXPECT_EQ(last().body.size(), body.size());
  EXPECT_EQ(say(head("/api/v1/samples", "Content-Length: 1048577\r\n")).status, 413);
  EXPECT_EQ(say(head("/api/v1/alerts/ack", "Content-Length: 65537\r\n")).status, 413);
}

TEST_F(PushApi, LargeBodiesThatNeverComeLeaveRoomForSmallOnesAndGiveTheirsBack) {
  std::vector<RawConnection> stalled;
  for (int i = 0; i < 4; ++i) {
    stalled.emplace_back(rig.port());
    stalled.back().send(head("/api/v1/samples", "Expect: 100-continue\r\nContent-Length: 1000000\r\n"));
    std::string interim;
    while (interim.find("100 Continue") == std::string::npos && !stalled.back().closed()) {
      stalled.back().receive(interim, std::chrono::seconds(20));
    }
  }
  const std::string large(100'000, '#');
  EXPECT_EQ(post("/api/v1/samples", large).status, 503);
  EXPECT_EQ(post("/api/v1/samples", "m f=1").status, 200);
  stalled.pop_back();
  EXPECT_TRUE(tidegate::test::eventually([&] { return post("/api/v1/samples", large).status == 200; }));
}

TEST_F(PushApi, WhatCannotBeTakenNowIsToldWithATime) {
  rig.gateway.set_pushed(fail(Errc::unavailable, "the disk takes no samples now"));
  const auto later = post("/api/v1/samples", "m f=1");
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(later.headers.at("retry-after"), "1");
  rig.gateway.set_pushed(fail(Errc::full, "more than 16384 samples at once"));
  EXPECT_EQ(post("/api/v2/write", "m f=1").status, 413);
  rig.gateway.set_pushed(fail(Errc::not_found, "no source takes what is pushed"));
  EXPECT_EQ(post("/api/v1/samples", "m f=1").status, 404);
}

/// Snappy's block of up to 60 bytes that are not compressed.
std::string snapped(const std::string& body) {
  return static_cast<char>(body.size()) + std::string(1, static_cast<char>((body.size() - 1) << 2)) + body;
}

TEST_F(PushApi, PrometheusWritesBySnappyAndVersionOne) {
  const std::string path = "/api/v1/prometheus/write?source=field";
  const Headers headers{{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "snappy"}};
  EXPECT_EQ(post(path, snapped("series"), headers).status, 204);
  EXPECT_EQ(last().body, "series");
  EXPECT_EQ(last().source, "field");
  EXPECT_EQ(last().format, Push::Format::prometheus);
  const std::size_t pushes = rig.gateway.pushes().size();
  EXPECT_EQ(post(path, "series", {{"Content-Type", "application/x-protobuf"}}).status, 415);
  EXPECT_EQ(
      post(path, snapped("series"), {{"Content-Type", "application/json"}, {"Content-Encoding", "snappy"}}).status,
      415);
  const Headers second{{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                       {"Content-Encoding", "snappy"}};
  EXPECT_EQ(post(path, snapped("series"), second).status, 415);
  EXPECT_EQ(post(path, snapped("series").substr(0, 4), headers).status, 413);
  EXPECT_EQ(post(path,
                 "\xff\xff\xff\x7f"
                 "a",
                 headers)
                .status,
            413)
      << "it says that it is 256 MB long";
  EXPECT_EQ(rig.gateway.pushes().size(), pushes);
  rig.gateway.set_pushed(Pushed{3, {}, 2, {{4, "no name"}}});
  const auto partial = post(path, snapped("series"), headers);
  EXPECT_EQ(partial.status, 400);
  EXPECT_THAT(json::parse(partial.body)["detail"].get<std::string>(),
              HasSubstr("partial write: 2 series were not taken, and 3 samples were taken; series 4: no name"));
}

TEST_F(PushApi, DocumentsGoToTheSourceAsTheyAre) {
  EXPECT_EQ(post("/api/v1/documents", "{\"a\": 1}", {{"Content-Type", "application/json"}}).status, 200);
  EXPECT_EQ(last().format, Push::Format::document);
  EXPECT_EQ(last().body, "{\"a\": 1}");
  EXPECT_EQ(post("/api/v1/documents", zipped("{}"), {{"Content-Encoding", "gzip"}}).status, 200);
  EXPECT_EQ(last().body, "{}");
}

TEST(Gzip, IsUndoneToItsBoundAndNotBeyond) {
  EXPECT_EQ(unzipped(zipped("hello"), 5), "hello");
  EXPECT_EQ(unzipped(zipped("hello"), 4), std::nullopt);
  EXPECT_EQ(unzipped("hello", 5), std::nullopt);
  EXPECT_EQ(unzipped("", 5), std::nullopt);
  EXPECT_EQ(unzipped(zipped(std::string(50u << 20, 'a')), 1000), std::nullopt);
}

}  // namespace
}  // namespace tidegate::dashboard::test
