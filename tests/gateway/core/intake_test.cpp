#include "gateway/core/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Sample numbered(double value, SeriesId series = SeriesId{0}) {
  return {series, Quality::good, Reason::none, Timestamp{1s}, value};
}

std::vector<Sample> numbered_from(int first, int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) samples.push_back(numbered(first + i));
  return samples;
}

std::vector<double> values(const std::vector<Sample>& samples) {
  std::vector<double> out;
  for (const Sample& sample : samples) out.push_back(sample.value);
  return out;
}

Intake::Taken take(Intake& intake, std::size_t max = 1000) {
  Intake::Taken taken;
  intake.take(taken, max, Micros{0}, {});
  return taken;
}

Event notice(std::string text) { return {Timestamp{}, Notice{"started", std::move(text)}}; }

constexpr std::uint64_t number(Ticket ticket) { return static_cast<std::uint64_t>(ticket); }

TEST(Intake, GivesSamplesInOrderOfArrival) {
  Intake intake(8);
  intake.push(numbered_from(1, 3));
  intake.push(numbered_from(4, 2));
  EXPECT_THAT(values(take(intake).samples), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_TRUE(take(intake).samples.empty());
}

TEST(Intake, TakesAtMostWhatIsAskedForAndKeepsTheRest) {
  Intake intake(8);
  intake.push(numbered_from(1, 5));
  const auto first = take(intake, 2);
  EXPECT_THAT(values(first.samples), ElementsAre(1, 2));
  EXPECT_EQ(first.last, Ticket{2});
  const auto rest = take(intake);
  EXPECT_THAT(values(rest.samples), ElementsAre(3, 4, 5));
  EXPECT_EQ(rest.last, Ticket{5});
}

TEST(Intake, KeepsItsOrderAroundTheEndOfTheRing) {
  Intake intake(4);
  for (int round = 0; round < 25; ++round) {
    intake.push(numbered_from(round * 3, 3));
    ASSERT_THAT(values(take(intake).samples), ElementsAre(round * 3, round * 3 + 1, round * 3 + 2));
  }
  EXPECT_EQ(intake.stats().dropped, 0u);
}

TEST(Intake, TicketsOnlyGrow) {
  Intake intake(2);
  EXPECT_EQ(intake.push(numbered_from(1, 1)), Ticket{1});
  EXPECT_EQ(intake.push(numbered_from(2, 3)), Ticket{4});
  EXPECT_EQ(intake.push({}), Ticket{4});
  take(intake);
  EXPECT_EQ(intake.push(numbered_from(5, 1)), Ticket{5});
}

TEST(Intake, AtTheBoundTheOldestSamplesGiveWayAndAreCounted) {
  Intake intake(3);
  for (int i = 1; i <= 5; ++i) intake.push(numbered_from(i, 1));
  EXPECT_EQ(intake.stats().dropped, 2u);
  EXPECT_EQ(intake.stats().accepted, 5u);
  EXPECT_EQ(intake.stats().depth, 3u);
  EXPECT_THAT(values(take(intake).samples), ElementsAre(3, 4, 5));
}

TEST(Intake, APushGivesWayWhole) {
  Intake intake(6);
  intake.push(numbered_from(1, 4));
  intake.push(numbered_from(5, 2));
  intake.push(numbered_from(7, 1));
  EXPECT_EQ(intake.stats().dropped, 4u);
  EXPECT_THAT(values(take(intake).samples), ElementsAre(5, 6, 7));
}

TEST(Intake, APushLargerThanTheRingKeepsItsNewestPart) {
  Intake intake(4);
  intake.push(numbered_from(1, 2));
  EXPECT_EQ(intake.push(numbered_from(3, 10)), Ticket{12});
  EXPECT_EQ(intake.stats().dropped, 8u);
  const auto taken = take(intake);
  EXPECT_THAT(values(taken.samples), ElementsAre(9, 10, 11, 12));
  EXPECT_EQ(taken.last, Ticket{12});
}

TEST(Intake, EverySampleIsEitherTakenOrCountedAsDropped) {
  Intake intake(7);
  std::uint64_t taken = 0;
  for (int i = 0; i < 500; ++i) {
    intake.push(numbered_from(i, 1 + i % 11));
    if (i % 3 == 0) taken += take(intake, static_cast<std::size_t>(i % 5)).samples.size();
  }
  const auto stats = intake.stats();
  EXPECT_EQ(stats.accepted, taken + stats.dropped + stats.depth);
}

TEST(Intake, EventsComeBesideTheSamplesInOrder) {
  Intake intake(4);
  EXPECT_TRUE(intake.post(notice("one")));
  EXPECT_TRUE(intake.post(notice("two")));
  const auto taken = take(intake);
  ASSERT_EQ(taken.events.size(), 2u);
  EXPECT_EQ(std::get<Notice>(taken.events[0].body).text, "one");
  EXPECT_EQ(std::get<Notice>(taken.events[1].body).text, "two");
  EXPECT_TRUE(take(intake).events.empty());
}

TEST(Intake, EventsBeyondTheirBoundAreRefusedAndCounted) {
  Intake intake(4, 2);
  EXPECT_TRUE(intake.post(notice("one")));
  EXPECT_TRUE(intake.post(notice("two")));
  EXPECT_FALSE(intake.post(notice("three")));
  EXPECT_EQ(intake.stats().events_refused, 1u);
  take(intake);
  EXPECT_TRUE(intake.post(notice("four")));
}

TEST(Intake, TakeWakesForASample) {
  Intake intake(4);
  std::jthread producer([&] {
    std::this_thread::sleep_for(20ms);
    intake.push(numbered_from(1, 1));
  });
  Intake::Taken taken;
  intake.take(taken, 10, 60s, {});
  EXPECT_EQ(taken.samples.size(), 1u);
}

TEST(Intake, TakeWakesForAStop) {
  Intake intake(4);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  Intake::Taken taken;
  intake.take(taken, 10, 60s, stop.get_token());
  EXPECT_TRUE(taken.samples.empty());
}

TEST(Intake, AfterAStopWhatIsLeftCanStillBeTaken) {
  Intake intake(4);
  intake.push(numbered_from(1, 2));
  std::stop_source stop;
  stop.request_stop();
  Intake::Taken taken;
  intake.take(taken, 10, 60s, stop.get_token());
  EXPECT_EQ(taken.samples.size(), 2u);
}

TEST(IntakeCommit, ACommittedTicketIsTrueAtOnce) {
  Intake intake(4);
  const Ticket ticket = intake.push(numbered_from(1, 2));
  intake.committed(take(intake).last);
  EXPECT_TRUE(intake.wait_committed(ticket, {}));
}

TEST(IntakeCommit, WaitsForTheCommitNotForTheTaking) {
  Intake intake(4);
  const Ticket ticket = intake.push(numbered_from(1, 1));
  const Ticket last = take(intake).last;
  std::atomic<bool> answered = false;
  std::jthread waiter([&] {
    EXPECT_TRUE(intake.wait_committed(ticket, {}));
    answered = true;
  });
  std::this_thread::sleep_for(30ms);
  EXPECT_FALSE(answered);
  intake.committed(last);
  waiter.join();
  EXPECT_TRUE(answered);
}

TEST(IntakeCommit, AWaiterWakesThePumpToCommitNow) {
  Intake intake(4);
  const Ticket ticket = intake.push(numbered_from(1, 1));
  EXPECT_FALSE(take(intake).awaited);
  std::jthread waiter([&] { EXPECT_TRUE(intake.wait_committed(ticket, {})); });
  Intake::Taken taken;
  intake.take(taken, 10, 60s, {});
  EXPECT_TRUE(taken.awaited);
  intake.committed(taken.last);
  waiter.join();
  EXPECT_FALSE(take(intake).awaited);
}

TEST(IntakeCommit, IsFalseWhenAskedToStop) {
  Intake intake(4);
  const Ticket ticket = intake.push(numbered_from(1, 1));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_FALSE(intake.wait_committed(ticket, stop.get_token()));
}

TEST(IntakeCommit, IsFalseForASampleThatWasDroppedWhileOneWaits) {
  Intake intake(2);
  const Ticket ticket = intake.push(numbered_from(1, 1));
  std::jthread producer([&] {
    std::this_thread::sleep_for(20ms);
    intake.push(numbered_from(2, 2));
  });
  EXPECT_FALSE(intake.wait_committed(ticket, {}));
}

TEST(IntakeCommit, IsFalseForADroppedSampleEvenAfterLaterOnesAreOnDisk) {
  Intake intake(2);
  const Ticket lost = intake.push(numbered_from(1, 1));
  const Ticket kept = intake.push(numbered_from(2, 2));
  intake.committed(take(intake).last);
  EXPECT_FALSE(intake.wait_committed(lost, {}));
  EXPECT_TRUE(intake.wait_committed(kept, {}));
}

TEST(IntakeCommit, ASampleThatThePumpHoldsIsNotDroppedByALaterOverflow) {
  Intake intake(2);
  const Ticket held = intake.push(numbered_from(1, 1));
  const Ticket last = take(intake).last;
  intake.push(numbered_from(2, 2));
  intake.push(numbered_from(4, 2));
  intake.committed(last);
  EXPECT_TRUE(intake.wait_committed(held, {}));
}

TEST(IntakeCommit, APushOfWhichThePumpTookTheFirstHalfIsFalseWhenTheRestIsDropped) {
  Intake intake(4);
  const Ticket halved = intake.push(numbered_from(1, 4));
  const Ticket first_half = take(intake, 2).last;
  intake.push(numbered_from(5, 3));
  intake.committed(first_half);
  EXPECT_FALSE(intake.wait_committed(halved, {}));
  EXPECT_THAT(values(take(intake).samples), ElementsAre(5, 6, 7));
}

TEST(IntakeCommit, DropsLongForgottenAreNeverTakenForCommitted) {
  Intake intake(1);
  std::vector<Ticket> lost;
  for (int i = 0; i < 3000; ++i) {
    lost.push_back(intake.push(numbered_from(i, 1)));
    intake.push(numbered_from(i, 1));
    intake.committed(take(intake).last);
  }
  for (const Ticket ticket : lost) ASSERT_FALSE(intake.wait_committed(ticket, {})) << number(ticket);
}

// The whole life under a race: what a producer was told is committed was committed, and in its own order.
TEST(IntakeThreads, ManyProducersAndOnePumpAgreeOnEverySample) {
  constexpr int kProducers = 4, kPushes = 1500, kPerPush = 3;
  Intake intake(64);
  std::atomic<int> running = kProducers;
  std::atomic<std::uint64_t> confirmed = 0;
  std::map<SeriesId, double> newest;
  std::uint64_t taken_samples = 0;

  std::jthread pump([&] {
    Intake::Taken taken;
    while (running > 0 || intake.stats().depth > 0) {
      intake.take(taken, 16, 5ms, {});
      for (const Sample& sample : taken.samples) {
        const auto [last, is_new] = newest.try_emplace(sample.series, sample.value);
        EXPECT_TRUE(is_new || sample.value > last->second);
        last->second = sample.value;
      }
      taken_samples += taken.samples.size();
      intake.committed(taken.last);
    }
  });
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < kProducers; ++p) {
      producers.emplace_back([&, p] {
        for (int i = 0; i < kPushes; ++i) {
          std::vector<Sample> samples;
          for (int k = 0; k < kPerPush; ++k) {
            samples.push_back(numbered(i * kPerPush + k + 1, SeriesId{static_cast<std::uint32_t>(p)}));
          }
          const Ticket ticket = intake.push(samples);
          if (i % 4 == 0 && intake.wait_committed(ticket, {})) confirmed += kPerPush;
        }
        --running;
      });
    }
  }
  pump.join();
  const auto stats = intake.stats();
  EXPECT_EQ(stats.accepted, std::uint64_t{kProducers} * kPushes * kPerPush);
  EXPECT_EQ(stats.accepted, taken_samples + stats.dropped);
  EXPECT_LE(confirmed, taken_samples);
  EXPECT_GT(confirmed, 0u);
}

