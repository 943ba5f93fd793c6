// Conditions in time, the clock on the wall, and that nothing depends on when one asks.

#include <cmath>

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

using std::chrono::days;

struct Event {
  Timestamp time;
  std::size_t input;
  double value;  ///< NaN: a failed read
};

/// Samples of `inputs` series at uneven times, some at one moment.
std::vector<Event> events(std::uint64_t seed, std::size_t inputs, int count) {
  std::mt19937_64 random(seed);
  std::vector<Event> all;
  Timestamp now = kStart;
  for (int i = 0; i < count; ++i) {
    if (random() % 6 != 0) now += milliseconds(random() % 30 == 0 ? random() % 400'000 : random() % 12'000);
    const double value =
        random() % 12 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(random() % 6);
    all.push_back({now, static_cast<std::size_t>(random() % inputs), value});
  }
  return all;
}

void observe(Program& made, const Event& event, Micros shift = Micros{0}) {
  made.observe(event.input, at(event.time + shift, std::isnan(event.value) ? 0 : event.value,
                               std::isnan(event.value) ? Quality::bad : Quality::good));
}

/// Of a condition: how it was from one moment to the next. The definition of was() and held(), word for word.
class Past {
 public:
  /// From `time` on it is `value`; at one moment the last word counts.
  void becomes(double value, Timestamp time) {
    if (!spans_.empty() && spans_.back().begin == time) {
      spans_.back().value = value;
    } else {
      spans_.push_back({time, value});
    }
  }
  /// Does it have this value at some moment of `now - width < t <= now`?
  bool has(double value, Micros width, Timestamp now) const {
    bool found = false;
    if (spans_.empty() || spans_.front().begin > now - width) found = std::isnan(value);  // before all
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      const bool ended_before = i + 1 < spans_.size() && spans_[i + 1].begin <= now - width;
      const bool same = std::isnan(value) ? std::isnan(spans_[i].value) : spans_[i].value == value;
      found = found || (same && !ended_before);
    }
    return found;
  }

 private:
  struct Piece {
    Timestamp begin;
    double value;
  };
  std::vector<Piece> spans_;
};

double above(double value) { return std::isnan(value) ? value : value > 2 ? 1 : 0; }

TEST(ExpressionTime, WasAndHeldAreWhatTheyAre) {
  const double kUnknown = std::numeric_limits<double>::quiet_NaN();
  int waked = 0;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    Program was = program("was(value > 2, 20s)"), held = program("held(value > 2, 20s)");
    Past past;
    const auto check = [&](Timestamp now) {
      const bool t = past.has(1, seconds(20), now), f = past.has(0, seconds(20), now),
                 u = past.has(kUnknown, seconds(20), now);
      ASSERT_EQ(shown(was.evaluate(now)), t ? "1" : u ? "unknown" : "0") << seed << ' ' << (now - kStart).count();
      ASSERT_EQ(shown(held.evaluate(now)), f ? "0" : u ? "unknown" : "1") << seed << ' ' << (now - kStart).count();
    };
    for (const Event& event : events(seed, 1, 1500)) {
      for (; was.wake() < event.time; ++waked) {
        const Timestamp wake = was.wake();
        ASSERT_EQ(wake, held.wake());
        check(wake - Micros{1});
        check(wake);
        if (HasFatalFailure()) return;
      }
      observe(was, event);
      observe(held, event);
      past.becomes(above(event.value), event.time);
      check(event.time);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(waked, 500);
}

TEST(ExpressionTime, HeldCountsFromTheFirstSample) {
  Program made = program("held(value > 5, 30s)");
  made.observe(0, at(kStart, 7));
  EXPECT_EQ(shown(made.evaluate(kStart)), "unknown") << "nobody knows what was before";
  EXPECT_EQ(made.wake(), kStart + seconds(30));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(30))), "1");
  made.observe(0, at(kStart + seconds(40), 3));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(40))), "0");
  made.observe(0, at(kStart + seconds(41), 7));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(71) - Micros{1})), "0");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(71))), "1");
}

