// Who may come in: users, their roles and passwords, tokens, and the file of before.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "gateway/access/secret.h"
#include "tests/gateway/access/support.h"

namespace tidegate::access {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

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

TEST_F(AccessTest, ACodeThatOthersCouldReadIsNoneAnyMore) {
  const std::string code = access->claim_code();
  fs::permissions(directory / "claim-code", fs::perms::others_read, fs::perm_options::add);
  open();
  EXPECT_NE(access->claim_code(), code);
  EXPECT_EQ(fs::status(directory / "claim-code").permissions(), fs::perms::owner_read | fs::perms::owner_write);
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
    ASSERT_TRUE(
        file->run("DROP TABLE user; DROP TABLE token; DROP TABLE session; DROP TABLE point; PRAGMA user_version=1"));
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

}  // namespace
}  // namespace tidegate::access
