// Log-ins as a browser has them, what tokens reach, and what ends a stream.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/dashboard/doorstep.h"
#include "tests/support/pace.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(Doorstep, ATokenThatReadsAPatternSeesItsSeriesAlone) {
  const auto mine = rig.series("boiler1/temperature"), other = rig.series("boiler2/temperature");
  rig.commit({reading(mine, 20), reading(other, 30)});
  rig.gateway.set_counts({1, 1});
  const HttpClient client(rig.port(), rig.access->make_token(kBy, "p", part("read:boiler1/#"), {}).value());
  const json series = json::parse(client.get("/api/v1/series").body)["series"];
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0]["name"], "boiler1/temperature");
  EXPECT_EQ(json::parse(client.get("/api/v1/series/counts").body)["counts"].size(), 1u);
  EXPECT_EQ(client.get("/api/v1/history?series=boiler1/temperature").status, 200);
  const auto hidden = client.get("/api/v1/history?series=boiler1/temperature&series=boiler2/temperature");
  const auto missing = client.get("/api/v1/history?series=boiler3/temperature");
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(missing.status, 404) << "as if it were not there";
}

TEST_F(Doorstep, ATokenThatPushesIntoOneSourcePushesIntoNoOther) {
  const HttpClient client(rig.port(), rig.access->make_token(kBy, "p", part("push:plant"), {}).value());
  const auto push = [&](const std::string& path) {
    return client.post(path, "m f=1", {{"Content-Type", "text/plain"}}).status;
  };
  EXPECT_EQ(push("/api/v1/samples"), 200);
  EXPECT_EQ(push("/api/v1/samples?source=plant"), 200);
  EXPECT_EQ(push("/api/v1/samples?source=works"), 403);
  EXPECT_EQ(push("/api/v2/write?source=works"), 403);
  EXPECT_EQ(push("/write?db=anything"), 204);
  ASSERT_EQ(rig.gateway.pushes().size(), 3u);
  for (const auto& arrived : rig.gateway.pushes()) EXPECT_EQ(arrived.source, "plant");
}

TEST_F(Doorstep, AScopeIsARolesOrNone) {
  const auto make = [&](const json& body) { return rig.http().post("/api/v1/tokens", body.dump()); };
  const auto made = make({{"name", "telegraf"}, {"scope", "push:plant"}});
  ASSERT_EQ(made.status, 200) << made.body;
  const json token = json::parse(made.body)["tokens"].back();
  EXPECT_EQ(token["role"], "operator");
  EXPECT_EQ(token["scope"], "push:plant");
  EXPECT_EQ(json::parse(make({{"name", "v"}, {"role", "viewer"}}).body)["tokens"].back()["scope"], "");
  for (const json& wrong : {json({{"name", "x"}}), json({{"name", "x"}, {"role", "viewer"}, {"scope", "metrics"}}),
                            json({{"name", "x"}, {"scope", "admin"}}), json({{"name", "x"}, {"scope", "push:"}}),
                            json({{"name", "x"}, {"scope", "read"}}), json({{"name", "x"}, {"scope", "read:a/#/b"}}),
                            json({{"name", "x"}, {"scope", "metrics:x"}}), json({{"name", "x"}, {"scope", "write"}})}) {
    EXPECT_EQ(make(wrong).status, 400) << wrong;
  }
  EXPECT_THAT(make({{"name", "x"}, {"scope", "write"}}).body, HasSubstr("read:PATTERN such as read:boiler1/#"));
}

