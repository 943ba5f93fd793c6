#include "gateway/access/access.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "gateway/access/password.h"
#include "gateway/access/secret.h"
#include "gateway/state/state_view.h"
#include "tests/support/temp_dir.h"

namespace tidegate::access {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

const std::string kGood = "correct horse battery";
const Identity kAdmin{"ada", Role::admin};

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    access.reset();
    state.reset();
    auto opened = state::State::open(directory.path(), clock);
    ASSERT_TRUE(opened) << opened.error().text;
    state = std::move(*opened);
    auto made = Access::open(*state, directory.path(), clock);
    ASSERT_TRUE(made) << made.error().text;
    access = std::move(*made);
  }
  std::string claim() {
    const auto session = access->claim(access->claim_code(), {"ada", kGood, "192.0.2.1"});
    EXPECT_TRUE(session) << session.error().text;
    return session.value_or("");
  }
  Result<std::string> log_in(const std::string& name, const std::string& password) {
    return access->log_in({name, password, "192.0.2." + std::to_string(++address % 250)});
  }
  std::vector<std::string> deeds() {
    std::vector<std::string> told;
    auto view = state::StateView::open(directory.path());
    EXPECT_TRUE(view->audit([&](const auto& entry) -> Status {
      told.push_back(entry.deed.who + " " + entry.deed.what + " " + entry.deed.about);
      EXPECT_TRUE(entry.sealed);
      return {};
    }));
    return told;
  }

  test::TempDir directory;
  FakeClock clock{Timestamp{1'700'000'000s}};
  std::unique_ptr<state::State> state;
  std::unique_ptr<Access> access;
  int address = 0;
};

TEST_F(AccessTest, TheFirstUserNeedsTheCodeOfTheBox) {
  EXPECT_FALSE(access->claimed());
  const std::string code = access->claim_code();
  ASSERT_EQ(code.size(), 9u);
  open();
  EXPECT_EQ(access->claim_code(), code) << "the same after a restart";
  const auto file = directory / "claim-code";
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);

  const auto wrong = access->claim("2222-2222", {"ada", kGood, "192.0.2.1"});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text, HasSubstr("claim-code"));
  EXPECT_EQ(access->claim(code, {"ada", "short", "192.0.2.1"}).error().code, Errc::invalid);
  EXPECT_FALSE(access->claimed());

  std::string typed = code;
  std::erase(typed, '-');
  std::transform(typed.begin(), typed.end(), typed.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto session = access->claim(typed, {"ada", kGood, "192.0.2.1"});
  ASSERT_TRUE(session) << session.error().text;
  EXPECT_EQ(access->of_session(*session)->role, Role::admin);
  EXPECT_TRUE(access->claimed());
  EXPECT_EQ(access->claim_code(), "");
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(access->claim(code, {"eve", kGood, "192.0.2.2"}).error().code, Errc::conflict);
  EXPECT_THAT(deeds(), ElementsAre("ada claim ada", "ada log in ada"));
}

TEST_F(AccessTest, OfTwoWhoClaimAtOnceOneDoes) {
  const std::string code = access->claim_code();
  std::vector<Result<std::string>> answers(4, fail(Errc::io, "none"));
  {
    std::vector<std::jthread> all;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      all.emplace_back([&, i] {
        answers[i] = access->claim(code, {"user" + std::to_string(i), kGood, "192.0.2." + std::to_string(i)});
      });
    }
  }
  EXPECT_EQ(std::count_if(answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); }), 1);
  EXPECT_EQ(access->users().size(), 1u);
}

TEST_F(AccessTest, WhoGuessesTheCodeHasToWaitFromWhereverHeComes) {
  const auto claim_from = [&](const std::string& code, int from) {
    return access->claim(code, {"user" + std::to_string(from), kGood, "2001:db8::" + std::to_string(from) + ":1"});
  };
  for (int i = 0; i < Throttle::kFree + 1; ++i) EXPECT_EQ(claim_from("2222-2222", i).error().code, Errc::not_found);
  const auto refused = claim_from(access->claim_code(), 77);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().text, HasSubstr("try again in 1 s"));
  std::this_thread::sleep_for(1100ms);
  EXPECT_TRUE(access->claim(access->claim_code(), {"ada", kGood, "192.0.2.1"})) << "and no lock for good";
}

