// Who may use it, from a new box on: the claim, people and tokens by the commands, and that a kill keeps all of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;
using test::Finished;
using test::HttpClient;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr int kFailed = 1, kUsage = 64;
const std::string kGood = "correct horse battery";

class People : public testing::Test {
 protected:
  void SetUp() override { gateway.start(); }
  Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  }
  /// With a line on standard input.
  Finished ask_with(const std::string& line, std::vector<std::string> arguments) const {
    std::vector<std::string> command = {"sh", "-c", R"(line=$1; shift; printf '%s\n' "$line" | "$@")",
                                        "sh", line, kProgram};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--data", gateway.data()});
    return test::run(std::move(command));
  }
  int status_for(const std::string& token) const {
    return HttpClient(gateway.port(), token).get("/api/v1/series").status;
  }
  static std::string line(std::string text) { return text.substr(0, text.find('\n')); }

  test::GatewayProcess gateway{kProgram, "sources: [{name: me, type: self}]\n"};
};

TEST_F(People, ANewBoxIsClaimedWithTheCodeThatItPrints) {
  const Finished told = ask({"claim-code"});
  EXPECT_EQ(told.status, 0);
  EXPECT_THAT(told.output, MatchesRegex("[2-9A-Z]{4}-[2-9A-Z]{4}\n"));
  const std::string code = line(told.output);
  EXPECT_THAT(gateway.process().output(), HasSubstr(code));
  EXPECT_EQ(std::filesystem::status(gateway.data() / "claim-code").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  gateway.kill();
  gateway.start();
  EXPECT_EQ(line(ask({"claim-code"}).output), code) << "as on its label";
  const HttpClient stranger(gateway.port());
  EXPECT_EQ(stranger.get("/api/v1/series").status, 401);
  const json claim = {{"code", code}, {"name", "ada"}, {"password", kGood}};
  EXPECT_EQ(stranger.post("/api/v1/claim", claim.dump()).status, 200);
  EXPECT_EQ(stranger.post("/api/v1/claim", claim.dump()).status, 409);
  const Finished gone = ask({"claim-code"});
  EXPECT_EQ(gone.status, kFailed);
  EXPECT_THAT(gone.output, HasSubstr("has its first user already"));
  gateway.kill();
  gateway.start();
  EXPECT_THAT(gateway.process().output(), Not(HasSubstr("claim")));
  EXPECT_EQ(stranger.post("/api/v1/log-in", json{{"name", "ada"}, {"password", kGood}}.dump()).status, 200);
}

TEST_F(People, AreAddedChangedAndRemovedOnTheBox) {
  EXPECT_EQ(ask_with(kGood, {"user", "add", "ada", "--role", "admin"}).status, 0);
  const Finished added = ask_with(kGood, {"user", "add", "bob"});
  EXPECT_EQ(added.status, 0) << added.output;
  EXPECT_THAT(added.output, ContainsRegex("ada +admin +20.*yes\nbob +viewer +20.*yes\n"));
  EXPECT_THAT(ask_with("short", {"user", "add", "eve"}).output, HasSubstr("tidegate user add: "));
  EXPECT_EQ(ask_with("short", {"user", "add", "eve"}).status, kUsage);
  EXPECT_EQ(ask_with(kGood, {"user", "add", "eve", "--role", "boss"}).status, kUsage);
  EXPECT_THAT(ask({"user", "role", "ada", "viewer"}).output, HasSubstr("the only admin"));
  EXPECT_EQ(ask({"user", "role", "bob", "operator", "--json"}).status, 0);
  EXPECT_EQ(json::parse(ask({"user", "list", "--json"}).output)["users"][1]["role"], "operator");
  EXPECT_EQ(ask_with("another good one", {"user", "password", "bob"}).status, 0);
  const auto log_in = [&](const std::string& password) {
    return HttpClient(gateway.port()).post("/api/v1/log-in", json{{"name", "bob"}, {"password", password}}.dump());
  };
  EXPECT_EQ(log_in(kGood).status, 401);
  EXPECT_EQ(log_in("another good one").status, 200);
  EXPECT_EQ(ask({"user", "remove", "bob"}).status, 0);
  EXPECT_EQ(ask({"user", "remove", "bob"}).status, kFailed);
  EXPECT_EQ(log_in("another good one").status, 401);
  const Finished audit = ask({"audit"});
  EXPECT_THAT(audit.output, ContainsRegex("add user +bob"));
  EXPECT_THAT(audit.output, Not(HasSubstr(kGood)));
}

TEST_F(People, ALinkLogsInOnce) {
  const Finished link = ask({"login-link", "demo"});
  const std::string url = "http://127.0.0.1:" + std::to_string(gateway.port());
  ASSERT_THAT(link.output, MatchesRegex(url + "/#link=[-_A-Za-z0-9]{43}\n"));
  EXPECT_THAT(ask({"login-link", "demo", "--url", "https://box/"}).output, testing::StartsWith("https://box/#link="));
  const std::string secret = line(link.output).substr(url.size() + 7);
  const HttpClient browser(gateway.port());
  EXPECT_EQ(browser.post("/api/v1/log-in", json{{"link", secret}}.dump()).status, 200);
  EXPECT_EQ(browser.post("/api/v1/log-in", json{{"link", secret}}.dump()).status, 401);
  EXPECT_THAT(ask({"user", "list"}).output, ContainsRegex("demo +admin +20.*by a link"));
  EXPECT_EQ(ask({"login-link", "nobody"}).status, kFailed);
}

TEST_F(People, ATokenIsForAProgramUntilItIsTakenBack) {
  const std::string token = line(ask({"token", "add", "grafana", "--for", "30d"}).output);
  EXPECT_EQ(status_for(token), 200);
  EXPECT_EQ(HttpClient(gateway.port(), token).post("/api/v1/reload", "{}").status, 403);
  gateway.kill();
  gateway.start();
  EXPECT_EQ(status_for(token), 200);
  EXPECT_EQ(status_for(token + "x"), 401);
  const json listed = json::parse(ask({"token", "list", "--json"}).output)["tokens"];
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["name"], "grafana");
  EXPECT_THAT(ask({"token", "list"}).output, AllOf(HasSubstr("grafana"), Not(HasSubstr(token))));
  EXPECT_EQ(ask({"token", "remove", std::to_string(listed[0]["id"].get<int>())}).status, 0);
  EXPECT_EQ(status_for(token), 401);
  EXPECT_EQ(ask({"token", "add", "x", "--for", "soon"}).status, kUsage);
  EXPECT_THAT(gateway.process().output(), Not(HasSubstr(token)));
}

TEST_F(People, ATokenWithAScopeIsForThatAloneAfterARestartToo) {
  const std::string token = line(ask({"token", "add", "prometheus", "--scope", "metrics"}).output);
  const auto status = [&](const std::string& path) { return HttpClient(gateway.port(), token).get(path).status; };
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(status("/metrics"), 200);
    EXPECT_EQ(status("/api/v1/series"), 403);
    EXPECT_EQ(status("/api/v1/stream"), 403);
    EXPECT_THAT(ask({"token", "list"}).output, ContainsRegex("prometheus +metrics +20"));
    gateway.kill();
    gateway.start();
  }
  EXPECT_EQ(ask({"token", "add", "x", "--scope", "write"}).status, kUsage);
  EXPECT_EQ(ask({"token", "add", "x", "--scope", "metrics", "--role", "admin"}).status, kUsage);
}

TEST(PeopleOffline, ACommandSaysThatNobodyRunsThere) {
  const test::TempDir empty;
  EXPECT_THAT(tidegate({"user", "list", "--data", empty.path()}).output, HasSubstr("no gateway runs there"));
  EXPECT_THAT(tidegate({"claim-code", "--data", empty.path()}).output, HasSubstr("never started"));
}

}  // namespace
}  // namespace tidegate::e2e
