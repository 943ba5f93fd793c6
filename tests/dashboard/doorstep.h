#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/dashboard/rig.h"

/// What tests share of who may do what.
namespace tidegate::dashboard::test {

using access::Role;
using tidegate::test::HttpResponse;
using Headers = std::map<std::string, std::string>;

inline const std::string kGood = "correct horse battery";
inline const access::Identity kBy{"rig", Role::admin};

/// A page in a browser: keeps its cookie, and says where it is from.
struct Page {
  int port;
  std::string cookie, csrf;

  std::string host() const { return "127.0.0.1:" + std::to_string(port); }
  HttpResponse post(const std::string& path, const nlohmann::json& body, Headers headers = {}) {
    headers.emplace("Content-Type", "application/json");
    headers.emplace("Origin", "http://" + host());
    if (!csrf.empty()) headers.emplace("X-CSRF-Token", csrf);
    return keep(HttpClient(port).post(path, body.dump(), with_cookie(std::move(headers))));
  }
  HttpResponse get(const std::string& path) const { return HttpClient(port).get(path, with_cookie({})); }
  HttpResponse head(const std::string& path) const {
    return HttpClient(port).request("HEAD", path, {}, with_cookie({}));
  }
  HttpResponse log_in(const std::string& name, const std::string& password) {
    return post("/api/v1/log-in", {{"name", name}, {"password", password}});
  }
  std::string stream_headers() const { return "Cookie: " + cookie + "\r\n"; }

 private:
  Headers with_cookie(Headers headers) const {
    if (!cookie.empty()) headers.emplace("Cookie", cookie);
    return headers;
  }
  HttpResponse keep(HttpResponse response) {
    if (const auto set = response.headers.find("set-cookie"); set != response.headers.end()) {
      cookie = set->second.substr(0, set->second.find(';'));
      csrf = nlohmann::json::parse(response.body).value("csrf", "");
    }
    return response;
  }
};

/// A gateway of which nothing was asked yet.
class Doorstep : public testing::Test {
 protected:
  explicit Doorstep(const Options::Stream& stream = {})
      : rig{{.socket = directory / "t.sock", .name = "Plant 3", .stream = stream}} {}
  void SetUp() override { rig.serve(); }
  Page page() { return {rig.port(), {}, {}}; }
  Page logged_in(const std::string& name, Role role) {
    EXPECT_TRUE(rig.access->add_user(kBy, name, role, kGood));
    Page browser = page();
    EXPECT_EQ(browser.log_in(name, kGood).status, 200);
    return browser;
  }
  std::string token_of(Role role) { return rig.access->make_token(kBy, "t", role, {}).value(); }

  TempDir directory;
  Rig rig;
};

inline access::Grant part(const char* scope) { return access::parse_grant(scope).value(); }

}  // namespace tidegate::dashboard::test
