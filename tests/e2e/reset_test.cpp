// The factory reset, control S29: of what a gateway was given and has stored nothing is left, however it is cut off.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "gateway/journal/lock.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::Finished;
using test::GatewayProcess;
using test::HttpClient;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
namespace fs = std::filesystem;

constexpr int kFailed = 1, kUsage = 64;
const std::string kPassword = "correct horse battery";
/// In each thing that a gateway keeps, and in each that its configuration tells it.
const std::string kCanary = "canary-Xq7", kConfigured = "canary-Cf3";

constexpr const char* kConfiguration = R"(gateway: {name: plant-canary-Cf3}
sources:
  - {name: pushed, type: push}
  - {name: field, type: mqtt, broker: "mqtt://127.0.0.1:1", user: u, password: !secret field, subscriptions: [{topic: "canary-Cf3/#"}]}
)";

void make_private(const fs::path& file) { fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write); }

/// A gateway that has something of everything, and all of it is to go.
class Box {
 public:
  explicit Box(const GatewayProcess::Address& address = {}) : gateway(kProgram, kConfiguration, {}, address) {
    secure = address.by == test::RawConnection::By::tls;
    gateway.directory().write("secrets.yaml", "field: password-" + kConfigured + "\n");
    make_private(gateway.directory() / "secrets.yaml");
    fs::create_directory(gateway.directory() / "conf.d");
    gateway.directory().write("conf.d/more.yaml", "# " + kConfigured + "\n");
    gateway.start();
    EXPECT_EQ(post("/api/v1/users", {{"name", kCanary}, {"role", "admin"}, {"password", kPassword}}).status, 200);
    token = json::parse(post("/api/v1/tokens", {{"name", kCanary}, {"role", "admin"}}).body)["token"];
    const auto stored = [this] {
      const json sample = {{"series", kCanary + "/n"}, {"value", 42}};
      return post("/api/v1/samples", {{"samples", {sample}}}).status == 200;
    };
    EXPECT_TRUE(eventually(stored));
    const json rules = {{"text", "rules:\n  - {name: " + kCanary + ", series: a/b, threshold: {above: 1}}\n"}};
    EXPECT_EQ(gateway.http()
                  .post("/api/v1/rules/text", rules.dump(), {{"Content-Type", "application/json"}, {"If-Match", "*"}})
                  .status,
              200);
    log_in();
    // What crashes, restores and people leave there.
    const Finished copied = tidegate({"backup", gateway.data() / "copy", "--data", gateway.data()});
    EXPECT_EQ(copied.status, 0) << copied.output;
    write("journal.db.corrupt-20260101T000000Z", kCanary);
    fs::create_directories(gateway.data() / "replaced-20260101T000000Z/history");
    write("replaced-20260101T000000Z/history/a.tgh", kCanary);
    fs::create_symlink(gateway.directory().write("mine", kCanary + " of somebody else"), gateway.data() / "link");
    epoch = gateway.viewer().wait_for("hello")->json().at("epoch");
  }