TEST_F(Doorstep, AFactoryResetNeedsACodeOfTheBoxAndNoneByTheSocket) {
  const HttpClient local(directory / "t.sock");
  Page admin = logged_in("ada", Role::admin), worker = logged_in("bob", Role::operator_);
  EXPECT_EQ(admin.post("/api/v1/factory-reset/code", json::object()).status, 403);
  const auto made = local.post("/api/v1/factory-reset/code", "{}");
  ASSERT_EQ(made.status, 200) << made.body;
  const json code = {{"code", json::parse(made.body)["code"]}};
  EXPECT_EQ(worker.post("/api/v1/factory-reset", code).status, 403);
  EXPECT_EQ(admin.post("/api/v1/factory-reset", json::object()).status, 400);
  EXPECT_EQ(admin.post("/api/v1/factory-reset", {{"code", "2222-2222"}}).status, 400);
  EXPECT_THAT(rig.gateway.resets(), testing::IsEmpty());
  rig.gateway.take_resets(false);
  EXPECT_EQ(admin.post("/api/v1/factory-reset", code).status, 503);
  rig.gateway.take_resets(true);
  EXPECT_EQ(admin.post("/api/v1/factory-reset", code).status, 200) << "one that did not begin leaves the code good";
  EXPECT_EQ(admin.post("/api/v1/factory-reset", code).status, 400) << "it is used up";
  EXPECT_EQ(local.post("/api/v1/factory-reset", "{}", {{"Content-Type", "application/json"}, {"Tidegate-User", "root"}})
                .status,
            200);
  EXPECT_THAT(rig.gateway.resets(), testing::ElementsAre("ada", "root"));
}

TEST_F(Doorstep, TheFirstUserClaimsTheBoxWithItsCode) {
  Page browser = page();
  EXPECT_EQ(json::parse(browser.get("/api/v1/session").body), json({{"claimed", false},
                                                                    {"name", "Plant 3"},
                                                                    {"site", ""},
                                                                    {"user", nullptr},
                                                                    {"secure", false},
                                                                    {"trouble", ""}}));
  const std::string code = rig.access->claim_code();
  const auto wrong = browser.post("/api/v1/claim", {{"code", "2222-2222"}, {"name", "ada"}, {"password", kGood}});
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.body, AllOf(HasSubstr("the code is wrong"), Not(HasSubstr(code)), Not(HasSubstr("claim-code in"))));
  const auto weak = browser.post("/api/v1/claim", {{"code", code}, {"name", "ada"}, {"password", "short"}});
  EXPECT_EQ(weak.status, 400);
  EXPECT_FALSE(weak.headers.contains("set-cookie"));
  const auto claimed = browser.post("/api/v1/claim", {{"code", code}, {"name", "ada"}, {"password", kGood}});
  ASSERT_EQ(claimed.status, 200) << claimed.body;
  EXPECT_EQ(json::parse(claimed.body)["user"], json({{"name", "ada"}, {"role", "admin"}, {"password", true}}));
  EXPECT_EQ(json::parse(claimed.body)["claimed"], true);
  EXPECT_EQ(browser.get("/api/v1/series").status, 200);
  const auto again = page().post("/api/v1/claim", {{"code", code}, {"name", "eve"}, {"password", kGood}});
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(page().get("/api/v1/series").status, 401);
}

TEST_F(Doorstep, GuessingTheCodeMeetsADelay) {
  int limited = 0;
  for (int i = 0; i < 12; ++i) {
    const auto response = page().post("/api/v1/claim", {{"code", "2222-2222"}, {"name", "ada"}, {"password", kGood}});
    if (response.status == 429) {
      ++limited;
      EXPECT_THAT(response.body, HasSubstr("try again in"));
    } else {
      EXPECT_EQ(response.status, 401) << response.body;
    }
  }
  EXPECT_GE(limited, 7);
}

TEST_F(Doorstep, ACookieIsOutOfReachOfScriptsAndOtherSites) {
  ASSERT_TRUE(rig.access->add_user(kBy, "ada", Role::admin, kGood));
  const auto response = page().log_in("ada", kGood);
  const std::string cookie = response.headers.at("set-cookie");
  EXPECT_THAT(cookie, StartsWith("tidegate-" + std::to_string(rig.port()) + "="));
  EXPECT_THAT(cookie, HasSubstr("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure"))) << "it came in plain text";
}