TEST(ExpressionTime, WhatDidNotLastNeverWas) {
  Program made = program("was(value > other, 1m)");
  made.observe(0, at(kStart, 1));
  made.observe(1, at(kStart, 2));
  made.evaluate(kStart + seconds(61));
  made.observe(0, at(kStart + minutes(2), 5));
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(2))), "1") << "as far as it is known";
  made.observe(1, at(kStart + minutes(2), 6));
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(2))), "0") << "5 and 6 came at one moment";
}

TEST(ExpressionTime, ThenIsInOrder) {
  const Named states{{"door", input("", SeriesKind::state, {"closed", "open"})}, {"temp", input("°C")}};
  const auto run = [&](const std::vector<std::tuple<int, std::size_t, double>>& samples) {
    Program made = program("door == open then temp > 8 within 5m", states);
    std::string out;
    for (const auto& [minute, which, value] : samples) {
      made.observe(which, at(kStart + minutes(minute), value));
      out += shown(made.evaluate(kStart + minutes(minute))) + ' ';
    }
    return out;
  };
  const std::tuple<int, std::size_t, double> closed{-60, 0, 0}, cold{-50, 1, 4};
  EXPECT_EQ(run({closed, cold, {0, 0, 1}, {1, 0, 0}, {3, 1, 9}, {30, 1, 9}, {31, 1, 5}}), "unknown 0 0 0 1 1 0 ");
  EXPECT_EQ(run({closed, cold, {0, 0, 1}, {1, 0, 0}, {7, 1, 9}}), "unknown 0 0 0 0 ") << "too late";
  EXPECT_EQ(run({closed, cold, {0, 1, 9}, {1, 0, 1}, {2, 1, 10}}), "unknown 0 0 0 0 ") << "the other way round";
  EXPECT_EQ(run({closed, cold, {0, 0, 1}, {9, 1, 9}}), "unknown 0 0 1 ") << "it is open still";
  EXPECT_EQ(run({closed, cold, {0, 0, 1}, {0, 1, 9}}), "unknown 0 0 0 ") << "at one moment is not after";
}

TEST(ExpressionTime, AgeHasOneMoment) {
  for (const std::string text : {"age(value) > 5m", "5m < age(value)", "not age(value) <= 5 min"}) {
    Program made = program(text);
    EXPECT_FALSE(made.evaluate(kStart).known) << "it never spoke";
    made.observe(0, at(kStart, 1));
    made.observe(0, at(kStart + minutes(1), 0, Quality::bad));
    EXPECT_EQ(shown(made.evaluate(kStart + minutes(1))), "0");
    EXPECT_EQ(made.wake(), kStart + minutes(5) + Micros{1}) << text;
    EXPECT_EQ(shown(made.evaluate(kStart + minutes(5))), "0") << text;
    EXPECT_EQ(shown(made.evaluate(kStart + minutes(5) + Micros{1})), "1") << text;
    EXPECT_EQ(made.wake(), kNever);
  }
  Program made = program("age(value) >= 300 s");
  made.observe(0, at(kStart, 1));
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(5) - Micros{1})), "0");
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(5))), "1");
}

TEST(ExpressionTime, LastIsWhatCameLast) {
  Input slow = input();
  slow.stale_after = seconds(10);
  Program made = program("last(value)", {{"value", slow}});
  made.observe(0, at(kStart, 3));
  made.observe(0, at(kStart + seconds(1), 0, Quality::bad));
  EXPECT_EQ(shown(made.evaluate(kStart + hours(5))), "3");
}

/// Like Berlin in the year 2026: UTC+1, and +2 from 29 March 01:00 UTC to 25 October 01:00 UTC.
Micros berlin(Timestamp time) {
  using namespace std::chrono;
  constexpr sys_time<Micros> kSpring = sys_days{March / 29 / 2026} + hours(1),
                             kAutumn = sys_days{October / 25 / 2026} + hours(1);
  return time >= kSpring && time < kAutumn ? hours(2) : hours(1);
}

