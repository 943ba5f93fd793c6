#include "gateway/core/backoff.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

void expect_near(Micros wait, Micros nominal) {
  EXPECT_GE(wait, nominal * 3 / 4);
  EXPECT_LE(wait, nominal * 5 / 4);
}

TEST(Backoff, DoublesFromTheFirstToTheMostWithinAQuarter) {
  Backoff backoff(1s, 10s, 7);
  for (const Micros nominal : {Micros{1s}, Micros{2s}, Micros{4s}, Micros{8s}, Micros{10s}, Micros{10s}}) {
    expect_near(backoff.next(), nominal);
  }
}

TEST(Backoff, BeginsAnewAfterAReset) {
  Backoff backoff(1s, 60s, 7);
  for (int i = 0; i < 5; ++i) backoff.next();
  backoff.reset();
  expect_near(backoff.next(), 1s);
}

TEST(Backoff, NeverLeavesItsBoundsHoweverOftenAsked) {
  Backoff backoff(100ms, 30s, 3);
  for (int i = 0; i < 1000; ++i) {
    const Micros wait = backoff.next();
    ASSERT_GE(wait, Micros{75ms});
    ASSERT_LE(wait, Micros{30s} * 5 / 4);
  }
}

TEST(Backoff, OfDifferentSeedsDoesNotKnockInStep) {
  Backoff one(10s, 10s, 1), other(10s, 10s, 2);
  int same = 0;
  for (int i = 0; i < 100; ++i) same += one.next() == other.next() ? 1 : 0;
  EXPECT_LT(same, 5);
}

}  // namespace
}  // namespace tidegate