TEST_F(Doorstep, ALogInIsNeverTheSecretThatABrowserBrought) {
  ASSERT_TRUE(rig.access->add_user(kBy, "ada", Role::admin, kGood));
  Page browser = page();
  const std::string planted = "tidegate-" + std::to_string(rig.port()) + "=planted";
  browser.cookie = planted;
  EXPECT_EQ(browser.get("/api/v1/series").status, 401);
  ASSERT_EQ(browser.log_in("ada", kGood).status, 200);
  EXPECT_NE(browser.cookie, planted);
  Page attacker = page();
  attacker.cookie = planted;
  EXPECT_EQ(attacker.get("/api/v1/series").status, 401);
}

TEST_F(Doorstep, AWrongPasswordIsAnsweredWithoutACookie) {
  ASSERT_TRUE(rig.access->add_user(kBy, "ada", Role::admin, kGood));
  for (const auto& [name, password] : {std::pair("ada", "wrong password"), {"eve", "wrong password"}, {"", ""}}) {
    Page browser = page();
    const auto response = browser.log_in(name, password);
    EXPECT_EQ(response.status, 401);
    EXPECT_THAT(response.body, HasSubstr("the name or the password is wrong"));
    EXPECT_EQ(browser.cookie, "");
  }
  EXPECT_EQ(page().post("/api/v1/log-in", {{"name", "ada"}, {"passwort", kGood}}).status, 400);
}

TEST_F(Doorstep, ALogInTakesAsLongForANameThatThereIsNotAsForOneThatThereIs) {
  constexpr int kUsers = 5, kRounds = 3;  // no more than are free of delay
  const auto user = [](int i) { return "user" + std::to_string(i); };
  for (int i = 0; i < kUsers; ++i) ASSERT_TRUE(rig.access->add_user(kBy, user(i), Role::admin, kGood));
  int address = 0;
  const auto guess = [&](const std::string& name) {
    const std::string body = json({{"name", name}, {"password", "wrong password"}}).dump();
    RawConnection connection(rig.port(), 0, RawConnection::By::plain, "127.0.2." + std::to_string(++address));
    std::string answer;
    const auto took = tidegate::test::time_of([&] {
      connection.send(
          "POST /api/v1/log-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          "Content-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
      answer = connection.receive_all();
    });
    EXPECT_EQ(tidegate::test::parse_response(answer).status, 401) << answer;
    return took;
  };
  std::vector<tidegate::test::Millis> known, unknown;
  for (int i = 0; i < kUsers * kRounds; ++i) {
    known.push_back(guess(user(i % kUsers)));
    unknown.push_back(guess("nobody" + std::to_string(i)));
  }
  const double ratio = tidegate::test::median(known) / tidegate::test::median(unknown);
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2);
}

TEST_F(Doorstep, AChangeByACookieComesFromItsOwnPage) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  Page browser = logged_in("ada", Role::operator_);
  const json wish = {{"id", "hot:boiler1"}};
  const auto status = [&](const Headers& headers) {
    Headers all = headers;
    all.emplace("Content-Type", "application/json");
    all.emplace("Cookie", browser.cookie);
    return HttpClient(rig.port()).post("/api/v1/alerts/ack", wish.dump(), all).status;
  };
  const std::string own = "http://" + browser.host();
  EXPECT_EQ(status({}), 403);
  EXPECT_EQ(status({{"Origin", own}}), 403) << "without the token";
  EXPECT_EQ(status({{"Origin", own}, {"X-CSRF-Token", ""}}), 403);
  EXPECT_EQ(status({{"Origin", own}, {"X-CSRF-Token", logged_in("eve", Role::operator_).csrf}}), 403);
  EXPECT_EQ(status({{"X-CSRF-Token", browser.csrf}}), 403) << "without an Origin";
  EXPECT_EQ(status({{"Origin", "http://evil.example"}, {"X-CSRF-Token", browser.csrf}}), 403);
  EXPECT_TRUE(rig.gateway.wishes().empty());
  EXPECT_EQ(status({{"Origin", own}, {"X-CSRF-Token", browser.csrf}}), 200);
  EXPECT_EQ(std::get<Acknowledge>(rig.gateway.wishes().at(0)).who, "ada");
}