TEST(ExpressionTime, TheClockOnTheWall) {
  using namespace std::chrono;
  struct Wall {
    int hour, minute, weekday;
  };
  const auto wall = [](Timestamp time) {
    const Timestamp local = time + berlin(time);
    const auto day = floor<days>(local);
    return Wall{static_cast<int>(floor<hours>(local - day).count()),
                static_cast<int>(floor<minutes>(local - day).count() % 60),
                static_cast<int>(std::chrono::weekday(day).iso_encoding())};
  };
  for (const Timestamp begin : {Timestamp(sys_days{March / 27 / 2026}), Timestamp(sys_days{October / 23 / 2026})}) {
    Program hour = program("hour()", {}, berlin), weekday = program("weekday()", {}, berlin),
            night = program("between(22:15, 06:00)", {}, berlin), day = program("between(06:30, 24:00)", {}, berlin);
    for (Timestamp now = begin; now < begin + days(4); now += minutes(1)) {
      const Wall here = wall(now);
      const int of_day = here.hour * 60 + here.minute;
      ASSERT_EQ(hour.evaluate(now).value, here.hour);
      ASSERT_EQ(weekday.evaluate(now).value, here.weekday);
      ASSERT_EQ(night.evaluate(now).value, of_day >= 22 * 60 + 15 || of_day < 6 * 60 ? 1 : 0);
      ASSERT_EQ(day.evaluate(now).value, of_day >= 6 * 60 + 30 ? 1 : 0);
      ASSERT_GT(night.wake(), now);
    }
  }
}

/// Begun so long ago, and nothing since that answers it: as the definition says, at every sample and every wake.
TEST(ExpressionTime, MissedIsItsDefinition) {
  int missed = 0, answered = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed);
    Program made = program("missed(value > 0, other > 0, 10s)");
    struct Moment {
      Timestamp time;
      bool a, b;
      bool is_answered;  ///< b held, though it may not have lasted
    };
    std::vector<Moment> moments{{kStart, false, true, true}};
    made.observe(0, at(kStart, 0));
    made.observe(1, at(kStart, 1));
    const auto expected = [&](Timestamp now) {
      for (std::size_t i = 1; i < moments.size(); ++i) {
        if (!moments[i].a || moments[i - 1].a || moments[i].time > now - seconds(10)) continue;
        const bool is_answered = std::any_of(moments.begin() + static_cast<std::ptrdiff_t>(i), moments.end(),
                                             [](const Moment& moment) { return moment.is_answered; });
        if (!is_answered) return "1";
      }
      return "0";
    };
    Timestamp now = kStart + seconds(1);
    for (int i = 0; i < 300; ++i) {
      if (random() % 4 != 0) now += milliseconds(random() % 4000);
      for (; made.wake() < now;) {
        const Timestamp wake = made.wake();
        ASSERT_EQ(shown(made.evaluate(wake)), expected(wake)) << "seed " << seed << " wake before " << i;
      }
      if (now > moments.back().time) moments.push_back({now, moments.back().a, moments.back().b, false});
      const bool is_b = random() % 3 == 0;
      const bool holds = random() % (is_b ? 4 : 2) == 0;
      (is_b ? moments.back().b : moments.back().a) = holds;
      moments.back().is_answered |= moments.back().b;
      made.observe(is_b ? 1 : 0, at(now, holds ? 1 : 0));
      ASSERT_EQ(shown(made.evaluate(now)), expected(now)) << "seed " << seed << " sample " << i;
      ++(shown(made.evaluate(now)) == "1" ? missed : answered);
    }
  }
  EXPECT_GT(missed, 500);
  EXPECT_GT(answered, 500);
}

/// After a restart it says the same, or that it does not know any more: it was missed, or followed, long ago.
TEST(ExpressionTime, MissedIsNotMistakenAfterARestart) {
  constexpr auto kText = "missed(value > 0, other > 0, 10s)";
  int same = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    std::mt19937_64 random(seed);
    Program lasting = program(kText);
    std::vector<std::pair<std::size_t, Sample>> all;
    Timestamp now = kStart;
    for (int i = 0; i < 300; ++i) {
      now += milliseconds(1 + random() % 4000);
      const std::size_t input = random() % 3 == 0 ? 1 : 0;
      all.emplace_back(input, at(now, random() % (input == 1 ? 4 : 2) == 0 ? 1 : 0));
      lasting.observe(input, all.back().second);
      Program restarted = program(kText);
      for (const auto& [of, sample] : all) {
        if (sample.time > now - lasting.lookback()) restarted.observe(of, sample);
      }
      const Value one = lasting.evaluate(now), other = restarted.evaluate(now);
      if (!other.known) continue;
      ASSERT_EQ(shown(other), shown(one)) << "seed " << seed << " sample " << i;
      ++same;
    }
  }
  EXPECT_GT(same, 500);
}

