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

constexpr AlertState in(Phase phase, Timestamp since, bool acknowledged = true, bool chattering = false) {
  return {.since = since, .phase = phase, .acknowledged = acknowledged, .chattering = chattering};
}

constexpr AlertState kNormal{};
constexpr AlertState kPending = in(Phase::pending, at(0));
constexpr AlertState kActive = in(Phase::active, at(0), false);
constexpr AlertState kAckedActive = in(Phase::active, at(0), true);
constexpr AlertState kClearing = in(Phase::clearing, at(0), false);
constexpr AlertState kReturned = in(Phase::returned, at(0), false);

// On-delay.
static_assert(step(kNormal, Verdict::breach, at(5), kAtOnceBothWays) == in(Phase::active, at(5), false));
static_assert(step(kNormal, Verdict::breach, at(5), kTenSeconds) == in(Phase::pending, at(5), true));
static_assert(step(kPending, Verdict::hold, at(9), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::hold, at(60), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::breach, at(9), kTenSeconds) == kPending);
static_assert(step(kPending, Verdict::breach, at(10), kTenSeconds) == in(Phase::active, at(10), false));
static_assert(step(kPending, Verdict::clear, at(10), kTenSeconds) == in(Phase::normal, at(10), true));

// Off-delay.
static_assert(step(kActive, Verdict::clear, at(5), kAtOnceBothWays) == in(Phase::normal, at(5), true));
static_assert(step(kActive, Verdict::clear, at(5), kOffDelay) == in(Phase::clearing, at(5), false));
static_assert(step(kClearing, Verdict::clear, at(9), kOffDelay) == kClearing);
static_assert(step(kClearing, Verdict::clear, at(10), kOffDelay) == in(Phase::normal, at(10), true));
static_assert(step(kClearing, Verdict::hold, at(99), kOffDelay) == kClearing);
static_assert(step(kClearing, Verdict::breach, at(9), kOffDelay) == in(Phase::active, at(9), false));

// Acknowledgement.
static_assert(step(kActive, Verdict::clear, at(5), kAckRequired) == in(Phase::returned, at(5), false));
static_assert(step(kAckedActive, Verdict::clear, at(5), kAckRequired) == in(Phase::normal, at(5), true));
static_assert(step(kReturned, Verdict::clear, at(5), kAckRequired) == kReturned);
static_assert(step(kReturned, Verdict::breach, at(5), kAckRequired) == in(Phase::active, at(5), false));
static_assert(acknowledge(kActive) == in(Phase::active, at(0), true));
static_assert(acknowledge(kReturned) == in(Phase::normal, kReturned.since, true));
static_assert(acknowledge(kNormal) == kNormal);
static_assert(acknowledge(kPending) == kPending);

// A returned alert goes through its on-delay again, and what is owed stays owed.
constexpr AlertState kOwedPending = in(Phase::pending, at(5), false);
static_assert(step(kReturned, Verdict::breach, at(5), kAckAndDelays) == kOwedPending);
static_assert(step(kOwedPending, Verdict::clear, at(6), kAckAndDelays) == in(Phase::returned, at(6), false));
static_assert(acknowledge(kOwedPending) == in(Phase::pending, at(5), true));
static_assert(step(acknowledge(kOwedPending), Verdict::clear, at(7), kAckAndDelays).phase == Phase::normal);

// The rule no longer asks for an acknowledgement: a returned alert goes with the next good word.
static_assert(step(kReturned, Verdict::clear, at(5), kAtOnceBothWays).phase == Phase::normal);

// What the world hears of.
static_assert(cause_of(kNormal, kActive) == "raised" && cause_of(kPending, kActive) == "raised");
static_assert(cause_of(kReturned, kActive) == "raised" && cause_of(kActive, kNormal) == "cleared");
static_assert(cause_of(kClearing, kReturned) == "returned" && cause_of(kReturned, kNormal) == "cleared");
static_assert(cause_of(kNormal, kPending).empty() && cause_of(kPending, kNormal).empty());
static_assert(cause_of(kActive, kClearing).empty() && cause_of(kClearing, kActive).empty());
static_assert(cause_of(kReturned, kOwedPending).empty() && cause_of(kOwedPending, kReturned).empty());

// A latched alert stays raised until somebody has acknowledged it.
constexpr AlertPolicy kLatch{seconds(0), seconds(0), false, true};
static_assert(step(kActive, Verdict::clear, at(5), kLatch) == in(Phase::clearing, at(5), false));
static_assert(step(kClearing, Verdict::clear, at(99), kLatch) == kClearing);
static_assert(ends_at(kClearing, Verdict::clear, kLatch) == kNever);
static_assert(step(acknowledge(kClearing), Verdict::clear, at(9), kLatch).phase == Phase::normal);
static_assert(step(acknowledge(kActive), Verdict::clear, at(9), kLatch).phase == Phase::normal);

