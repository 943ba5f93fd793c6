#include "drivers/poller.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;

TEST(NextTurn, IsTheNextWholeMultiple) {
  EXPECT_EQ(until_next_turn(Timestamp{10'300ms}, 1s), Micros{700ms});
  EXPECT_EQ(until_next_turn(Timestamp{7s}, 5s), Micros{3s});
  EXPECT_EQ(until_next_turn(Timestamp{61s}, 60s), Micros{59s});
}

TEST(NextTurn, OfATurnItselfIsTheOneAfter) { EXPECT_EQ(until_next_turn(Timestamp{10s}, 5s), Micros{5s}); }

TEST(NextTurn, BeforeTheEpochIsAheadToo) {
  EXPECT_EQ(until_next_turn(Timestamp{-300ms}, 1s), Micros{300ms});
  EXPECT_EQ(until_next_turn(Timestamp{-5s}, 5s), Micros{5s});
}

TEST(NextTurn, IsNeverNoneAndNeverMoreThanATurn) {
  for (std::int64_t micros = -3'000'000; micros < 3'000'000; micros += 1237) {
    const Timestamp now{Micros{micros}};
    const Micros wait = until_next_turn(now, 700ms);
    ASSERT_GT(wait, Micros{0});
    ASSERT_LE(wait, Micros{700ms});
    ASSERT_EQ((now + wait).time_since_epoch() % Micros{700ms}, Micros{0});
  }
}

struct Measured {
  explicit Measured(const Clock& clock) : meter({"line", clock, metrics}) {}
  Metrics metrics;
  TurnMeter meter;
};

TEST(Poller, ReadsAtWholeMultiplesAndStops) {
  const GatewayClock clock;
  Measured measured{clock};
  std::stop_source stop;
  std::vector<Timestamp> polls;
  poll_aligned(20ms, clock, measured.meter, stop.get_token(), [&](Timestamp now) {
    polls.push_back(now);
    if (polls.size() == 4) stop.request_stop();
  });
  ASSERT_EQ(polls.size(), 4u);
  for (std::size_t i = 1; i < polls.size(); ++i) {
    EXPECT_GT(polls[i].time_since_epoch() / 20ms, polls[i - 1].time_since_epoch() / 20ms) << "two polls in one turn";
  }
}

TEST(Poller, SkipsTheTurnsThatASlowPollMissed) {
  const GatewayClock clock;
  Measured measured{clock};
  std::stop_source stop;
  std::vector<std::int64_t> turns;
  poll_aligned(20ms, clock, measured.meter, stop.get_token(), [&](Timestamp now) {
    turns.push_back(now.time_since_epoch() / 20ms);
    if (turns.size() == 3) stop.request_stop();
    if (turns.size() < 3) std::this_thread::sleep_for(70ms);
  });
  ASSERT_EQ(turns.size(), 3u);
  EXPECT_GE(turns[1] - turns[0], 4);
  EXPECT_GE(turns[2] - turns[1], 4);
}

TEST(Poller, StopsWhileItWaits) {
  const GatewayClock clock;
  Measured measured{clock};
  std::stop_source stop;
  int polls = 0;
  {
    std::jthread poller(
        [&] { poll_aligned(1h, clock, measured.meter, stop.get_token(), [&](Timestamp) { ++polls; }); });
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  }
  EXPECT_EQ(polls, 0);
}

TEST(Sleep, IsTrueWhenItSleptAndFalseWhenAskedToStop) {
  std::stop_source stop;
  EXPECT_TRUE(sleep_for(1ms, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(sleep_for(1h, stop.get_token()));
}

}  // namespace
}  // namespace tidegate::drivers
