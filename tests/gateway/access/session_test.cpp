// Log-ins, the links that make one, and when they end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/access/secret.h"
#include "tests/gateway/access/support.h"

namespace tidegate::access {
namespace {

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

}  // namespace
}  // namespace tidegate::access
