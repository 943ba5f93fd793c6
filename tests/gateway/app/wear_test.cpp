#include "gateway/app/wear.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{1'700'000'000s};

TEST(Wear, SaysNothingBeforeAMinuteAndNothingOfASystemThatStoresNothing) {
  Metrics metrics;
  Wear wear(metrics, 1'000'000);
  for (auto time = 0s; time < 60s; time += 1s) {
    wear.measure(kStart + time, 100.0 * static_cast<double>(time.count()), static_cast<double>(time.count()));
    EXPECT_FALSE(wear.figures());
  }
  wear.measure(kStart + 60s, 6000, 60);
  ASSERT_TRUE(wear.figures());
  Wear idle(metrics, 1'000'000);
  for (auto time = 0s; time < 100s; time += 1s) idle.measure(kStart + time, 5, 7);
  EXPECT_FALSE(idle.figures());
}

TEST(Wear, IsThatOfTheLastTenMinutes) {
  Metrics metrics;
  Wear wear(metrics, 10'000'000'000);
  double written = 0;
  double samples = 0;
  const auto run = [&](auto from, auto to, double bytes_a_second) {
    for (auto time = from; time < to; time += 1s) {
      wear.measure(kStart + time, written += bytes_a_second, samples += 100);
    }
  };
  run(0s, 3600s, 5000.0);
  ASSERT_TRUE(wear.figures());
  EXPECT_NEAR(wear.figures()->bytes_a_sample, 50, 1e-6);
  run(3600s, 7200s, 1000.0);
  EXPECT_NEAR(wear.figures()->bytes_a_sample, 10, 1e-6);
  EXPECT_NEAR(wear.figures()->bytes_a_day, 86.4e6, 1);
  EXPECT_NEAR(wear.figures()->life_years, 10e9 / 86.4e6 / 365.25, 1e-6);
}

TEST(Wear, TheKernelCountsWhatThisProcessWrites) {
  // In the build folder: of a file in memory nothing would be written.
  const std::string name = "wear_test.bytes";
  const std::string megabyte(1 << 20, 'x');
  const double before = bytes_written_to_disk();
  const int file = ::open(name.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  EXPECT_EQ(::write(file, megabyte.data(), megabyte.size()), static_cast<ssize_t>(megabyte.size()));
  EXPECT_EQ(::fsync(file), 0);
  ::close(file);
  EXPECT_GE(bytes_written_to_disk() - before, static_cast<double>(megabyte.size()));
  ::unlink(name.c_str());
}

}  // namespace
}  // namespace tidegate::app
