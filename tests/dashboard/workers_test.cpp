#include "dashboard/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>

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

class OneAtATime : public testing::TestWithParam<Lane> {};

TEST_P(OneAtATime, RunsItsJobsAndLeavesTheOthersAThread) {
  std::latch release(1), started(1), all(3);
  std::atomic<int> at_once = 0;
  std::promise<void> answered;
  Workers workers(3, 100);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(workers.submit(GetParam(), [&, i] {
      EXPECT_EQ(++at_once, 1);
      if (i == 0) started.count_down(), release.wait();
      --at_once;
      all.count_down();
    }));
  }
  started.wait();
  ASSERT_TRUE(workers.submit(Lane::slow, [&] { answered.set_value(); }));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  release.count_down();
  all.wait();
}

TEST_P(OneAtATime, NeverTakesEveryPlaceThatThereIsToWait) {
  std::latch release(1), started(1);
  Workers workers(3, 8);
  ASSERT_TRUE(workers.submit(GetParam(), [&] { started.count_down(), release.wait(); }));
  started.wait();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(workers.submit(GetParam(), [] {})) << i;
  EXPECT_FALSE(workers.submit(GetParam(), [] {}));
  std::promise<void> answered;
  ASSERT_TRUE(workers.submit(Lane::slow, [&] { answered.set_value(); }));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  release.count_down();
}

TEST(Workers, TwoWaitForDevicesAndLeaveTheOthersAThread) {
  std::latch release(1), started(2), all(4);
  std::atomic<int> at_once = 0;
  std::promise<void> answered;
  Workers workers(4, 100);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(workers.submit(Lane::points, [&, i] {
      EXPECT_LE(++at_once, 2);
      if (i < 2) started.count_down(), release.wait();
      --at_once;
      all.count_down();
    }));
  }
  started.wait();
  ASSERT_TRUE(workers.submit(Lane::slow, [&] { answered.set_value(); }));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  release.count_down();
  all.wait();
}

INSTANTIATE_TEST_SUITE_P(Workers, OneAtATime, testing::Values(Lane::pushes, Lane::log_ins),
                         [](const auto& lane) { return lane.param == Lane::pushes ? "pushes" : "log_ins"; });

TEST(Workers, OneAtATimeInEveryLaneLeavesPlacesForTheQuick) {
  std::latch release(1), started(1);
  Workers workers(1, 8);
  ASSERT_TRUE(workers.submit(Lane::slow, [&] { started.count_down(), release.wait(); }));
  started.wait();
  for (int i = 0; i < 8; ++i) {
    workers.submit(Lane::pushes, [] {});
    workers.submit(Lane::log_ins, [] {});
    workers.submit(Lane::points, [] {});
  }
  EXPECT_TRUE(workers.submit(Lane::quick, [] {}));
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

/// Tells when the job that holds it is gone, run or not.
struct Witness {
  std::promise<void> gone;
  ~Witness() { gone.set_value(); }
};

TEST(Workers, AtTheEndDropTheJobsThatWaitAndFinishTheOneThatRuns) {
  std::latch started(1);
  auto witness = std::make_shared<Witness>();
  const auto dropped = witness->gone.get_future().share();
  std::atomic<bool> finished = false, ran = false;
  {
    Workers workers(1, 100);
    ASSERT_TRUE(workers.submit(Lane::slow, [&] {
      started.count_down();
      finished = dropped.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    }));
    ASSERT_TRUE(workers.submit(Lane::slow, [&ran, held = std::move(witness)] { ran = true; }));
    started.wait();
  }
  EXPECT_TRUE(finished);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace tidegate::dashboard