TEST(ExpressionTime, MissedIsUnknownWhereItMayHaveFollowed) {
  Program made = program("missed(value > 0, other > 0, 10s)");
  made.observe(0, at(kStart, 1));
  made.observe(1, at(kStart, 0));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(20))), "unknown") << "nobody saw it begin";
  made.observe(0, at(kStart + seconds(21), 0));
  made.observe(0, at(kStart + seconds(22), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(31))), "unknown") << "what began before may be missed";
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(32))), "1");
  made.observe(1, at(kStart + seconds(33), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(33))), "0");
  made.observe(1, at(kStart + seconds(34), 0));
  made.observe(0, at(kStart + seconds(35), 0));
  made.observe(0, at(kStart + seconds(36), 1));
  Sample bad = at(kStart + seconds(37), 0);
  bad.quality = Quality::bad;
  made.observe(1, bad);
  made.observe(1, at(kStart + seconds(38), 0));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(45))), "0");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(50))), "unknown");
}

/// It began when it was seen first, and is missed; or long before, and has been followed.
TEST(ExpressionTime, MissedIsUnknownWhereItMayHaveBegunBeforeWhatFollows) {
  Program made = program("missed(value > 0, other > 0, 10s)");
  made.observe(1, at(kStart, 1));
  made.observe(1, at(kStart + seconds(1), 0));
  made.observe(0, at(kStart + seconds(2), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(11))), "0");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(12))), "unknown");
}

/// Hours and quarters of a day of the wall's clock, on the days that are 23 and 25 hours long.
TEST(ExpressionTime, WindowsTumbleWithTheLocalClock) {
  using namespace std::chrono;
  for (const Timestamp begin : {Timestamp(sys_days{March / 28 / 2026}), Timestamp(sys_days{October / 24 / 2026})}) {
    for (const auto& [text, width] :
         {std::pair{"each 1h", Micros(hours(1))}, {"each 6h", Micros(hours(6))}, {"each 24h", Micros(hours(24))}}) {
      Program made = program(fmt::format("count(value, {})", text), {}, berlin);
      int expected = 0;
      for (Timestamp now = begin; now < begin + days(4); now += minutes(10)) {
        const bool tumbles = (now + berlin(now)).time_since_epoch() % width == Micros{0};
        if (tumbles) {
          expected = 0;
          EXPECT_EQ(shown(made.evaluate(now)), "0");
        }
        made.observe(0, at(now, 1));
        ASSERT_EQ(made.evaluate(now).value, ++expected) << text << ' ' << (now - begin).count();
        ASSERT_GT(made.wake(), now);
      }
    }
  }
}

/// Since midnight of the wall's clock, on the days that are 23 and 25 hours long.
TEST(ExpressionTime, TheDayBeginsAtLocalMidnight) {
  using namespace std::chrono;
  for (const Timestamp begin : {Timestamp(sys_days{March / 28 / 2026}), Timestamp(sys_days{October / 24 / 2026})}) {
    Program made = program("count(value, since(midnight))", {}, berlin);
    int expected = 0;
    for (Timestamp now = begin; now < begin + days(4); now += minutes(10)) {
      if ((now + berlin(now)).time_since_epoch() % days(1) == Micros{0}) expected = 0;
      made.observe(0, at(now, 1));
      ASSERT_EQ(made.evaluate(now).value, ++expected) << (now - begin).count();
    }
    const Timestamp end = begin + days(4) - minutes(10);
    const Timestamp midnight = made.wake();
    EXPECT_EQ((midnight + berlin(midnight)).time_since_epoch() % days(1), Micros{0});
    EXPECT_GT(midnight, end);
    EXPECT_LE(midnight, end + days(1));
    EXPECT_EQ(shown(made.evaluate(midnight - Micros{1})), std::to_string(expected));
    EXPECT_EQ(shown(made.evaluate(midnight)), "0");
  }
}