TEST_F(Doorstep, ATokenThatIsWrongIsNotMadeUpForByACookie) {
  Page browser = logged_in("ada", Role::admin);
  const auto response = HttpClient(rig.port(), "nonsense").get("/api/v1/series", {{"Cookie", browser.cookie}});
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.body, HasSubstr("is over"));
}

TEST_F(Doorstep, TheCookieIsFoundAmongOthers) {
  const Page browser = logged_in("ada", Role::viewer);
  const auto status = [&](const std::string& cookies) {
    return HttpClient(rig.port()).get("/api/v1/series", {{"Cookie", cookies}}).status;
  };
  EXPECT_EQ(status("a=1; " + browser.cookie + "; b=2"), 200);
  EXPECT_EQ(status("a=1;" + browser.cookie), 200);
  EXPECT_EQ(status("x" + browser.cookie), 401);
  EXPECT_EQ(status(browser.cookie + "x"), 401);
  EXPECT_EQ(status(";;=;"), 401);
  EXPECT_EQ(status("tidegate-1" + browser.cookie.substr(browser.cookie.find('='))), 401) << "of another gateway";
}

TEST_F(Doorstep, ALogOutEndsItAndTheStreamWithIt) {
  Page browser = logged_in("ada", Role::viewer);
  Page other = logged_in("bob", Role::viewer);
  SseClient stream(rig.port(), {.headers = browser.stream_headers()});
  SseClient others(rig.port(), {.headers = other.stream_headers()});
  ASSERT_TRUE(stream.wait_for("snapshot"));
  ASSERT_TRUE(others.wait_for("snapshot"));
  const std::string old = browser.cookie;
  const auto out = browser.post("/api/v1/log-out", json::object());
  ASSERT_EQ(out.status, 200) << out.body;
  EXPECT_THAT(out.headers.at("set-cookie"), HasSubstr("=; Path=/; Max-Age=0"));
  EXPECT_EQ(json::parse(out.body)["user"], nullptr);
  browser.cookie = old;
  EXPECT_EQ(browser.get("/api/v1/series").status, 401);
  const auto bye = stream.wait_for("bye");
  ASSERT_TRUE(bye);
  EXPECT_EQ(bye->data, R"({"why":"logged-out"})");
  EXPECT_TRUE(stream.ended());
  rig.commit({reading(rig.series("a/b"), 1)});
  EXPECT_TRUE(others.wait_for("delta")) << "somebody else looks on";
}

TEST_F(Doorstep, AStreamEndsWithTheRightToIt) {
  const auto ends = [&](Page browser, const auto& take) {
    SseClient stream(rig.port(), {.headers = browser.stream_headers()});
    EXPECT_TRUE(stream.wait_for("snapshot"));
    EXPECT_TRUE(take());
    return stream.wait_for("bye").has_value() && stream.ended();
  };
  EXPECT_TRUE(ends(logged_in("ada", Role::viewer), [&] { return rig.access->remove_user(kBy, "ada").has_value(); }));
  EXPECT_TRUE(ends(logged_in("bob", Role::viewer),
                   [&] { return rig.access->set_password(kBy, "bob", "another good one").has_value(); }));
  SseClient by_token(rig.port(), {.headers = "Authorization: Bearer " + token_of(Role::viewer) + "\r\n"});
  ASSERT_TRUE(by_token.wait_for("snapshot"));
  ASSERT_TRUE(rig.access->remove_token(kBy, rig.access->tokens().back().id));
  EXPECT_TRUE(by_token.wait_for("bye"));
}

/// Its streams are asked often who may look on.
class ByTimeAlone : public Doorstep {
 protected:
  static Options::Stream often() {
    Options::Stream stream;
    stream.tick = std::chrono::milliseconds(20);
    stream.passes = std::chrono::milliseconds(50);
    stream.ping = std::chrono::milliseconds(100);
    return stream;
  }
  ByTimeAlone() : Doorstep(often()) {}
  /// Of two pings that tell this time the second comes after who may look on was asked in it.
  bool goes_on_after(SseClient& stream, Micros time) {
    rig.clock.advance(time);
    const auto tells_it = [&](const SseEvent& ping) {
      return ping.json()["time"] == rig.clock.now().time_since_epoch().count();
    };
    return stream.wait_for("ping", tells_it) && stream.wait_for("ping", tells_it);
  }
  bool ends_after(SseClient& stream, Micros time) {
    rig.clock.advance(time);
    const auto bye = stream.wait_for("bye");
    return bye && bye->data == R"({"why":"logged-out"})" && stream.ended();
  }
};

