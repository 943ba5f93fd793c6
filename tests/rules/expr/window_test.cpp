#include "tests/rules/expr/oracle.h"

namespace tidegate::rules::expr {
namespace {

using oracle::Answer;
using oracle::Point;
using oracle::Points;
using oracle::Seen;

/// Values that walk, jump and stand still, at uneven times with gaps; some are equal, some come at one time.
Points restless(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> step(0, 1);
  Points points;
  Timestamp now = kStart;
  double value = 20;
  for (int i = 0; i < count; ++i) {
    now += milliseconds(random() % 50 == 0 ? random() % 200'000 : random() % 3'000);
    if (random() % 20 == 0) now = points.empty() ? now : points.back().time;
    if (random() % 3 != 0)
      value = std::round(8 * (value + (random() % 40 == 0 ? 10 * step(random) : step(random)))) / 8;
    points.push_back({now, value});
  }
  return points;
}

struct Extents {
  std::string text;
  Micros width;           ///< or 0
  std::size_t count = 0;  ///< or 0
  Micros of_day{-1};      ///< or -1
  Micros each{0};         ///< or 0
  Micros gap{0};          ///< of a session, or 0
};

/// Those of which each is less than `gap` after the one before, up to now, at most a day back: where they begin.
Timestamp session_edge(const Points& all, Micros gap, Timestamp now) {
  if (all.empty() || now - all.back().time >= gap) return now;
  std::size_t first = all.size() - 1;
  while (first > 0 && all[first].time - all[first - 1].time < gap) --first;
  return std::max(all[first].time - Micros{1}, now - hours(24));
}

Seen seen(const Points& all, const Extents& extent, Timestamp now) {
  Seen out;
  out.now = now;
  out.edge = Timestamp::min();
  if (extent.width > Micros{0}) out.edge = now - extent.width;
  if (extent.of_day >= Micros{0}) {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    out.edge =
        day + extent.of_day <= now ? day + extent.of_day - Micros{1} : day - hours(24) + extent.of_day - Micros{1};
  }
  if (extent.each > Micros{0})
    out.edge = Timestamp(now.time_since_epoch() / extent.each * extent.each) - Micros{1};  // the zone is UTC
  if (extent.gap > Micros{0}) out.edge = session_edge(all, extent.gap, now);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (extent.count > 0 && i + extent.count < all.size()) continue;
    if (all[i].time > out.edge) out.held.push_back(all[i]);
  }
  out.anchored = out.held;
  const std::size_t before = all.size() - out.held.size();
  Micros reach = extent.width > Micros{0} ? extent.width : hours(25);
  if (extent.each > Micros{0}) reach = extent.each + hours(1);
  if (extent.count == 0 && extent.gap == Micros{0} && before > 0 && all[before - 1].time > out.edge - reach)
    out.anchored.insert(out.anchored.begin(), all[before - 1]);
  const bool is_by_the_clock = extent.of_day >= Micros{0} || extent.each > Micros{0};
  out.stepped = is_by_the_clock ? out.anchored : out.held;
  if (is_by_the_clock) out.edge += Micros{1};
  return out;
}

std::string with(std::string text, const std::string& window) { return text.replace(text.find('W'), 1, window); }

void expect_near(const Value& value, const Answer& answer, const std::string& what) {
  ASSERT_EQ(value.known, answer.has_value()) << what;
  if (!answer) return;
  const auto wanted = static_cast<double>(*answer);
  ASSERT_NEAR(value.value, wanted, 1e-9 * std::max(1.0, std::abs(wanted))) << what;
}

/// At every sample, and at every moment at which the program wants to be asked.
TEST(ExpressionWindow, IsWhatItsDefinitionSays) {
  const std::vector<Extents> extents{{"1m", minutes(1)},
                                     {"10s", seconds(10)},
                                     {"7 samples", Micros{0}, 7},
                                     {"1 samples", Micros{0}, 1},
                                     {"since(22:20)", Micros{0}, 0, hours(22) + minutes(20)},
                                     {"each 1m", Micros{0}, 0, Micros{-1}, minutes(1)},
                                     {"each 2h", Micros{0}, 0, Micros{-1}, hours(2)},
                                     {"session 2s", Micros{0}, 0, Micros{-1}, Micros{0}, seconds(2)},
                                     {"session 1m", Micros{0}, 0, Micros{-1}, Micros{0}, minutes(1)}};
  int compared = 0, waked = 0;
  for (const auto& [text, definition] : oracle::definitions()) {
    for (const Extents& extent : extents) {
      for (const std::uint64_t seed : {1, 2}) {
        const std::string expression = with(text, extent.text);
        Program made = program(expression);
        Points all;
        for (const Point& point : restless(seed, 400)) {
          for (; made.wake() < point.time; ++waked) {
            const Timestamp wake = made.wake();
            const Value value = made.evaluate(wake);
            ASSERT_GT(made.wake(), wake) << expression;
            expect_near(value, definition(seen(all, extent, wake)),
                        fmt::format("{} seed {} wake after {}", expression, seed, all.size()));
            if (HasFatalFailure()) return;
          }
          all.push_back(point);
          made.observe(0, at(point.time, point.value));
          expect_near(made.evaluate(point.time), definition(seen(all, extent, point.time)),
                      fmt::format("{} seed {} sample {}", expression, seed, all.size()));
          if (HasFatalFailure()) return;
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 50'000);
  EXPECT_GT(waked, 5'000);
}

TEST(ExpressionWindow, AnEmptyOneIsUnknownAndDoesNotWake) {
  for (const auto& [text, definition] : oracle::definitions()) {
    Program made = program(with(text, text.starts_with("a") ? "1m" : "session 1m"));
    made.observe(0, at(kStart, 7));
    made.observe(0, at(kStart + seconds(1), 8));
    const Value later = made.evaluate(kStart + hours(1));
    EXPECT_EQ(shown(later), text.starts_with("count") ? "0" : "unknown") << text;
    EXPECT_EQ(made.wake(), kNever) << text;
  }
}

TEST(ExpressionWindow, Ewma) {
  Program made = program("ewma(value, 10s)");
  made.observe(0, at(kStart, 1));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(0, at(kStart + seconds(10), 2));
  EXPECT_NEAR(made.evaluate(kStart + seconds(10)).value, 2 - std::exp(-1), 1e-12);
  Program by_number = program("ewma(value, 3 samples)");
  by_number.observe(0, at(kStart, 1));
  by_number.observe(0, at(kStart + seconds(1), 2));
  EXPECT_DOUBLE_EQ(by_number.evaluate(kStart + seconds(1)).value, 1.5);
}

TEST(ExpressionWindow, ZscoreIsAmongThoseBefore) {
  Program made = program("zscore(value, 1m)");
  int second = 0;
  for (const double value : {1.0, 3.0}) made.observe(0, at(kStart + seconds(second++), value));
  EXPECT_FALSE(made.evaluate(kStart + seconds(1)).known);
  made.observe(0, at(kStart + seconds(2), 5));
  EXPECT_DOUBLE_EQ(made.evaluate(kStart + seconds(2)).value, 3);
  made.observe(0, at(kStart + seconds(3), 3));
  EXPECT_DOUBLE_EQ(made.evaluate(kStart + seconds(3)).value, 0);
}

TEST(ExpressionWindow, Cusum) {
  Program made = program("cusum(value, 20 °C, 0.5 °C)", {{"value", input("°C")}});
  int second = 0;
  std::vector<std::string> sums;
  for (const double value : {21.0, 21.0, 19.0, 15.0, 22.0}) {
    made.observe(0, at(kStart + seconds(second), value));
    sums.push_back(shown(made.evaluate(kStart + seconds(second++))));
  }
  EXPECT_EQ(sums, (std::vector<std::string>{"0.5", "1", "0", "0", "1.5"}));
}

/// Nothing leaves it in time: it would say for ever what a series said that is dead.
TEST(ExpressionWindow, ThatTimeAloneDoesNothingToIsUnknownWhileItsSeriesIsStale) {
  for (const char* text :
       {"avg(value, 3 samples)", "rate(value, 2 samples)", "max(value, 3 samples)", "median(value, 3 samples)",
        "count(value, 2 samples)", "ewma(value, 10m)", "cusum(value, 1, 0)", "avg(max(value, 2 samples), 3 samples)"}) {
    Input series = input();
    series.stale_after = seconds(30);
    Program made = program(text, {{"value", series}});
    Timestamp now = kStart;
    const auto come = [&] {
      for (const double value : {1, 2, 4}) made.observe(0, at(now += seconds(10), value));
    };
    come();
    const Value before = made.evaluate(now);
    EXPECT_TRUE(before.known) << text;
    made.observe(0, at(now + seconds(10), 0, Quality::bad));  // which is none of its samples, and no news
    EXPECT_EQ(shown(made.evaluate(now + seconds(10))), shown(before)) << text;
    EXPECT_EQ(made.wake(), now + seconds(30)) << text;
    EXPECT_FALSE(made.evaluate(now + seconds(30)).known) << text;
    EXPECT_EQ(made.wake(), kNever) << text;
    now += seconds(50);
    come();
    EXPECT_TRUE(made.evaluate(now).known) << text;
  }
}

TEST(ExpressionWindow, OfSoManySamplesOfTwoSeriesIsUnknownWhileOneIsStale) {
  Input quick = input();
  quick.stale_after = seconds(30);
  Program made = program("avg(value - other, 2 samples)", {{"value", input()}, {"other", quick}});
  for (int i = 0; i < 2; ++i) {
    made.observe(1, at(kStart + seconds(i), 1));
    made.observe(0, at(kStart + seconds(i), 3));
  }
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(30))), "2");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(31))), "unknown");
}