const std::vector<std::string>& all_kinds() {
  static const std::vector<std::string> kAll{
      "value > 2 and other < 3",
      "held(value > other, 20s)",
      "was(value > other, 45s) or held(other > 2, 10s)",
      "value > 3 then other > 3 within 1m",
      "held(avg(value, 30s) > 2, 10s)",
      "avg(value - other, 1m) > 0",
      "max(avg(value, 20s), 1m) - min(other, 30s)",
      "age(value) > 20s or age(other) > 1m",
      "count(held(value > 1, 5s), 2m)",
      "twa(value, 1m) + integral(other, 30s)",
      "forecast(value, 1m, 2m) > 3",
      "quantile(value, 0.9, 1m) - median(other, 9 samples)",
      "ewma(value, 10s) + zscore(other, 1m)",
      "sum(if(value > 2, other, 0), 1m)",
      "coalesce(value, last(other), 7)",
      "between(22:14, 22:20) and value > 2",
      "season(value, 40s) - season(other, 150s)",
  };
  return kAll;
}

/// Asked at any other times and asked only when a moment is over: the same at the same time.
TEST(ExpressionTime, NothingDependsOnWhenOneAsks) {
  for (const std::string& text : all_kinds()) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      std::mt19937_64 random(seed);
      Input slow = input();
      slow.stale_after = seconds(15);
      Program often = program(text, {{"value", slow}}), seldom = program(text, {{"value", slow}});
      Timestamp asked = kStart;
      const auto all = events(seed, parsed(text).references().size(), 800);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const Event& event = all[i];
        for (; asked < event.time; asked += milliseconds(1 + random() % 5'000)) often.evaluate(asked);
        observe(often, event);
        observe(seldom, event);
        if (i + 1 < all.size() && all[i + 1].time == event.time) continue;
        if (random() % 2 == 0) often.evaluate(event.time);
        if (random() % 8 != 0) continue;
        ASSERT_EQ(often.evaluate(event.time), seldom.evaluate(event.time)) << text << " seed " << seed;
        ASSERT_EQ(often.wake(), seldom.wake()) << text << " seed " << seed;
      }
    }
  }
}

/// From one wake to the next the value stands still.
TEST(ExpressionTime, OnlyAWakeChangesItWithoutASample) {
  for (const std::string& text : all_kinds()) {
    Program made = program(text);
    for (const Event& event : events(5, parsed(text).references().size(), 200)) {
      while (made.wake() < event.time) {
        const Value before = made.evaluate(made.wake() - Micros{1});
        const Timestamp wake = made.wake();
        ASSERT_EQ(made.evaluate(wake - Micros{1}), before) << text;
        made.evaluate(wake);
        ASSERT_GT(made.wake(), wake) << text;
      }
      observe(made, event);
      made.evaluate(event.time);
    }
  }
}

TEST(ExpressionTime, IsTheSameAtAnotherTime) {
  for (const std::string& text : all_kinds()) {
    if (text.starts_with("between") || text.starts_with("season")) continue;  // of a clock
    Program now = program(text), then = program(text);
    const Micros shift = days(4321) + Micros{987'654};
    for (const Event& event : events(8, parsed(text).references().size(), 400)) {
      observe(now, event);
      observe(then, event, shift);
      const Value one = now.evaluate(event.time), other = then.evaluate(event.time + shift);
      ASSERT_EQ(one.known, other.known) << text;
      ASSERT_NEAR(one.value, other.value, 1e-9 * std::max(1.0, std::abs(one.value))) << text;
      if (now.wake() != kNever) {
        ASSERT_EQ(now.wake() + shift, then.wake()) << text;
      }
    }
  }
}

}  // namespace
}  // namespace tidegate::rules::expr