TEST_F(ByTimeAlone, AStreamEndsWithItsToken) {
  const auto token = rig.access->make_token(kBy, "t", Role::viewer, std::chrono::hours(1)).value();
  const std::uint64_t taken = rig.access->revision();
  const std::string headers = "Authorization: Bearer " + token + "\r\n";
  SseClient stream(rig.port(), {.headers = headers});
  ASSERT_TRUE(stream.wait_for("snapshot"));
  EXPECT_TRUE(goes_on_after(stream, std::chrono::minutes(59)));
  EXPECT_TRUE(ends_after(stream, std::chrono::minutes(2)));
  EXPECT_EQ(rig.access->revision(), taken) << "nobody has taken it away";
  EXPECT_EQ(HttpClient(rig.port(), token).get("/api/v1/stream").status, 401);
}

TEST_F(ByTimeAlone, AStreamEndsWithALogInThatWasNotUsed) {
  Page browser = logged_in("ada", Role::viewer);
  SseClient stream(rig.port(), {.headers = browser.stream_headers()});
  ASSERT_TRUE(stream.wait_for("snapshot"));
  EXPECT_TRUE(ends_after(stream, access::Access::kIdle + std::chrono::minutes(1))) << "as of a box that slept";
  EXPECT_EQ(browser.get("/api/v1/stream").status, 401);
}

TEST_F(ByTimeAlone, AStreamThatGoesOnUsesItsLogIn) {
  Page browser = logged_in("ada", Role::viewer);
  SseClient stream(rig.port(), {.headers = browser.stream_headers()});
  ASSERT_TRUE(stream.wait_for("snapshot"));
  for (int day = 0; day < 3; ++day) EXPECT_TRUE(goes_on_after(stream, access::Access::kIdle - std::chrono::hours(1)));
  EXPECT_EQ(browser.get("/api/v1/series").status, 200);
}

TEST_F(Doorstep, AOneTimeLinkLogsInOnce) {
  const HttpClient local(directory / "t.sock");
  const auto made = local.post("/api/v1/link", R"({"name": "demo"})");
  ASSERT_EQ(made.status, 200) << made.body;
  const json told = json::parse(made.body);
  EXPECT_EQ(told["url"], "http://127.0.0.1:" + std::to_string(rig.port()) + "/");
  EXPECT_EQ(told["seconds"], 3600);
  EXPECT_FALSE(std::filesystem::exists(rig.directory / "claim-code")) << "it claims the box";
  Page browser = page();
  const auto in = browser.post("/api/v1/log-in", {{"link", told["link"]}});
  ASSERT_EQ(in.status, 200) << in.body;
  EXPECT_EQ(json::parse(in.body)["user"], json({{"name", "demo"}, {"role", "admin"}, {"password", false}}));
  const auto again = page().post("/api/v1/log-in", {{"link", told["link"]}});
  EXPECT_EQ(again.status, 401);
  EXPECT_THAT(again.body, HasSubstr("used already"));
  EXPECT_EQ(page().log_in("demo", "").status, 401) << "no password is not an empty one";
  EXPECT_EQ(local.post("/api/v1/link", R"({"name": "nobody"})").status, 404);

  const auto set = browser.post("/api/v1/password", {{"new", kGood}});
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(page().log_in("demo", kGood).status, 200);
}

