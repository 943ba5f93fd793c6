// Who guesses waits, whatever he guesses: the code of the box, of a reset, names and passwords.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <thread>

#include "gateway/access/password.h"
#include "gateway/access/secret.h"
#include "tests/gateway/access/support.h"

namespace tidegate::access {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace tidegate::access
