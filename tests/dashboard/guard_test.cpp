#include "dashboard/guard.h"

#include <gtest/gtest.h>

namespace tidegate::dashboard {
namespace {

TEST(HostAllowList, TakesAddressesAndLocalNames) {
  const HostAllowList hosts({"Gateway-7", "gateway.plant.example"});
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "192.168.1.20:80", "[::1]", "[fe80::1]:8080", "localhost",
                           "LOCALHOST:8080", "box.localhost", "tidegate-7.local", "tidegate-7.local.:80", "gateway-7",
                           "GATEWAY-7:8080", "gateway.plant.example"}) {
    EXPECT_TRUE(hosts.allows(host)) << host;
  }
}

TEST(HostAllowList, RefusesNamesThatAnyoneCouldPointHere) {
  const HostAllowList hosts({"gateway-7", ""});
  for (const char* host :
       {"", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "notlocal",
        ".local", "local", "gateway-7.evil.example", "127.0.0.1:80:80", "[::1", "::1:99x", "box.local:x", "1.2.3"}) {
    EXPECT_FALSE(hosts.allows(host)) << host;
  }
  EXPECT_FALSE(hosts.allows(std::string_view("evil\0.local", 11)));
}

TEST(SameOrigin, NeedsTheSameHostAndPort) {
  EXPECT_TRUE(same_origin("http://box.local:8080", "box.local:8080"));
  EXPECT_TRUE(same_origin("https://BOX.local", "box.local"));
  EXPECT_FALSE(same_origin("http://box.local", "box.local:8080"));
  EXPECT_FALSE(same_origin("http://evil.example", "box.local"));
  EXPECT_FALSE(same_origin("null", "box.local"));
  EXPECT_FALSE(same_origin("", "box.local"));
  EXPECT_FALSE(same_origin("ftp://box.local", "box.local"));
}

TEST(JsonContentType, WithOrWithoutParameters) {
  EXPECT_TRUE(json_content_type("application/json"));
  EXPECT_TRUE(json_content_type("Application/JSON; charset=utf-8"));
  EXPECT_FALSE(json_content_type("text/plain"));
  EXPECT_FALSE(json_content_type("application/json-seq"));
  EXPECT_FALSE(json_content_type(""));
}

}  // namespace
}  // namespace tidegate::dashboard
