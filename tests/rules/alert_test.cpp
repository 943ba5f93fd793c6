#include "rules/alert.h"

#include <gtest/gtest.h>

#include <random>

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

constexpr Timestamp at(int second) { return Timestamp{seconds(second)}; }
constexpr AlertPolicy kAtOnceBothWays{};
constexpr AlertPolicy kTenSeconds{seconds(10), seconds(0), false};
constexpr AlertPolicy kOffDelay{seconds(0), seconds(10), false};
constexpr AlertPolicy kAckRequired{seconds(0), seconds(0), true};
constexpr AlertPolicy kAckAndDelays{seconds(10), seconds(10), true};

constexpr AlertState kNormal{};
constexpr AlertState kPending{Phase::pending, at(0)};
constexpr AlertState kActive{Phase::active, at(0), false};
constexpr AlertState kAckedActive{Phase::active, at(0), true};
constexpr AlertState kClearing{Phase::clearing, at(0), false};
constexpr AlertState kReturned{Phase::returned, at(0), false};

// On-delay.
static_assert(step(kNormal, Verdict::breach, at(5), kAtOnceBothWays) == AlertState{Phase::active, at(5), false});
static_assert(step(kNormal, Verdict::breach, at(5), kTenSeconds) == AlertState{Phase::pending, at(5), true});
static_assert(step(kPending, Verdict::hold, at(9), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::hold, at(60), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::breach, at(9), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::breach, at(10), kTenSeconds) == AlertState{Phase::active, at(10), false});
static_assert(step(kPending, Verdict::clear, at(10), kTenSeconds) == AlertState{Phase::normal, at(10), true});

// Off-delay.
static_assert(step(kActive, Verdict::clear, at(5), kAtOnceBothWays) == AlertState{Phase::normal, at(5), true});
static_assert(step(kActive, Verdict::clear, at(5), kOffDelay) == AlertState{Phase::clearing, at(5), false});
static_assert(step(kClearing, Verdict::clear, at(9), kOffDelay) == kClearing);
static_assert(step(kClearing, Verdict::clear, at(10), kOffDelay) == AlertState{Phase::normal, at(10), true});
static_assert(step(kClearing, Verdict::hold, at(99), kOffDelay) == kClearing);
static_assert(step(kClearing, Verdict::breach, at(9), kOffDelay) == AlertState{Phase::active, at(9), false});

// Acknowledgement.
static_assert(step(kActive, Verdict::clear, at(5), kAckRequired) == AlertState{Phase::returned, at(5), false});
static_assert(step(kAckedActive, Verdict::clear, at(5), kAckRequired) == AlertState{Phase::normal, at(5), true});
static_assert(step(kReturned, Verdict::clear, at(5), kAckRequired) == kReturned);
static_assert(step(kReturned, Verdict::breach, at(5), kAckRequired) == AlertState{Phase::active, at(5), false});
static_assert(acknowledge(kActive, at(5)) == AlertState{Phase::active, at(0), true});
static_assert(acknowledge(kReturned, at(5)) == AlertState{Phase::normal, at(5), true});
static_assert(acknowledge(kNormal, at(5)) == kNormal);
static_assert(acknowledge(kPending, at(5)) == kPending);

// A returned alert goes through its on-delay again, and what is owed stays owed.
constexpr AlertState kOwedPending{Phase::pending, at(5), false};
static_assert(step(kReturned, Verdict::breach, at(5), kAckAndDelays) == kOwedPending);
static_assert(step(kOwedPending, Verdict::clear, at(6), kAckAndDelays) == AlertState{Phase::returned, at(6), false});
static_assert(acknowledge(kOwedPending, at(6)) == AlertState{Phase::pending, at(5), true});
static_assert(step(acknowledge(kOwedPending, at(6)), Verdict::clear, at(7), kAckAndDelays).phase == Phase::normal);

// The rule no longer asks for an acknowledgement: a returned alert goes with the next good word.
static_assert(step(kReturned, Verdict::clear, at(5), kAtOnceBothWays).phase == Phase::normal);

// What the world hears of.
static_assert(announced(kNormal, kActive) && announced(kPending, kActive) && announced(kReturned, kActive));
static_assert(announced(kActive, kNormal) && announced(kClearing, kReturned) && announced(kReturned, kNormal));
static_assert(announced(kActive, kAckedActive));
static_assert(!announced(kNormal, kPending) && !announced(kPending, kNormal));
static_assert(!announced(kActive, kClearing) && !announced(kClearing, kActive));
static_assert(!announced(kReturned, kOwedPending) && !announced(kOwedPending, kReturned));

struct Move {
  Phase from;
  Verdict verdict;
  Phase to;
};

class AlertTable : public testing::TestWithParam<Move> {};

TEST_P(AlertTable, GoesWhereIsaSays) {
  const auto [from, verdict, to] = GetParam();
  const bool owed = from != Phase::normal && from != Phase::pending;
  const AlertPolicy policy{seconds(1), seconds(1), true};
  EXPECT_EQ(step({from, at(0), !owed}, verdict, at(10), policy).phase, to);
}

INSTANTIATE_TEST_SUITE_P(
    All, AlertTable,
    testing::Values(
        Move{Phase::normal, Verdict::clear, Phase::normal}, Move{Phase::normal, Verdict::hold, Phase::normal},
        Move{Phase::normal, Verdict::breach, Phase::pending}, Move{Phase::pending, Verdict::clear, Phase::normal},
        Move{Phase::pending, Verdict::hold, Phase::pending}, Move{Phase::pending, Verdict::breach, Phase::active},
        Move{Phase::active, Verdict::clear, Phase::clearing}, Move{Phase::active, Verdict::hold, Phase::active},
        Move{Phase::active, Verdict::breach, Phase::active}, Move{Phase::clearing, Verdict::clear, Phase::returned},
        Move{Phase::clearing, Verdict::hold, Phase::clearing}, Move{Phase::clearing, Verdict::breach, Phase::active},
        Move{Phase::returned, Verdict::clear, Phase::returned}, Move{Phase::returned, Verdict::hold, Phase::returned},
        Move{Phase::returned, Verdict::breach, Phase::pending}));

TEST(Alert, RaisesAndEndsAreAnnouncedInTurn) {
  std::mt19937 random(7);
  for (const AlertPolicy& policy : {kAtOnceBothWays, kTenSeconds, kOffDelay, kAckRequired, kAckAndDelays}) {
    AlertState state;
    bool is_raised = false;
    for (int i = 0; i < 20'000; ++i) {
      const AlertState before = state;
      const bool by_operator = random() % 16 == 0;
      state = by_operator ? acknowledge(state, at(i)) : step(state, static_cast<Verdict>(random() % 3), at(i), policy);
      if (raised(state.phase) == is_raised) continue;
      ASSERT_TRUE(announced(before, state));
      ASSERT_FALSE(by_operator) << "an acknowledgement neither raises nor clears";
      is_raised = !is_raised;
    }
  }
}

}  // namespace
}  // namespace tidegate::rules