// One that chatters stays raised until its condition has been gone for a minute.
constexpr AlertState kChattering = in(Phase::active, at(0), false, true);
static_assert(step(kChattering, Verdict::clear, at(5), kAtOnceBothWays).phase == Phase::clearing);
static_assert(ends_at(step(kChattering, Verdict::clear, at(5), kAtOnceBothWays), Verdict::clear, kAtOnceBothWays) ==
              at(65));
static_assert(step(in(Phase::clearing, at(5), false, true), Verdict::clear, at(65), kAtOnceBothWays) ==
              in(Phase::normal, at(65)));

// Levels: one alert that escalates and steps down.
constexpr Levels only(Severity severity) { return {severity, severity}; }
constexpr Levels between(Severity reached, Severity kept) { return {reached, kept}; }
constexpr AlertPolicy kLevels{seconds(10), seconds(20), false, false, Severity::warning, true};
constexpr AlertState at_level(Phase phase, int since, Severity severity) {
  AlertState state = in(phase, at(since), false);
  state.severity = state.heading = severity;
  return state;
}
constexpr AlertState on_its_way(int since, Severity from, Severity to, int heading_since) {
  AlertState state = at_level(Phase::active, since, from);
  state.heading = to;
  state.heading_since = at(heading_since);
  return state;
}
constexpr AlertState kWarning = at_level(Phase::active, 0, Severity::warning);
constexpr AlertState kCritical = at_level(Phase::active, 0, Severity::critical);
constexpr AlertState kUp = on_its_way(0, Severity::warning, Severity::critical, 30);
static_assert(step(kWarning, Verdict::breach, at(30), kLevels, only(Severity::critical)) == kUp);
static_assert(ends_at(kUp, Verdict::breach, kLevels, only(Severity::critical)) == at(40));
static_assert(step(kUp, Verdict::breach, at(39), kLevels, only(Severity::critical)) == kUp);
static_assert(step(kUp, Verdict::breach, at(40), kLevels, only(Severity::critical)) == kCritical);
static_assert(cause_of(kUp, kCritical) == "escalated" && cause_of(kCritical, kWarning) == "eased");
static_assert(step(kUp, Verdict::breach, at(35), kLevels, only(Severity::warning)) == kWarning);
// What says nothing moves no level, and ends no delay of one.
static_assert(step(kUp, Verdict::hold, at(99), kLevels) == kUp && ends_at(kUp, Verdict::hold, kLevels) == kNever);
// In the dead band of its level it stays there; below it steps down after `clear_after`, and nobody owes anything.
static_assert(step(kCritical, Verdict::breach, at(30), kLevels, between(Severity::warning, Severity::critical)) ==
              kCritical);
static_assert(step(kCritical, Verdict::breach, at(30), kLevels, only(Severity::warning)) ==
              on_its_way(0, Severity::critical, Severity::warning, 30));
static_assert(step(acknowledge(on_its_way(0, Severity::critical, Severity::warning, 30)), Verdict::breach, at(50),
                   kLevels, only(Severity::warning))
                  .acknowledged);
// An escalation is new, and to be acknowledged again.
static_assert(!step(acknowledge(kUp), Verdict::breach, at(40), kLevels, only(Severity::critical)).acknowledged);
// On the way to `critical` it fell back to `high`: that it has been since it set out.
static_assert(step(kUp, Verdict::breach, at(38), kLevels, only(Severity::high)) ==
              on_its_way(0, Severity::warning, Severity::high, 30));
// It is raised at the level at which it was all the delay long, and goes on from there.
constexpr AlertState kOnTrial = step({}, Verdict::breach, at(0), kLevels, only(Severity::critical));
static_assert(kOnTrial.phase == Phase::pending && kOnTrial.severity == Severity::critical);
constexpr AlertState kDipped = step(kOnTrial, Verdict::breach, at(5), kLevels, only(Severity::warning));
static_assert(kDipped.severity == Severity::warning);
static_assert(step(kDipped, Verdict::breach, at(10), kLevels, only(Severity::warning)).severity == Severity::warning);
static_assert(step(kOnTrial, Verdict::breach, at(10), kLevels, only(Severity::critical)).severity ==
              Severity::critical);
static_assert(step(kCritical, Verdict::clear, at(5), kAtOnceBothWays).severity == Severity::critical);

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
  EXPECT_EQ(step(in(from, at(0), !owed), verdict, at(10), policy).phase, to);
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
      state = by_operator ? acknowledge(state) : step(state, static_cast<Verdict>(random() % 3), at(i), policy);
      if (raised(state.phase) == is_raised) continue;
      ASSERT_FALSE(cause_of(before, state).empty());
      ASSERT_FALSE(by_operator) << "an acknowledgement neither raises nor clears";
      is_raised = !is_raised;
    }
  }
}

}  // namespace
}  // namespace tidegate::rules