TEST(Intake, WhatThePumpGivesUpIsDroppedAndCountedOnce) {
  Intake intake(4);
  const std::vector<Sample> three(3), two(2);
  const Ticket first = intake.push(three);
  intake.push(three);  // does not fit beside the first, which gives way whole
  Intake::Taken taken;
  intake.take(taken, 10, Micros{0}, {});
  intake.give_up(taken.last);
  EXPECT_EQ(intake.stats().dropped, 6u);
  EXPECT_FALSE(intake.wait_committed(first, {}));
  EXPECT_FALSE(intake.wait_committed(taken.last, {}));
  const Ticket next = intake.push(two);
  intake.take(taken, 10, Micros{0}, {});
  intake.committed(taken.last);
  EXPECT_TRUE(intake.wait_committed(next, {}));
  EXPECT_EQ(intake.stats().dropped, 6u);
}

TEST(Intake, AWaitForACommitMayEnd) {
  Intake intake(8);
  const Sample sample{};
  const Ticket ticket = intake.push({&sample, 1});
  EXPECT_FALSE(intake.wait_committed(ticket, {}, Micros{1000}));
  intake.committed(ticket);
  EXPECT_TRUE(intake.wait_committed(ticket, {}, Micros{0}));
}

}  // namespace
}  // namespace tidegate
