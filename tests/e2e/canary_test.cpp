// A secret that the gateway is given is nowhere in what it says, keeps or gives away: control S18.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dashboard/api.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::HttpClient;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr int kUsage = 64;

/// Each is given in another way; none of them is a word that stands anywhere else.
const std::string kFieldPassword = "canary-of-the-field-Xq7", kCloudPassword = "canary-of-the-cloud-Zk4",
                  kFilePassword = "canary-of-a-file-Wm2", kUserPassword = "canary of a user, twelve",
                  kNewPassword = "canary of a user, another";

class Canary : public testing::Test {
 protected:
  void SetUp() override {
    gateway.directory().write("secrets.yaml", "field_password: " + kFieldPassword + "\n");
    gateway.directory().write("other.secret", kFilePassword + "\n");
    for (const char* file : {"secrets.yaml", "other.secret"}) {
      fs::permissions(gateway.directory() / file, fs::perms::owner_read | fs::perms::owner_write);
    }
    gateway.start();
    ASSERT_TRUE(eventually([&] { return gateway.get("/api/v1/sources").find("\"down\"") != std::string::npos; }));
    post("/api/v1/users", {{"name", "ada"}, {"role", "admin"}, {"password", kUserPassword}});
    token = json::parse(post("/api/v1/tokens", {{"name", "t"}, {"role", "admin"}}))["token"];
    link = json::parse(post("/api/v1/link", {{"name", "ada"}}))["link"];
    const auto session =
        HttpClient(gateway.port()).post("/api/v1/log-in", json{{"name", "ada"}, {"password", kUserPassword}}.dump());
    cookie = session.headers.at("set-cookie");
    cookie = cookie.substr(cookie.find('=') + 1);
    cookie = cookie.substr(0, cookie.find(';'));
    csrf = json::parse(session.body)["csrf"];
  }
  std::string post(const std::string& path, const json& body) const {
    return gateway.http().post(path, body.dump()).body;
  }
  std::string cli(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    const auto done = tidegate(std::move(arguments));
    EXPECT_NE(done.status, kUsage) << done.output;
    return done.output;
  }
  void expect_silent(const std::string& said, const std::string& where) const {
    for (const std::string& secret :
         {kFieldPassword, kCloudPassword, kFilePassword, kUserPassword, kNewPassword, token, link, cookie}) {
      EXPECT_EQ(said.find(secret), std::string::npos) << where << " has " << secret;
    }
  }
  static std::string read_all(const fs::path& folder) {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) all += test::read_file(entry.path());
    }
    return all;
  }

  static constexpr const char* kConfiguration = R"(http: {security_contact: "mailto:security@plant.example"}
sources:
  - {name: me, type: self}
  - {name: field, type: mqtt, broker: "mqtt://127.0.0.1:1", user: u, password: !secret field_password, subscriptions: [{topic: "plant/#"}]}
  - {name: other, type: mqtt, broker: "mqtt://127.0.0.1:1", user: u, password: !file other.secret, subscriptions: [{topic: "plant/#"}]}
rules:
  - {name: stored, series: self/journal/commit_time, threshold: {above: 0}, snapshot: {before: 1m, after: 1s}}
uplinks:
  - {name: cloud, type: mqtt, broker: "mqtt://127.0.0.1:1", topic: site, user: u, password: !env CLOUD_PASSWORD}
)";
  test::GatewayProcess gateway{kProgram, kConfiguration, {{"CLOUD_PASSWORD", kCloudPassword}}};
  std::string token, link, cookie, csrf;
};

