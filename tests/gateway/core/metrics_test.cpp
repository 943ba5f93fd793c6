#include "gateway/core/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tidegate {
namespace {

TEST(Metrics, TwoOwnersOfOnePathShareTheMetric) {
  Metrics metrics;
  Metric& one = metrics.counter("intake/dropped_samples", "samples", "Samples given up at the queue's bound.");
  Metric& other = metrics.counter("intake/dropped_samples", "", "");
  EXPECT_EQ(&one, &other);
  other.add(3);
  EXPECT_EQ(one.value(), 3);
  EXPECT_EQ(one.unit, "samples");
}

TEST(Metrics, AMetricStaysAtItsAddressAsOthersAreMade) {
  Metrics metrics;
  Metric& first = metrics.gauge("first", "", "");
  for (int i = 0; i < 1000; ++i) metrics.gauge("other/" + std::to_string(i), "", "");
  first.set(7);
  EXPECT_EQ(&metrics.gauge("first", "", ""), &first);
  EXPECT_EQ(metrics.gauge("first", "", "").value(), 7);
}

TEST(Metrics, EveryMetricIsVisitedInOrderOfMaking) {
  Metrics metrics;
  metrics.gauge("a", "s", "");
  metrics.counter("b", "", "");
  std::vector<std::string> seen;
  metrics.for_each([&](const Metric& metric) { seen.push_back(metric.path); });
  EXPECT_THAT(seen, testing::ElementsAre("a", "b"));
}

TEST(Metrics, AVisitorMayMakeMetrics) {
  Metrics metrics;
  metrics.gauge("a", "", "");
  metrics.for_each([&](const Metric&) { metrics.gauge("b", "", ""); });
  int count = 0;
  metrics.for_each([&](const Metric&) { ++count; });
  EXPECT_EQ(count, 2);
}

TEST(Metrics, CountsFromManyThreadsAddUp) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        Metric& metric = metrics.counter("shared", "", "");
        for (int i = 0; i < 10'000; ++i) metric.add();
      });
    }
  }
  EXPECT_EQ(metrics.counter("shared", "", "").value(), 40'000);
}

}  // namespace
}  // namespace tidegate
