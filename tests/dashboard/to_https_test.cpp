#include "dashboard/to_https.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_client.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using tidegate::test::parse_response;

tidegate::test::HttpResponse answer(const std::string& line, const std::string& host, int port = 8080) {
  return parse_response(to_https(line + " HTTP/1.1\r\nhOsT: " + host + "\r\nAccept: */*\r\n\r\n",
                                 HostAllowList({"plant.example"}), port));
}
std::string location(const std::string& line, const std::string& host, int port = 8080) {
  const auto response = answer(line, host, port);
  EXPECT_EQ(response.status, 308);
  return response.headers.contains("location") ? response.headers.at("location") : "";
}

TEST(ToHttps, LeadsToTheSameAddress) {
  EXPECT_EQ(location("GET /", "box.local:8080"), "https://box.local:8080/");
  EXPECT_EQ(location("HEAD /api/v1/history?series=a/b&points=5", "192.0.2.7:8080"),
            "https://192.0.2.7:8080/api/v1/history?series=a/b&points=5");
  EXPECT_EQ(location("GET /", "[fd00::7]:8080"), "https://[fd00::7]:8080/");
  EXPECT_EQ(answer("GET /", "plant.example").headers.at("cache-control"), "no-store");
}

TEST(ToHttps, NamesThePortThatPlainHttpLeavesUnsaid) {
  EXPECT_EQ(location("GET /", "plant.example", 8080), "https://plant.example:8080/");
  EXPECT_EQ(location("GET /", "[fd00::7]", 80), "https://[fd00::7]:80/");
  EXPECT_EQ(location("GET /", "plant.example", 443), "https://plant.example/");
}

TEST(ToHttps, NothingIsTakenThatWouldChangeSomething) {
  const auto refused = answer("POST /api/v1/alerts/ack", "box.local:8080");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("use https"));
  EXPECT_FALSE(refused.headers.contains("location"));
}

TEST(ToHttps, LeadsNowhereElse) {
  EXPECT_EQ(answer("GET /", "evil.example").status, 421);
  EXPECT_EQ(answer("GET /", "evil.example/x.local").status, 421);
  EXPECT_EQ(answer("GET /", "evil.example\\.local").status, 421);
  EXPECT_EQ(answer("GET /", "user@box.local").status, 421);
  EXPECT_EQ(answer("GET /", "box.local\r\nHost: other.local").status, 400);
  EXPECT_EQ(answer("GET /", "").status, 400);
  EXPECT_EQ(location("GET http://evil.example/", "box.local:8080"), "https://box.local:8080/");
  EXPECT_EQ(location("GET /\xff", "box.local:8080"), "https://box.local:8080/");
}

}  // namespace
}  // namespace tidegate::dashboard::test
