#include "rules/lateness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tidegate::rules {
namespace {

using std::chrono::seconds;
using Held = Lateness::Held;

Timestamp second(int n) { return Timestamp(seconds(1'700'000'000 + n)); }
Held held(int time, double value, int arrived) {
  return {{.time = second(time), .value = value}, second(arrived), Held::Origin::now};
}

/// The definition, looked up in all that is held.
class Plain {
 public:
  explicit Plain(Micros allowed) : allowed_(allowed) {}

  bool add(const Held& one) {
    const bool is_behind = last_ && one.sample.time < last_->time;
    if (is_behind || one.sample.time < newest_ - allowed_) return false;
    const auto is_same = [&](const Held& other) { return other.sample == one.sample; };
    if (last_ == one.sample || std::any_of(held_.begin(), held_.end(), is_same)) return true;
    newest_ = std::max(newest_, one.sample.time);
    held_.push_back(one);
    return true;
  }
  std::optional<Held> next(Timestamp now) {
    const auto oldest = first();
    if (oldest == held_.end()) return std::nullopt;
    const bool is_due = oldest->sample.time <= newest_ - allowed_ || wake() <= now;
    return is_due ? std::optional(take(oldest)) : std::nullopt;
  }
  std::optional<Held> next_until(Timestamp until) {
    const auto oldest = first();
    return oldest == held_.end() || oldest->sample.time > until ? std::nullopt : std::optional(take(oldest));
  }
  Timestamp wake() const {
    Timestamp soonest = kNever;
    for (const Held& one : held_) soonest = std::min(soonest, one.arrived + allowed_);
    return soonest;
  }

 private:
  using Place = std::vector<Held>::iterator;
  Place first() {
    return std::min_element(held_.begin(), held_.end(),
                            [](const Held& one, const Held& other) { return one.sample.time < other.sample.time; });
  }
  Held take(Place oldest) {
    const Held out = *oldest;
    held_.erase(oldest);
    last_ = out.sample;
    return out;
  }

  Micros allowed_;
  std::vector<Held> held_;
  std::optional<Sample> last_;
  Timestamp newest_{};
};

std::optional<std::pair<Sample, Timestamp>> sample_of(const std::optional<Held>& one) {
  return one ? std::optional(std::pair(one->sample, one->arrived)) : std::nullopt;
}

/// Late samples, some twice, some of one time, and a gateway's clock that is set back and forth.
TEST(Lateness, IsAsItsDefinition) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const Micros allowed = seconds(1 + below(20));
    Lateness lateness(allowed);
    Plain plain(allowed);
    int clock = 0, left = 0;
    for (int i = 0; i < 2'000; ++i) {
      clock += below(50) == 0 ? below(61) - 30 : below(2);
      const Held one = held(i / 4 - below(below(4) == 0 ? 24 : 2), below(3), clock);
      ASSERT_EQ(lateness.add(one), plain.add(one)) << "seed " << seed << ", sample " << i;
      const bool by_time = below(20) == 0;
      while (true) {
        ASSERT_EQ(lateness.wake(), plain.wake()) << "seed " << seed << ", sample " << i;
        const Timestamp until = second(i / 4 - 10);
        const auto next = by_time ? lateness.next_until(until) : lateness.next(second(clock));
        ASSERT_EQ(sample_of(next), sample_of(by_time ? plain.next_until(until) : plain.next(second(clock))))
            << "seed " << seed << ", sample " << i;
        if (!next) break;
        ++left;
      }
    }
    EXPECT_GT(left, 500) << "seed " << seed;
  }
}

TEST(Lateness, OfOneTimeLeaveInTheOrderInWhichTheyCame) {
  Lateness lateness(seconds(10));
  for (const double value : {3.0, 1.0, 2.0, 1.0}) EXPECT_TRUE(lateness.add(held(5, value, 0)));
  EXPECT_TRUE(lateness.add(held(4, 9, 0)));
  std::vector<double> values;
  while (const auto next = lateness.next_until(second(5))) values.push_back(next->sample.value);
  EXPECT_EQ(values, (std::vector<double>{9, 3, 1, 2}));
}

TEST(Lateness, HoldsNoMoreThanItMay) {
  Lateness lateness(std::chrono::days(1));
  for (int i = 0; i <= static_cast<int>(Lateness::kMost); ++i) {
    EXPECT_FALSE(lateness.next(second(0))) << i;
    lateness.add(held(i, 0, 0));
  }
  const auto first = lateness.next(second(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sample.time, second(0));
  EXPECT_FALSE(lateness.next(second(0)));
}

}  // namespace
}  // namespace tidegate::rules
