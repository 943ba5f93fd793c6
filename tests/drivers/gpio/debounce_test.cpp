#include "drivers/gpio/debounce.h"

#include <gtest/gtest.h>

namespace tidegate::drivers::gpio {
namespace {

using namespace std::chrono_literals;

Timestamp at(Micros time) { return Timestamp{time}; }

TEST(Debounce, WithoutATimeTakesEveryEdgeAtOnce) {
  Debounce debounce(0ms);
  debounce.begin(false);
  EXPECT_TRUE(debounce.edge(true, at(1ms))->active);
  EXPECT_FALSE(debounce.edge(true, at(2ms))) << "it is active already";
  EXPECT_EQ(debounce.edge(false, at(3ms))->at, at(3ms));
  EXPECT_FALSE(debounce.due());
}

TEST(Debounce, AContactThatBouncesClosesOnceAtItsLastEdge) {
  Debounce debounce(10ms);
  debounce.begin(false);
  for (const Micros time : {0ms, 2ms, 5ms}) {
    EXPECT_FALSE(debounce.edge(true, at(time)));
    if (time != 5ms) {
      EXPECT_FALSE(debounce.edge(false, at(time + 1ms)));
    }
  }
  EXPECT_EQ(debounce.due(), at(15ms));
  EXPECT_FALSE(debounce.settle(at(14ms)));
  const auto change = debounce.settle(at(15ms));
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->active);
  EXPECT_EQ(change->at, at(5ms));
  EXPECT_FALSE(debounce.settle(at(30ms)));
}

TEST(Debounce, ASpikeIsNoChange) {
  Debounce debounce(10ms);
  debounce.begin(true);
  EXPECT_FALSE(debounce.edge(false, at(0ms)));
  EXPECT_FALSE(debounce.edge(true, at(9ms)));
  EXPECT_FALSE(debounce.settle(at(100ms)));
  EXPECT_TRUE(debounce.active());
}

TEST(Debounce, WhatHasLastedIsSeenByTheNextEdgeToo) {
  Debounce debounce(10ms);
  debounce.begin(false);
  EXPECT_FALSE(debounce.edge(true, at(0ms)));
  const auto change = debounce.edge(false, at(50ms));
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->active);
  EXPECT_EQ(change->at, at(0ms));
  EXPECT_FALSE(debounce.settle(at(60ms))->active);
}

}  // namespace
}  // namespace tidegate::drivers::gpio