TEST_F(AccessTest, ManyGuessesAtOnceAreNoWayRound) {
  claim();
  std::atomic<int> looked_at = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 16; ++i) {
      all.emplace_back([&, i] {
        const auto answer = access->log_in({"ada", "wrong password", "192.0.2." + std::to_string(i)});
        if (answer.error().code == Errc::not_found) ++looked_at;
      });
    }
  }
  EXPECT_LE(looked_at, Throttle::kFree + 2) << "a second may have passed";
}

TEST_F(AccessTest, TheOldestLogInOfAUserMakesRoomForANewOne) {
  claim();
  ASSERT_TRUE(access->add_user(kAdmin, "otto", Role::viewer, kGood));
  const std::string ada = *log_in("ada", kGood);
  std::vector<std::string> sessions;
  for (std::size_t i = 0; i < Access::kMostSessions; ++i) {
    clock.advance(1s);
    sessions.push_back(*log_in("otto", kGood));
  }
  clock.advance(1s);
  ASSERT_TRUE(access->of_session(sessions[0]));
  ASSERT_TRUE(log_in("otto", kGood));
  EXPECT_TRUE(access->of_session(sessions[0]));
  EXPECT_FALSE(access->of_session(sessions[1]));
  EXPECT_TRUE(access->of_session(ada)) << "another user's";
}

TEST_F(AccessTest, WhatCannotBeStoredEndsNoLogIn) {
  const std::string oldest = claim();
  ASSERT_TRUE(access->add_user(kAdmin, "otto", Role::viewer, kGood));
  const std::string otto = *log_in("otto", kGood);
  for (std::size_t i = 1; i < Access::kMostSessions; ++i) {
    clock.advance(1s);
    ASSERT_TRUE(log_in("ada", kGood));
  }
  ASSERT_TRUE(state->keep([](journal::sql::Connection& connection) {  // the audit comes last in a transaction
    return connection.run("CREATE TRIGGER full BEFORE INSERT ON deed BEGIN SELECT RAISE(ABORT, 'no room'); END");
  }));
  EXPECT_FALSE(log_in("ada", kGood));
  EXPECT_FALSE(access->set_password(kAdmin, "ada", "another good one"));
  EXPECT_FALSE(access->remove_user(kAdmin, "otto"));
  EXPECT_TRUE(access->of_session(oldest));
  EXPECT_TRUE(access->of_session(otto));
}