  test::HttpResponse post(const std::string& path, const json& body) const {
    return gateway.http().post(path, body.dump());
  }
  void write(const std::string& name, const std::string& text) const {
    gateway.directory().write((fs::path("data") / name).string(), text);
  }
  HttpClient stranger() const {
    return HttpClient(gateway.port(), {}, secure ? test::RawConnection::By::tls : test::RawConnection::By::plain);
  }
  Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  }
  std::string first_line(std::vector<std::string> arguments) const {
    const std::string output = ask(std::move(arguments)).output;
    return output.substr(0, output.find('\n'));
  }
  /// As the page of that admin asks.
  test::HttpResponse ask_by_session(const json& body) const {
    const std::string origin = "http://127.0.0.1:" + std::to_string(gateway.port());
    return stranger().post(
        "/api/v1/factory-reset", body.dump(),
        {{"Content-Type", "application/json"}, {"Origin", origin}, {"Cookie", cookie}, {"X-CSRF-Token", csrf}});
  }
  bool is_new() const { return gateway.get("/api/v1/session").find("\"claimed\":false") != std::string::npos; }

  /// As on a box that was not started with --data: its configuration goes too.
  void begin_all() const { write("factory-reset", ""); }

  /// Where one of the canaries still is.
  std::vector<std::string> left() const { return left({kCanary, kConfigured}); }
  std::vector<std::string> left(const std::vector<std::string>& canaries) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(gateway.directory().path())) {
      const std::string name = entry.path().lexically_relative(gateway.directory().path());
      if (name == "mine") continue;
      const std::string text = name + '\n' + (entry.is_regular_file() ? test::read_file(entry.path()) : "");
      const auto is_in = [&text](const std::string& canary) { return text.find(canary) != std::string::npos; };
      if (std::any_of(canaries.begin(), canaries.end(), is_in)) found.push_back(name);
    }
    return found;
  }
  void expect_as_new() const {
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_FALSE(fs::exists(gateway.directory() / "secrets.yaml"));
    expect_storage_as_new();
  }
  void expect_storage_alone_as_new() const {
    EXPECT_EQ(test::read_file(gateway.directory() / "tidegate.yaml"), kConfiguration);
    EXPECT_TRUE(fs::exists(gateway.directory() / "secrets.yaml"));
    EXPECT_TRUE(fs::exists(gateway.directory() / "conf.d/more.yaml"));
    expect_storage_as_new();
  }
  void expect_storage_as_new() const {
    EXPECT_THAT(left({kCanary}), IsEmpty());
    EXPECT_TRUE(is_new());
    EXPECT_EQ(test::read_file(gateway.directory() / "mine"), kCanary + " of somebody else");
    EXPECT_EQ(stranger().get("/api/v1/series", {{"Cookie", cookie}}).status, 401);
    EXPECT_EQ(stranger().get("/api/v1/series", {{"Authorization", "Bearer " + token}}).status, 401);
    EXPECT_EQ(stranger().post("/api/v1/log-in", json{{"name", kCanary}, {"password", kPassword}}.dump()).status, 401);
    EXPECT_NE(gateway.viewer().wait_for("hello")->json().at("epoch"), epoch);
    const std::string code = first_line({"claim-code"});
    EXPECT_THAT(code, MatchesRegex("[2-9A-Z]{4}-[2-9A-Z]{4}"));
    const json claim = {{"code", code}, {"name", "bob"}, {"password", kPassword}};
    EXPECT_EQ(stranger().post("/api/v1/claim", claim.dump()).status, 200);
    EXPECT_EQ(gateway.get("/api/v1/users").find(kCanary), std::string::npos);
  }

  GatewayProcess gateway;
  bool secure = false;
  std::string token, cookie, csrf, epoch;

 private:
  void log_in() {
    const auto session = stranger().post("/api/v1/log-in", json{{"name", kCanary}, {"password", kPassword}}.dump());
    ASSERT_EQ(session.status, 200) << session.body;
    cookie = session.headers.at("set-cookie");
    cookie = cookie.substr(0, cookie.find(';'));
    csrf = json::parse(session.body)["csrf"];
  }
};