TEST_F(Canary, IsInNothingThatIsAnswered) {
  const auto newest_snapshot = [&] {
    const json list = get_json(gateway, "/api/v1/snapshots");
    return list.contains("snapshots") && !list["snapshots"].empty() ? list["snapshots"][0]["id"].dump() : "";
  };
  ASSERT_TRUE(eventually([&] { return !newest_snapshot().empty(); }));
  const std::map<std::string, std::string, std::less<>> queries = {
      {"/api/v1/history", "?series=self/journal/commit_time&format=csv"},
      {"/api/v1/snapshot", "?id=" + newest_snapshot()},
      {"/api/v1/rules/diff", "?from=1&to=1"}};
  const HttpClient admin(gateway.port(), token), stranger(gateway.port()), owner = gateway.http();
  for (const dashboard::Route& route : dashboard::routes()) {
    const auto query = queries.find(route.path);
    const std::string target = std::string(route.path) + (query == queries.end() ? "" : query->second);
    const std::string method(route.method), body = method == "POST" ? "{}" : "";
    const std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
    for (const HttpClient* who : {&stranger, &admin, &owner}) {
      if (who == &owner && route.path == "/api/v1/factory-reset") continue;  // it would do it
      test::HttpResponse answer;
      ASSERT_TRUE(eventually([&] {
        answer = who->request(method, target, body, headers);
        return answer.status != 503;  // a backup that is not quite over
      })) << target;
      EXPECT_GT(answer.status, 0) << target;
      expect_silent(answer.body, target);
      EXPECT_TRUE(method != "GET" || who == &stranger || answer.status == 200) << target << ": " << answer.body;
    }
  }
  for (const char* path : {"/", "/api/v1/history?series=self/journal/commit_time", "/api/v1/nothing"}) {
    expect_silent(admin.get(path).body, path);
  }
  test::RawConnection stream(gateway.data() / "tidegate.sock");
  stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string told;
  while (told.find("event: snapshot") == std::string::npos && stream.receive(told, 5s)) {
  }
  ASSERT_THAT(told, HasSubstr("event: snapshot"));
  expect_silent(told, "the stream");
  // What is refused does not come back in the refusal.
  for (const json& body :
       {json({{"name", "ada"}, {"password", kNewPassword}, {"passwort", kNewPassword}}),
        json({{"name", kNewPassword.substr(0, 3)}, {"password", kNewPassword}}), json({{"link", link + "x"}})}) {
    const std::string answer = HttpClient(gateway.port()).post("/api/v1/log-in", body.dump()).body;
    EXPECT_EQ(answer.find(kNewPassword), std::string::npos) << answer;
    EXPECT_EQ(answer.find(link), std::string::npos) << answer;
  }
  EXPECT_EQ(HttpClient(gateway.port(), token + "x").get("/api/v1/series").body.find(token), std::string::npos);
}

TEST_F(Canary, IsInNothingThatACommandPrints) {
  const std::string file = gateway.directory() / "tidegate.yaml";
  for (const auto& command : std::vector<std::vector<std::string>>{{"status"},
                                                                   {"status", "--json"},
                                                                   {"user", "list"},
                                                                   {"token", "list"},
                                                                   {"audit"},
                                                                   {"config", "log"},
                                                                   {"config", "show", "1"},
                                                                   {"export", "#"},
                                                                   {"store", "stats"}}) {
    expect_silent(cli(command), command[0]);
  }
  expect_silent(tidegate({"check", file}).output, "check");
  gateway.reload(std::string(kConfiguration) + "wrong: 1\n");
  EXPECT_TRUE(eventually([&] { return gateway.process().output().find("wrong") != std::string::npos; }));
  expect_silent(cli({"reload"}), "reload");
}

TEST_F(Canary, IsInNoLog) {
  HttpClient(gateway.port()).post("/api/v1/log-in", json{{"name", "ada"}, {"password", kNewPassword}}.dump());
  HttpClient(gateway.port()).get("/api/v1/series?token=" + token);
  ASSERT_TRUE(gateway.process().wait_for_output("127.0.0.1:1")) << "it tells of the brokers";
  gateway.stop();
  const std::string log = gateway.process().output();
  expect_silent(log, "the log");
}

TEST_F(Canary, IsInNoFileOfTheStoreAndInNoBackup) {
  EXPECT_EQ(gateway.http().get("/api/v1/backup").status, 200);
  const std::string copy = gateway.directory() / "copy";
  ASSERT_EQ(tidegate({"backup", copy, "--data", gateway.data()}).status, 0);
  expect_silent(read_all(copy), "a backup");
  expect_silent(gateway.http().get("/api/v1/backup").body, "a backup by HTTP");
  gateway.stop();
  const std::string store = read_all(gateway.data());
  ASSERT_THAT(store, HasSubstr("field_password")) << "the configuration is kept as it was written";
  expect_silent(store, "the store");
}

}  // namespace
}  // namespace tidegate::e2e
