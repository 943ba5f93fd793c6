#include "dashboard/workers.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>

namespace tidegate::dashboard {
namespace {

using Lane = Workers::Lane;

TEST(Workers, QuickJobsRunWhileEverySlowPlaceIsTaken) {
  std::latch release(1);
  std::promise<void> answered;
  Workers workers(3, 100);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(workers.submit(Lane::slow, [&] { release.wait(); }));
  ASSERT_TRUE(workers.submit(Lane::quick, [&] { answered.set_value(); }));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  release.count_down();
}

TEST(Workers, RefuseWhatExceedsTheBound) {
  std::latch release(1), started(1);
  Workers workers(1, 2);
  ASSERT_TRUE(workers.submit(Lane::quick, [&] { started.count_down(), release.wait(); }));
  started.wait();
  EXPECT_TRUE(workers.submit(Lane::quick, [] {}));
  EXPECT_TRUE(workers.submit(Lane::slow, [] {}));
  EXPECT_FALSE(workers.submit(Lane::quick, [] {}));
  release.count_down();
}

TEST(Workers, StopWithJobsWaiting) {
  std::atomic<int> ran = 0;
  {
    Workers workers(2, 1000);
    for (int i = 0; i < 1000; ++i) workers.submit(Lane::slow, [&] { ++ran; });
  }
  EXPECT_LE(ran.load(), 1000);
}

}  // namespace
}  // namespace tidegate::dashboard