TEST_F(Doorstep, ANewPasswordEndsTheOtherLogIns) {
  Page browser = logged_in("ada", Role::viewer);
  Page phone = page();
  ASSERT_EQ(phone.log_in("ada", kGood).status, 200);
  const auto wrong = browser.post("/api/v1/password", {{"old", "not this one"}, {"new", "another good one"}});
  EXPECT_EQ(wrong.status, 401) << wrong.body;
  EXPECT_THAT(wrong.body, HasSubstr("the old password is wrong"));
  EXPECT_EQ(browser.post("/api/v1/password", {{"old", kGood}, {"new", "short"}}).status, 400);
  EXPECT_EQ(phone.get("/api/v1/series").status, 200);
  ASSERT_EQ(browser.post("/api/v1/password", {{"old", kGood}, {"new", "another good one"}}).status, 200);
  EXPECT_EQ(browser.get("/api/v1/series").status, 200);
  EXPECT_EQ(phone.get("/api/v1/series").status, 401);
  EXPECT_EQ(page().log_in("ada", kGood).status, 401);
}

TEST_F(Doorstep, AnAdminKeepsUsersAndTokens) {
  const HttpClient admin = rig.http();
  ASSERT_EQ(
      admin.post("/api/v1/users", R"({"name": "ada", "role": "admin", "password": "correct horse battery"})").status,
      200);
  EXPECT_EQ(
      admin.post("/api/v1/users", R"({"name": "ada", "role": "admin", "password": "correct horse battery"})").status,
      409);
  EXPECT_EQ(
      admin.post("/api/v1/users", R"({"name": "bob", "role": "boss", "password": "correct horse battery"})").status,
      400);
  EXPECT_EQ(admin.post("/api/v1/users/role", R"({"name": "ada", "role": "viewer"})").status, 409) << "the only admin";
  EXPECT_EQ(admin.post("/api/v1/users/password", R"({"name": "eve", "password": "correct horse battery"})").status,
            404);
  const json users = json::parse(admin.get("/api/v1/users").body)["users"];
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0]["name"], "ada");
  EXPECT_THAT(users.dump(), Not(HasSubstr("argon2"))) << "nothing of the password";

  const json made =
      json::parse(admin.post("/api/v1/tokens", R"({"name": "scada", "role": "operator", "lasts": "90d"})").body);
  const std::string secret = made["token"];
  EXPECT_EQ(HttpClient(rig.port(), secret).get("/api/v1/series").status, 200);
  EXPECT_EQ(admin.post("/api/v1/tokens", R"({"name": "x", "role": "viewer", "lasts": "soon"})").status, 400);
  const json tokens = json::parse(admin.get("/api/v1/tokens").body)["tokens"];
  EXPECT_THAT(tokens.dump(), Not(HasSubstr(secret)));
  const json& scada = tokens.back();
  EXPECT_EQ(scada["made_by"], "rig");
  EXPECT_EQ(scada["until"], scada["made"].get<std::int64_t>() + 90ll * 86'400'000'000);
  EXPECT_EQ(admin.post("/api/v1/tokens/remove", json{{"id", scada["id"]}}.dump()).status, 200);
  EXPECT_EQ(HttpClient(rig.port(), secret).get("/api/v1/series").status, 401);
  EXPECT_EQ(admin.post("/api/v1/tokens/remove", R"({"id": "1"})").status, 400);
  EXPECT_EQ(admin.post("/api/v1/tokens/remove", R"({"id": 999})").status, 404);
}

TEST(NoAccess, LeavesTheSocketAndSaysWhyNobodyCanLogIn) {
  TempDir directory;
  Rig rig({.socket = directory / "t.sock"});
  rig.access.reset();
  rig.serve();
  const HttpClient stranger(rig.port());
  EXPECT_EQ(stranger.get("/api/v1/series").status, 401);
  EXPECT_EQ(json::parse(stranger.get("/api/v1/session").body)["claimed"], true);
  const auto refused = stranger.post("/api/v1/log-in", R"({"name": "ada", "password": "x"})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("state.db, which cannot be used"));
  EXPECT_EQ(HttpClient(directory / "t.sock").get("/api/v1/series").status, 200);
}

}  // namespace
}  // namespace tidegate::dashboard::test