TEST(Reset, OnTheBoxTheRunningGatewayWipesItselfAndIsAsNew) {
  Box box({GatewayProcess::kForOthers, test::RawConnection::By::tls});
  EXPECT_THAT(box.left(), testing::SizeIs(testing::Gt(8u))) << "there is something to be wiped";
  const std::string key = test::read_file(box.gateway.data() / "tls/certificate.pem");
  ASSERT_THAT(key, Not(IsEmpty()));
  EXPECT_EQ(box.ask({"factory-reset"}).status, kUsage) << "nobody said that it is meant";
  EXPECT_THAT(box.ask({"factory-reset"}).output, HasSubstr("say --yes"));
  EXPECT_THAT(box.left(), testing::SizeIs(testing::Gt(8u)));

  const Finished done = box.ask({"factory-reset", "--yes", "--json"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(json::parse(done.output).at("text").get<std::string>(), HasSubstr("tidegate claim-code"));
  EXPECT_TRUE(box.gateway.process().running()) << "the same process";
  box.expect_storage_alone_as_new();
  EXPECT_NE(test::read_file(box.gateway.data() / "tls/certificate.pem"), key);
  EXPECT_THAT(box.gateway.process().output(), HasSubstr("asks for a factory reset"));
  EXPECT_EQ(box.gateway.stop(), 0);
  EXPECT_THAT(box.gateway.process().output(), Not(HasSubstr("critical")));
}

TEST(Reset, FromElsewhereAnAdminNeedsACodeOfTheBox) {
  Box box;
  EXPECT_EQ(box.ask_by_session(json::object()).status, 400) << "there is no code";
  const std::string old = box.first_line({"reset-code"}), code = box.first_line({"reset-code"});
  EXPECT_THAT(code, MatchesRegex("[2-9A-Z]{4}-[2-9A-Z]{4}"));
  const auto wrong = box.ask_by_session({{"code", old}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("tidegate reset-code"));
  EXPECT_EQ(box.stranger().post("/api/v1/factory-reset", json{{"code", code}}.dump()).status, 401);
  const std::string viewer =
      json::parse(box.post("/api/v1/tokens", {{"name", "v"}, {"role", "operator"}}).body)["token"];
  const HttpClient program(box.gateway.port(), viewer);
  EXPECT_EQ(program.post("/api/v1/factory-reset", json{{"code", code}}.dump()).status, 403);
  EXPECT_EQ(program.post("/api/v1/factory-reset/code", "{}").status, 403);
  EXPECT_THAT(box.left(), testing::SizeIs(testing::Gt(8u))) << "nothing was wiped";

  const auto begun = box.ask_by_session({{"code", code}});
  EXPECT_EQ(begun.status, 200) << begun.body;
  ASSERT_TRUE(eventually([&] { return box.is_new(); })) << box.gateway.process().output();
  box.expect_storage_alone_as_new();
}

TEST(Reset, GuessesOfTheCodeMeetADelay) {
  Box box;
  static_cast<void>(box.first_line({"reset-code"}));
  int guesses = 0;
  for (; guesses < 20 && box.ask_by_session({{"code", "2222-2222"}}).status == 400; ++guesses) {
  }
  EXPECT_LE(guesses, 5);
  const auto waits = box.ask_by_session({{"code", "2222-2222"}});
  EXPECT_EQ(waits.status, 429);
  EXPECT_THAT(waits.body, HasSubstr("try again in"));
}

TEST(Reset, WithoutAGatewayThatRunsItWorksOnTheFolder) {
  Box box;
  box.gateway.stop();
  const fs::path configuration = box.gateway.directory() / "tidegate.yaml";
  const test::TempDir home;
  home.write("letter.txt", kCanary);
  const Finished other = tidegate({"factory-reset", "--yes", "--data", home.path()});
  EXPECT_EQ(other.status, kUsage);
  EXPECT_THAT(other.output, HasSubstr("is not the storage folder of a gateway"));
  EXPECT_EQ(std::distance(fs::directory_iterator(home.path()), {}), 1) << "and nothing is made there";
  EXPECT_EQ(tidegate({"factory-reset", "--yes", "--socket", home / "x.sock"}).status, kUsage);
  EXPECT_EQ(test::read_file(home / "letter.txt"), kCanary);
  const Finished alone = box.ask({"factory-reset", "--yes"});
  EXPECT_EQ(alone.status, 0) << alone.output;
  EXPECT_EQ(test::read_file(configuration), kConfiguration) << "nobody has named it";
  const Finished done = box.ask({"factory-reset", "--yes", "--config", configuration});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("is wiped"));
  box.gateway.start();
  box.expect_as_new();
}

TEST(Reset, OneThatIsKilledIsFinishedByTheNextStart) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int in_the_midst = 0;
  for (int i = 0; i < test::kills(6); ++i) {
    SCOPED_TRACE(i);
    Box box;
    std::string much;
    for (int line = 0; line < 2'000'000; ++line) much += kCanary + '\n';
    box.write("journal.db.corrupt-20260102T000000Z", much);
    box.begin_all();
    if (i > 0) {  // or at once
      ASSERT_TRUE(box.gateway.process().wait_for_output("factory reset: wiping"));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    }
    box.gateway.kill();
    in_the_midst += fs::exists(box.gateway.data() / "factory-reset") ? 1 : 0;
    box.gateway.start();
    box.expect_as_new();
    if (HasFailure()) return;
  }
  EXPECT_GT(in_the_midst, 0);
}

TEST(Reset, WhatCannotBeRemovedIsToldAndTriedAgain) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  constexpr uid_t kNobody = 65'534;
  Box box;
  const fs::path data = box.gateway.data();
  box.begin_all();
  box.gateway.kill();
  fs::create_directory(data / "roots");
  box.write("roots/file", kCanary);
  ASSERT_EQ(test::run({"chown", "-R", std::to_string(kNobody), box.gateway.directory().path()}).status, 0);
  ASSERT_EQ(test::run({"chown", "-R", "root", data / "roots"}).status, 0);
  const auto run_as_nobody = [&] {
    return test::run({"setpriv", "--reuid", std::to_string(kNobody), "--clear-groups", kProgram, "run", "--config",
                      box.gateway.directory() / "tidegate.yaml", "--data", data});
  };
  for (int start = 0; start < 2; ++start) {
    const Finished refused = run_as_nobody();
    EXPECT_EQ(refused.status, kFailed) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("the factory reset is not finished: " + (data / "roots/file").string() +
                                          " cannot be removed: Permission denied"));
  }
  const Finished done = box.ask({"factory-reset", "--finish", "--config", box.gateway.directory() / "tidegate.yaml"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_EQ(box.ask({"factory-reset", "--finish"}).output, "") << "nothing is pending";
  box.gateway.start();
  box.expect_as_new();
}

TEST(Reset, TheFolderThatRanIsWipedWhateverTheConfigurationSaysSince) {
  const test::TempDir box;
  const fs::path configuration = box.write("tidegate.yaml", "storage: {path: old}\n");
  test::Process gateway({kProgram, "run", "--config", configuration, "--listen", "127.0.0.1:0"});
  ASSERT_TRUE(gateway.wait_for_output("dashboard: http")) << gateway.output();
  box.write("tidegate.yaml", "storage: {path: new}\n");
  box.write("old/mine", kCanary);
  box.write("old/factory-reset", "storage");
  ASSERT_TRUE(gateway.wait_for_output("this gateway is as new")) << gateway.output();
  ASSERT_TRUE(eventually([&] { return fs::exists(box / "new/tidegate.sock"); })) << gateway.output();
  EXPECT_EQ(std::distance(fs::directory_iterator(box / "old"), {}), 1) << "its lock";
  EXPECT_EQ(gateway.terminate(), 0);
}

TEST(Reset, OneThatIsStoppedIsGoneOnWith) {
  Box box;
  box.begin_all();
  box.gateway.kill();
  {
    const auto somebody = journal::DirectoryLock::take(box.gateway.data());
    ASSERT_TRUE(somebody);
    box.gateway.launch();
    ASSERT_TRUE(box.gateway.process().wait_for_output("factory reset: wiping"));
    EXPECT_EQ(box.gateway.stop(), 0);
    EXPECT_THAT(box.gateway.process().output(), HasSubstr("the next start goes on with the factory reset"));
  }
  EXPECT_TRUE(fs::exists(box.gateway.data() / "factory-reset"));
  box.gateway.start();
  box.expect_as_new();
}

TEST(Reset, IsFinishedWhereAStartLooksForItAlsoWithAConfigurationThatIsWrong) {
  const test::TempDir box;
  const fs::path wrong = box.write("tidegate.yaml", "storage: {path: [\n");
  const Finished finish = tidegate({"factory-reset", "--finish", "--config", wrong});
  EXPECT_EQ(finish.status, 0) << finish.output;
  EXPECT_NE(tidegate({"factory-reset", "--yes", "--config", wrong}).status, 0) << "nobody guesses what to wipe";
}

TEST(Reset, ARestoreWaitsForOneThatWasBegun) {
  Box box;
  const std::string copy = box.gateway.directory() / "copy";
  ASSERT_EQ(box.ask({"backup", copy}).status, 0);
  ASSERT_EQ(box.post("/api/v1/factory-reset", json::object()).status, 200);
  box.gateway.kill();
  EXPECT_THAT(box.ask({"audit"}).output, HasSubstr("factory reset")) << "kept before it happens";
  const Finished refused = box.ask({"restore", "--force", copy});
  EXPECT_EQ(refused.status, kFailed);
  EXPECT_THAT(refused.output, HasSubstr("would wipe what is restored"));
}

}  // namespace
}  // namespace tidegate::e2e