TEST(ExpressionWindow, TakesAnyExpressionAndOtherWindows) {
  Program made = program("avg(value - other, 10s)");
  made.observe(0, at(kStart, 7));
  EXPECT_FALSE(made.evaluate(kStart).known) << "the other one is unknown yet";
  made.observe(1, at(kStart + seconds(1), 2));
  made.observe(0, at(kStart + seconds(2), 10));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "6.5") << "5 when the other came, 8 by now";

  Program together = program("count(value - other > 5, 10s) + max(value - avg(other, 1s), 10s) / 100");
  for (int i = 0; i < 3; ++i) {
    together.observe(0, at(kStart + seconds(i), 10 * i));
    together.observe(1, at(kStart + seconds(i), 10 * i - 6));
  }
  EXPECT_EQ(shown(together.evaluate(kStart + seconds(2))), "3.06") << "once for each moment, of all its samples";

  Program nested = program("max(avg(value, 2s), 10s)");
  for (int i = 0; i < 6; ++i) nested.observe(0, at(kStart + seconds(i), i < 3 ? 2 * i : 0));
  EXPECT_EQ(shown(nested.evaluate(kStart + seconds(5))), "3") << "0, 1, 3, 2, 0, 0";
}

TEST(ExpressionWindow, AreasHaveTheUnitsThatPeopleUse) {
  const auto unit_and_value = [](const std::string& unit) {
    Program made = program("integral(value, 2h)", {{"value", input(unit)}});
    made.observe(0, at(kStart, 6));
    return fmt::format("{} {}", shown(made.evaluate(kStart + hours(1))), made.unit());
  };
  EXPECT_EQ(unit_and_value("kW"), "6 kWh");
  EXPECT_EQ(unit_and_value("L/min"), "360 L");
  EXPECT_EQ(unit_and_value("A"), "6 Ah");
  EXPECT_EQ(unit_and_value("m³/h"), "6 m³");
  EXPECT_EQ(unit_and_value("bar"), "21600 bar·s");
}

TEST(ExpressionWindow, KeepsADenseOneBounded) {
  Program made = program("avg(value, 1h) + median(value, 1h)");
  for (int i = 0; i < 100'000; ++i) made.observe(0, at(kStart + milliseconds(10 * i), 5));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1000))), "10");
}

TEST(ExpressionWindow, LookbackSuffices) {
  for (const auto& [text, definition] : oracle::definitions()) {
    for (const std::string window : {"20s", "each 15s", "session 2s"}) {
      const std::string expression = with(text, window);
      Program lasting = program(expression);
      const Micros lookback = lasting.lookback();
      Points all;
      for (const Point& point : restless(9, 150)) {
        all.push_back(point);
        lasting.observe(0, at(point.time, point.value));
        Program restarted = program(expression);
        for (const Point& old : all) {
          if (old.time > point.time - lookback) restarted.observe(0, at(old.time, old.value));
        }
        const Value one = lasting.evaluate(point.time), other = restarted.evaluate(point.time);
        ASSERT_EQ(one.known, other.known) << expression << all.size();
        ASSERT_NEAR(one.value, other.value, 1e-9 * std::max(1.0, std::abs(one.value))) << expression << all.size();
      }
    }
  }
}

}  // namespace
}  // namespace tidegate::rules::expr