TEST_F(AccessTest, ACodeThatOthersCouldReadIsNoneAnyMore) {
  const std::string code = access->claim_code();
  fs::permissions(directory / "claim-code", fs::perms::others_read, fs::perm_options::add);
  open();
  EXPECT_NE(access->claim_code(), code);
  EXPECT_EQ(fs::status(directory / "claim-code").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AccessTest, ALogInIsANewSecretEachTimeAndOutlivesARestart) {
  const std::string first = claim();
  const auto second = log_in("ada", kGood);
  ASSERT_TRUE(second);
  EXPECT_NE(first, *second);
  EXPECT_EQ(second->size(), 43u);
  open();
  EXPECT_EQ(access->of_session(first)->name, "ada");
  access->log_out(first);
  EXPECT_FALSE(access->of_session(first));
  EXPECT_TRUE(access->of_session(*second));
  open();
  EXPECT_FALSE(access->of_session(first));
  EXPECT_TRUE(access->of_session(*second));
  EXPECT_FALSE(access->of_session(""));
  EXPECT_FALSE(access->of_session(digest_of(*second))) << "what is on disk opens nothing";
}

TEST_F(AccessTest, ASessionEndsWhenItIsNotUsedAndAfterAMonthAnyway) {
  const std::string used = claim();
  const std::string unused = *log_in("ada", kGood);
  clock.advance(11h);
  EXPECT_TRUE(access->of_session(used));
  access->maintain();
  open();
  clock.advance(61min);
  EXPECT_TRUE(access->of_session(used)) << "its use was kept over the restart";
  EXPECT_FALSE(access->of_session(unused));
  for (auto since = 12h; since < 24h * 30 - 12h; since += 11h) {
    clock.advance(11h);
    ASSERT_TRUE(access->of_session(used)) << since.count();
  }
  clock.advance(11h);
  static_cast<void>(access->of_session(used));
  clock.advance(11h);
  EXPECT_FALSE(access->of_session(used)) << "used all the time";
}

TEST_F(AccessTest, ALinkLogsInOnceWithinTheHourAndNotAfterARestart) {
  const Identity root{"root", Role::admin};
  const auto link = access->make_link(root, "demo");
  ASSERT_TRUE(link) << link.error().text;
  EXPECT_TRUE(access->claimed());
  EXPECT_EQ(access->claim_code(), "");
  ASSERT_EQ(access->users().size(), 1u);
  EXPECT_FALSE(access->users()[0].has_password);
  const auto session = access->log_in_by_link(*link, "192.0.2.1");
  ASSERT_TRUE(session) << session.error().text;
  EXPECT_EQ(access->of_session(*session)->role, Role::admin);
  EXPECT_FALSE(access->log_in_by_link(*link, "192.0.2.1"));
  EXPECT_FALSE(log_in("demo", "")) << "no password is not an empty one";
  EXPECT_EQ(access->make_link(root, "nobody").error().code, Errc::not_found);

  const std::string old = access->make_link(root, "demo").value(), lost = access->make_link(root, "demo").value();
  clock.advance(61min);
  EXPECT_FALSE(access->log_in_by_link(old, "192.0.2.1"));
  const std::string fresh = access->make_link(root, "demo").value();
  open();
  EXPECT_FALSE(access->log_in_by_link(fresh, "192.0.2.1"));
  EXPECT_TRUE(access->of_session(*session));
}

TEST_F(AccessTest, LinksAreBoundedAndEndWithTheirUser) {
  const Identity root{"root", Role::admin};
  claim();
  ASSERT_TRUE(access->add_user(kAdmin, "bob", Role::viewer, kGood));
  std::string link;
  for (std::size_t i = 0; i < Access::kMostLinks; ++i) link = access->make_link(root, "bob").value();
  EXPECT_EQ(access->make_link(root, "bob").error().code, Errc::full);
  ASSERT_TRUE(access->remove_user(kAdmin, "bob"));
  EXPECT_FALSE(access->log_in_by_link(link, "192.0.2.1"));
  EXPECT_TRUE(access->make_link(root, "ada"));
}

TEST_F(AccessTest, AUserChangesHisOwnPasswordAndKeepsTheNewLogIn) {
  const std::string other = claim();
  EXPECT_EQ(access->change_password({"ada", "wrong password", "192.0.2.1"}, "another good one").error().code,
            Errc::not_found);
  EXPECT_TRUE(access->of_session(other));
  EXPECT_EQ(access->change_password({"ada", kGood, "192.0.2.1"}, "short").error().code, Errc::invalid);
  const auto session = access->change_password({"ada", kGood, "192.0.2.1"}, "another good one");
  ASSERT_TRUE(session) << session.error().text;
  EXPECT_TRUE(access->of_session(*session));
  EXPECT_FALSE(access->of_session(other));
  EXPECT_FALSE(log_in("ada", kGood));
}

TEST_F(AccessTest, TheRevisionTellsThatSomethingWasTaken) {
  const std::string session = claim();
  ASSERT_TRUE(access->add_user(kAdmin, "bob", Role::operator_, kGood));
  ASSERT_TRUE(access->make_token(kAdmin, "t", Role::viewer, {}));
  std::uint64_t seen = access->revision();
  const auto changed = [&] { return std::exchange(seen, access->revision()) != access->revision(); };
  EXPECT_FALSE(changed());
  ASSERT_TRUE(access->set_role(kAdmin, "bob", Role::viewer));
  EXPECT_TRUE(changed());
  ASSERT_TRUE(access->set_password(kAdmin, "bob", "another good one"));
  EXPECT_TRUE(changed());
  ASSERT_TRUE(access->remove_token(kAdmin, access->tokens()[0].id));
  EXPECT_TRUE(changed());
  access->log_out(session);
  EXPECT_TRUE(changed());
  ASSERT_TRUE(access->remove_user(kAdmin, "bob"));
  EXPECT_TRUE(changed());
}

TEST_F(AccessTest, WhenASessionWasUsedIsWrittenOnceAnHour) {
  const std::string session = claim();
  const auto stored = [&] {
    std::int64_t used = 0;
    EXPECT_TRUE(state->look([&](journal::sql::Connection& connection) -> Status {
      auto row = connection.prepare("SELECT used FROM session");
      EXPECT_TRUE(row->step().value());
      used = row->integer(0);
      return {};
    }));
    return used;
  };
  const std::int64_t first = stored();
  clock.advance(59min);
  EXPECT_TRUE(access->of_session(session));
  access->maintain();
  EXPECT_EQ(stored(), first);
  clock.advance(1min);
  EXPECT_TRUE(access->of_session(session));
  access->maintain();
  EXPECT_EQ(stored(), first + std::chrono::microseconds(1h).count());
}

TEST_F(AccessTest, NobodyIsToldWhetherItWasTheNameOrThePassword) {
  claim();
  const auto no_user = log_in("eve", kGood), no_password = log_in("ada", "another password");
  ASSERT_FALSE(no_user || no_password);
  EXPECT_EQ(no_user.error().text, no_password.error().text);
  EXPECT_EQ(no_user.error().code, Errc::not_found);
}

TEST_F(AccessTest, OneNameIsGuessedNoFasterFromManyAddresses) {
  claim();
  for (int i = 0; i < Throttle::kFree + 1; ++i)
    EXPECT_EQ(log_in("ada", "wrong password").error().code, Errc::not_found);
  EXPECT_EQ(log_in("ada", kGood).error().code, Errc::unavailable);
  std::this_thread::sleep_for(1100ms);
  EXPECT_TRUE(log_in("ada", kGood)) << "a second, and no lock for good";
  EXPECT_TRUE(log_in("ada", kGood)) << "who got in begins anew";
}

TEST_F(AccessTest, RolesArePutAndTakenAndAnAdminStays) {
  claim();
  ASSERT_TRUE(access->add_user(kAdmin, "otto", Role::viewer, kGood));
  EXPECT_EQ(access->add_user(kAdmin, "otto", Role::viewer, kGood).error().code, Errc::conflict);
  EXPECT_EQ(access->add_user(kAdmin, "", Role::viewer, kGood).error().code, Errc::invalid);
  EXPECT_EQ(access->add_user(kAdmin, "a\nb", Role::viewer, kGood).error().code, Errc::invalid);
  const std::string session = *log_in("otto", kGood);
  EXPECT_EQ(access->of_session(session)->role, Role::viewer);
  ASSERT_TRUE(access->set_role(kAdmin, "otto", Role::operator_));
  EXPECT_EQ(access->of_session(session)->role, Role::operator_) << "at once";
  EXPECT_EQ(access->set_role(kAdmin, "ada", Role::viewer).error().code, Errc::conflict);
  EXPECT_EQ(access->remove_user(kAdmin, "ada").error().code, Errc::conflict);
  EXPECT_EQ(access->remove_user(kAdmin, "nobody").error().code, Errc::not_found);
  ASSERT_TRUE(access->remove_user(kAdmin, "otto"));
  EXPECT_FALSE(access->of_session(session)) << "at once";
  EXPECT_FALSE(log_in("otto", kGood));
  open();
  EXPECT_THAT(access->users(), ElementsAre(AllOf(Field(&User::name, "ada"), Field(&User::role, Role::admin))));
  EXPECT_THAT(deeds(), ElementsAre("ada claim ada", "ada log in ada", "ada add user otto", "otto log in otto",
                                   "ada set role otto", "ada remove user otto"));
}

TEST_F(AccessTest, ANewPasswordEndsWhatTheOldOneBegan) {
  const std::string session = claim();
  ASSERT_TRUE(access->set_password(kAdmin, "ada", "another good one"));
  EXPECT_FALSE(access->of_session(session));
  EXPECT_FALSE(log_in("ada", kGood));
  open();
  EXPECT_FALSE(access->of_session(session));
  EXPECT_TRUE(log_in("ada", "another good one"));
}

TEST_F(AccessTest, ATokenIsShownOnceAndTakenBack) {
  claim();
  const std::string forever = *access->make_token(kAdmin, "telegraf", Role::viewer, {});
  const std::string short_lived = *access->make_token(kAdmin, "script", Role::operator_, 1h);
  open();
  EXPECT_EQ(access->of_token(forever)->name, "telegraf");
  EXPECT_EQ(access->of_token(short_lived)->role, Role::operator_);
  EXPECT_FALSE(access->of_session(forever));
  clock.advance(2h);
  EXPECT_FALSE(access->of_token(short_lived));
  ASSERT_EQ(access->tokens().size(), 2u);
  ASSERT_TRUE(access->remove_token(kAdmin, access->tokens().front().id));
  EXPECT_FALSE(access->of_token(forever));
  EXPECT_EQ(access->remove_token(kAdmin, 77).error().code, Errc::not_found);
  open();
  EXPECT_FALSE(access->of_token(forever));
  for (const auto& file : fs::directory_iterator(directory.path())) {
    const std::string bytes = test::read_file(file.path());
    for (const std::string& secret : {forever, short_lived, kGood}) {
      EXPECT_THAT(bytes, Not(HasSubstr(secret))) << file.path();
    }
  }
}

TEST_F(AccessTest, AFileOfBeforeThereWereUsersIsTakenOver) {
  ASSERT_TRUE(state->record({"ole", "acknowledge", "hot:boiler1", ""}));
  access.reset();
  state.reset();
  {
    auto file = journal::sql::Connection::open(directory / "state.db", journal::sql::Connection::Access::write);
    ASSERT_TRUE(file->run("DROP TABLE user; DROP TABLE token; DROP TABLE session; PRAGMA user_version=1"));
  }
  open();
  EXPECT_EQ(state->notice(), "");
  EXPECT_NE(claim(), "");
  EXPECT_THAT(deeds(), ElementsAre("ole acknowledge hot:boiler1", "ada claim ada", "ada log in ada"));
}

TEST_F(AccessTest, OfADamagedFileUsersAndTokensAreKept) {
  const std::string session = claim();
  const std::string token = *access->make_token(kAdmin, "telegraf", Role::viewer, {});
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(state->record({"ole", "acknowledge", "hot:boiler1", std::string(100, 'x')}));
  access.reset();
  state.reset();
  {
    std::fstream file(directory / "state.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(directory / "state.db") - 3000));
    file << std::string(2000, '\xEE');
  }
  open();
  EXPECT_THAT(state->notice(), HasSubstr("was damaged"));
  EXPECT_EQ(access->claim_code(), "") << "it is no new box";
  EXPECT_TRUE(log_in("ada", kGood));
  EXPECT_EQ(access->of_token(token)->name, "telegraf");
  EXPECT_FALSE(access->of_session(session));
}

TEST(Password, ShortOnesAndWhatIsTriedFirstAreRefused) {
  for (const char* good : {"correct horse", "zwölf zeichen", "aB3$aB3$aB3%", "un café au lait"}) {
    EXPECT_EQ(problem_of(good, "ada"), "") << good;
  }
  for (const char* bad :
       {"", "elf zeichen", "ééééé", "aaaaaaaaaaaaaaaa", "Password1234", "TideGate1234", "ADA_LOVELACE_1"}) {
    EXPECT_NE(problem_of(bad, "ada_lovelace_1"), "") << bad;
  }
  EXPECT_NE(problem_of(std::string(257, 'x') + "y", "ada"), "");
}

TEST(Password, HashesAreArgon2idWithTheseCostsAndASaltOfTheirOwn) {
  const std::string one = *hash_of(kGood), other = *hash_of(kGood);
  EXPECT_THAT(one, HasSubstr("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(one, other);
  EXPECT_TRUE(*fits(kGood, one));
  EXPECT_TRUE(*fits(kGood, other));
  EXPECT_FALSE(*fits(kGood + " ", one));
  EXPECT_FALSE(*fits("", one));
  EXPECT_FALSE(*fits(kGood, ""));
}

/// Of this process: what it has now, or at most had.
std::size_t resident_mib(const std::string& what) {
  std::ifstream status("/proc/self/status");
  std::string word;
  std::size_t kib = 0;
  while (status >> word) {
    if (word == what && status >> kib) break;
  }
  return kib / 1024;
}

// All at once these would take hundreds of megabytes. What the threads themselves cost, under a sanitizer as much, is
// there before.
TEST_F(AccessTest, ManyLogInsAtOnceCostTimeAndNotMemory) {
  claim();
  constexpr int kMany = 50;
  constexpr std::size_t kOneHash = 19, kMost = 6 * kOneHash;
  std::atomic<int> refused{0}, let_in{0};
  std::latch ready(kMany), start(1);
  const auto log_in_once = [&](int i) {
    ready.count_down();
    start.wait();
    const std::string name = i % 10 == 0 ? "ada" : "eve" + std::to_string(i);
    const auto session = access->log_in({name, kGood, "192.0.2." + std::to_string(i)});
    ++(session ? let_in : refused);
  };
  std::size_t before = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < kMany; ++i) all.emplace_back(log_in_once, i);
    ready.wait();
    before = resident_mib("VmRSS:");
    start.count_down();
  }
  EXPECT_EQ(let_in, kMany / 10);
  EXPECT_EQ(refused, kMany - kMany / 10);
  EXPECT_GT(before, 0u);
  EXPECT_LT(resident_mib("VmHWM:"), before + kMost);
}

TEST(Throttle, WaitsDoubleAndAreForgotten) {
  Throttle throttle;
  Throttle::Instant now{};
  const auto wait = [&] { return std::chrono::ceil<std::chrono::seconds>(throttle.wait("eve", now)).count(); };
  for (int i = 0; i < Throttle::kFree; ++i) throttle.failed("eve", now);
  EXPECT_EQ(wait(), 0);
  for (const int seconds : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    throttle.failed("eve", now);
    EXPECT_EQ(wait(), seconds);
  }
  EXPECT_LE(throttle.wait("ada", now).count(), 0);
  now += 901s;
  EXPECT_LE(wait(), 0) << "never for good";
  now += 1h;
  throttle.failed("eve", now);
  EXPECT_EQ(wait(), 0) << "an hour later it begins anew";
}

TEST(Throttle, RemembersSoManyAndNoMore) {
  Throttle throttle;
  Throttle::Instant now{};
  for (int i = 0; i < 10; ++i) throttle.failed("eve", now += 1ms);
  for (int i = 0; i < 10; ++i) throttle.failed("mallory", now += 1ms);
  for (std::size_t i = 0; i < Throttle::kMost - 2; ++i) throttle.failed("bot" + std::to_string(i), now += 1ms);
  EXPECT_GT(throttle.wait("eve", now).count(), 0);
  throttle.failed("one more", now += 1ms);
  EXPECT_LE(throttle.wait("eve", now).count(), 0) << "who failed the longest ago";
  EXPECT_GT(throttle.wait("mallory", now).count(), 0);
}

TEST_F(AccessTest, TheCodeOfAResetIsGoodOnceAndUntilThereIsAnother) {
  claim();
  const Access::Attempt attempt{"ada", "", "192.0.2.1"};
  EXPECT_EQ(access->check_reset_code("", attempt).error().code, Errc::not_found) << "there is none yet";
  const std::string old = access->make_reset_code({"root", Role::admin}).value();
  const std::string code = access->make_reset_code({"root", Role::admin}).value();
  EXPECT_FALSE(access->check_reset_code(old, attempt));
  EXPECT_TRUE(access->check_reset_code(code, attempt));
  access->spend_reset_code();
  EXPECT_EQ(access->check_reset_code(code, attempt).error().code, Errc::not_found) << "it is used up";
  EXPECT_THAT(deeds(), ::testing::Contains("root reset code "));
  const std::string last = access->make_reset_code({"root", Role::admin}).value();
  open();
  EXPECT_FALSE(access->check_reset_code(last, attempt)) << "not after a restart";
}

TEST_F(AccessTest, WhoGuessesTheCodeOfAResetWaits) {
  claim();
  const std::string code = access->make_reset_code(kAdmin).value();
  const Access::Attempt attempt{"ada", "", "192.0.2.1"};
  while (access->check_reset_code("2222-2222", attempt).error().code == Errc::not_found) {
  }
  const auto waits = access->check_reset_code(code, attempt);
  ASSERT_FALSE(waits);
  EXPECT_EQ(waits.error().code, Errc::unavailable) << "with the right one too";
}

}  // namespace
}  // namespace tidegate::access
