// Patterns, whose members come by and by, and series that are seen later than the others.

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

const double kNone = std::numeric_limits<double>::quiet_NaN();

/// With a member for each value; NaN: it never spoke.
std::string of_members(std::string_view text, const std::vector<double>& values, const Input& each = input()) {
  Program made = program(text);
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto added = made.add_member(0, each);
    if (const auto* problem = std::get_if<Problem>(&added)) return problem->text;
    members.push_back(std::get<std::size_t>(added));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == values[i]) made.observe(members[i], at(kStart, values[i]));
  }
  return shown(made.evaluate(kStart));
}

TEST(ExpressionMembers, Conditions) {
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, 28}), "1");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, 25}), "0");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, kNone}), "unknown");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {25, kNone}), "0");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {}), "unknown");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {27, kNone}), "1");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {25, 25}), "0");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {25, kNone}), "unknown");
  EXPECT_EQ(of_members("count(room/+/t > 26)", {25, 27, 28, kNone}), "2");
  EXPECT_EQ(of_members("count(room/+/t > 26)", {kNone}), "unknown");
  EXPECT_EQ(of_members("count(room/+/t > 26) >= 3", {27, 28, 29}), "1");
}

TEST(ExpressionMembers, Numbers) {
  EXPECT_EQ(of_members("avg(room/+/t)", {1, 2, 6, kNone}), "3");
  EXPECT_EQ(of_members("min(room/+/t)", {1, 2, kNone}), "1");
  EXPECT_EQ(of_members("max(room/+/t)", {1, 2, kNone}), "2");
  EXPECT_EQ(of_members("sum(room/+/t)", {1, 2, kNone}), "3");
  EXPECT_EQ(of_members("sum(room/+/t)", {kNone}), "unknown");
  EXPECT_EQ(of_members("avg(room/+/t > 1)", {1, 2}), "0.5") << "the share for which it holds";
  EXPECT_EQ(of_members("max(room/+/t) - min(room/+/t)", {1, 2, 9}), "8");
}

TEST(ExpressionMembers, EachHasItsOwnWindow) {
  Program made = program("max(avg(room/+/t, 10s))");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 4));
  made.observe(one, at(kStart + seconds(1), 6));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "5");
  const std::size_t other = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(other, at(kStart + seconds(2), 9));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "9");
  EXPECT_EQ(made.wake(), kStart + seconds(10)) << "when the oldest sample leaves a member's window";
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(10))), "9");
  made.observe(other, at(kStart + seconds(13), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(13))), "1") << "the other one is empty";
}

TEST(ExpressionMembers, AWindowMayBeOverThemAll) {
  Program made = program("avg(sum(pump/+/flow), 10s)");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  const std::size_t other = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 4));
  made.observe(other, at(kStart + seconds(1), 2));
  made.observe(one, at(kStart + seconds(2), 1));
  EXPECT_NEAR(made.evaluate(kStart + seconds(2)).value, (4 + 6 + 3) / 3.0, 1e-12);
}

TEST(ExpressionMembers, WindowsTakeAMomentOnce) {
  Program made = program("sum(count(room/+/t > value, 1m)) + 100 * max(sum(room/+/t), 1m)");
  std::vector<std::size_t> members;
  for (int i = 0; i < 3; ++i) members.push_back(std::get<std::size_t>(made.add_member(0, input())));
  for (int poll = 1; poll <= 2; ++poll) {
    const Timestamp now = kStart + seconds(poll);
    for (int i = 0; i < 2; ++i) made.observe(members[static_cast<std::size_t>(i)], at(now, poll == 1 ? 5 : i));
    made.observe(1, at(now, 0.5));
  }
  made.observe(members[2], at(kStart + seconds(3), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(3))), "1004")
      << "4 times 1 is more: two in the first poll, one in the second, and one by itself; 10 is the most in sum";
}

TEST(ExpressionMembers, AUnitThatTheFirstOneLacksIsThatOfTheNext) {
  Program made = program("sum(+/power)");
  const std::size_t none = std::get<std::size_t>(made.add_member(0, input()));
  const std::size_t watts = std::get<std::size_t>(made.add_member(0, input("W")));
  const std::size_t kilowatts = std::get<std::size_t>(made.add_member(0, input("kW")));
  made.observe(none, at(kStart, 1));
  made.observe(watts, at(kStart, 500));
  made.observe(kilowatts, at(kStart, 2));
  EXPECT_EQ(shown(made.evaluate(kStart)), "2501");
  EXPECT_EQ(made.unit(), "W");
  const auto refused = made.add_member(0, input("bar"));
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text,
            "its unit is bar, which does not convert to that of the others of '+/power', W");
}

TEST(ExpressionMembers, TheBodyMayReadOthers) {
  Program made = program("count(room/+/t > value + 2) >= 1");
  ASSERT_EQ(parsed("count(room/+/t > value + 2) >= 1").references().size(), 2u);
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 25));
  EXPECT_EQ(shown(made.evaluate(kStart)), "unknown");
  made.observe(1, at(kStart, 22));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(1, at(kStart + seconds(1), 23));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0");
}

TEST(ExpressionMembers, UnitsConvertToTheFirstOnes) {
  Program made = program("avg(room/+/t) > 20 °C");
  const std::size_t celsius = std::get<std::size_t>(made.add_member(0, input("°C")));
  const std::size_t fahrenheit = std::get<std::size_t>(made.add_member(0, input("°F")));
  made.observe(celsius, at(kStart, 10));
  made.observe(fahrenheit, at(kStart, 88));  // 31.1 °C
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(fahrenheit, at(kStart + seconds(1), 84));  // 28.9 °C
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0");
  const auto refused = made.add_member(0, input("bar"));
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text,
            "its unit is bar, which does not convert to that of the others of 'room/+/t', °C");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0") << "all is as it was";
}

TEST(ExpressionMembers, TheFirstOneDoesNotTurnIntoWhatTheOthersDoNotConvertTo) {
  Program made = program("avg(room/+/t)");
  const std::size_t first = std::get<std::size_t>(made.add_member(0, input("°C")));
  const std::size_t second = std::get<std::size_t>(made.add_member(0, input("°F")));
  made.observe(first, at(kStart, 10));
  made.observe(second, at(kStart, 86));
  const auto refused = made.set(first, input("bar"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->text, "its unit is bar, which does not convert to that of the others of 'room/+/t', °F");
  const auto turned = made.set(first, input("", SeriesKind::boolean));
  ASSERT_TRUE(turned.has_value());
  EXPECT_EQ(turned->text, "it is a series of booleans, and the others of 'room/+/t' are of numbers");
  EXPECT_NEAR(made.evaluate(kStart).value, 20, 1e-9) << "all is as it was";
  EXPECT_FALSE(made.set(first, input("K")).has_value());
}

TEST(ExpressionMembers, AFirstOneThatDoesNotFitIsNone) {
  Program made = program("avg(room/+/t) > 20 °C");
  const auto refused = made.add_member(0, input("bar"));
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text, "'avg(room/+/t)' is in bar and '20 °C' in °C, which does not convert");
  ASSERT_TRUE(std::holds_alternative<std::size_t>(made.add_member(0, input("°C"))));
}

TEST(ExpressionMembers, StatesAreComparedByNameWhateverTheirCodes) {
  Program made = program("count(room/+/door == open)");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input("", SeriesKind::state, {"closed", "open"})));
  const std::size_t other =
      std::get<std::size_t>(made.add_member(0, input("", SeriesKind::state, {"ajar", "open", "closed"})));
  made.observe(one, at(kStart, 1));
  made.observe(other, at(kStart, 1));
  EXPECT_EQ(shown(made.evaluate(kStart)), "2");
  made.observe(other, at(kStart + seconds(1), 2));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "1");
  made.observe(other, at(kStart + seconds(2), 0));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "1");
}

TEST(ExpressionMembers, AGrownSetKeepsWhatWas) {
  Program growing = program("sum(avg(room/+/t, 1m)) + avg(value, 1m)");
  Program grown = program("sum(avg(room/+/t, 1m)) + avg(value, 1m)");
  std::vector<std::size_t> at_once;
  for (int i = 0; i < 5; ++i) at_once.push_back(std::get<std::size_t>(grown.add_member(0, input())));
  std::mt19937_64 random(4);
  std::vector<std::size_t> by_and_by;
  for (int i = 0; i < 500; ++i) {
    const Timestamp now = kStart + seconds(i);
    if (i % 50 == 0 && by_and_by.size() < 5) by_and_by.push_back(std::get<std::size_t>(growing.add_member(0, input())));
    const std::size_t who = random() % by_and_by.size();
    const auto value = static_cast<double>(random() % 100);
    growing.observe(by_and_by[who], at(now, value));
    grown.observe(at_once[who], at(now, value));
    growing.observe(1, at(now, -value));
    grown.observe(1, at(now, -value));
    ASSERT_EQ(growing.evaluate(now), grown.evaluate(now)) << i;
  }
}

TEST(ExpressionMembers, WhatWasNotSeenYetIsUnknown) {
  const Expression expression = parsed("value > 5 or pressure > 2 bar");
  auto made = bound(expression, {{"value", input()}});
  ASSERT_TRUE(std::holds_alternative<Program>(made));
  Program& one = std::get<Program>(made);
  one.observe(0, at(kStart, 1));
  EXPECT_EQ(shown(one.evaluate(kStart)), "unknown");
  one.observe(0, at(kStart + seconds(1), 7));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(1))), "1");
  ASSERT_FALSE(one.set(1, input("kPa")));
  one.observe(1, at(kStart + seconds(2), 201));
  one.observe(0, at(kStart + seconds(2), 1));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(2))), "1");
  const auto problem = one.set(1, input("°C"));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->text, "'pressure' is in °C and '2 bar' in bar, which does not convert");
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(2))), "1") << "all is as it was";
}

TEST(ExpressionMembers, ASeriesThatIsSeenLaterTakesNothingFromTheOthers) {
  const Expression expression = parsed("avg(value, 1m) > 5 and door != open");
  auto made = bound(expression, {{"value", input("°C")}});
  ASSERT_TRUE(std::holds_alternative<Program>(made));
  Program& one = std::get<Program>(made);
  one.observe(0, at(kStart, 9));
  one.observe(0, at(kStart + seconds(50), 3));
  ASSERT_FALSE(one.set(1, input("", SeriesKind::state, {"closed"})));
  one.observe(1, at(kStart + seconds(51), 0));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(51))), "1") << "9 is in the window still";
}

TEST(ExpressionMembers, TheirNumberIsBounded) {
  Program made = program("any(room/+/t > 1)");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(std::holds_alternative<std::size_t>(made.add_member(0, input())));
  EXPECT_TRUE(std::holds_alternative<Problem>(made.add_member(0, input())));
}

TEST(ExpressionMembers, WhatWasLargeOnceLeavesNoTraceInASum) {
  Program made = program("sum(room/+/t)");
  std::vector<std::size_t> members;
  for (int i = 0; i < 7; ++i) members.push_back(std::get<std::size_t>(made.add_member(0, input())));
  for (int round = 0; round < 50; ++round) {
    const Timestamp now = kStart + seconds(round);
    for (std::size_t i = 0; i < members.size(); ++i)
      made.observe(members[i], at(now, round % 2 == 0 && i == 3 ? 1e18 : 0.25));
    EXPECT_EQ(made.evaluate(now).value == 7 * 0.25, round % 2 == 1) << round;
  }
}

/// What aggregates come to, of the members' values looked at one by one.
class PlainMembers {
 public:
  std::optional<double> value(std::size_t i, Timestamp now) const {
    const auto& member = members_[i];
    return member.is_good && now - member.time < kStale ? std::optional(member.value) : std::nullopt;
  }
  std::string read(std::string_view fn, Timestamp now, double beyond) const {
    std::vector<double> values;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (const auto known = value(i, now)) values.push_back(*known);
    }
    const auto above = static_cast<std::size_t>(
        std::count_if(values.begin(), values.end(), [&](double value) { return value > beyond; }));
    const bool is_all_known = values.size() == members_.size();
    if (fn == "all" && above < values.size()) return "0";
    if (fn == "any" && above > 0) return "1";
    if (values.empty()) return "unknown";
    if (fn == "all") return is_all_known ? "1" : "unknown";
    if (fn == "any") return is_all_known ? "0" : "unknown";
    if (fn == "count") return std::to_string(above);
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    if (fn == "min") return shown({true, *std::min_element(values.begin(), values.end())});
    if (fn == "max") return shown({true, *std::max_element(values.begin(), values.end())});
    return shown({true, fn == "sum" ? sum : sum / static_cast<double>(values.size())});
  }
  void add() { members_.emplace_back(); }
  void observe(std::size_t i, const Sample& sample) {
    members_[i].is_good = sample.quality == Quality::good;
    if (members_[i].is_good) members_[i] = {true, sample.time, sample.value};
  }
  std::size_t size() const { return members_.size(); }

  static constexpr Micros kStale = seconds(40);

 private:
  struct Member {
    bool is_good = false;
    Timestamp time{};
    double value = 0;
  };
  std::vector<Member> members_;
};

/// Members that come by and by, go silent and come back; what they are compared with changes too. Whole numbers, whose
/// sums are exact in any order.
TEST(ExpressionMembers, AnAggregateIsThatOfTheValuesThatAllHaveNow) {
  const std::vector<std::pair<std::string, std::string>> all = {
      {"all", "all(room/+/t > value)"}, {"any", "any(room/+/t > value)"}, {"count", "count(room/+/t > value)"},
      {"sum", "sum(room/+/t)"},         {"avg", "avg(room/+/t)"},         {"min", "min(room/+/t)"},
      {"max", "max(room/+/t)"}};
  for (unsigned seed = 0; seed < 70; ++seed) {
    const auto& [fn, text] = all[seed % all.size()];
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return random() % n; };
    Program made = program(text);
    const bool compares = parsed(text).references().size() > 1;
    const std::size_t pattern = 0;
    PlainMembers plain;
    std::vector<std::size_t> inputs;
    Input each = input();
    each.stale_after = PlainMembers::kStale;
    double beyond = 50;
    Timestamp now = kStart;
    if (compares) made.observe(1, at(now, beyond));
    for (int i = 0; i < 600; ++i) {
      if (inputs.empty() || (inputs.size() < 1 + seed && below(10) == 0)) {
        inputs.push_back(std::get<std::size_t>(made.add_member(pattern, each)));
        plain.add();
      }
      now += seconds(below(40) == 0 ? 30 : below(3));
      if (compares && below(8) == 0) made.observe(1, at(now, beyond = static_cast<double>(below(100))));
      const std::size_t who = below(1 + below(inputs.size()));  // some seldom speak
      const Sample sample = at(now, static_cast<double>(below(100)), below(6) == 0 ? Quality::bad : Quality::good);
      made.observe(inputs[who], sample);
      plain.observe(who, sample);
      ASSERT_EQ(shown(made.evaluate(now)), plain.read(fn, now, beyond)) << text << ", seed " << seed << ", step " << i;
      const Timestamp later = now + seconds(below(5) == 0 ? below(50) : 0);
      ASSERT_EQ(shown(made.evaluate(later)), plain.read(fn, later, beyond))
          << text << ", seed " << seed << ", step " << i;
      now = later;
    }
  }
}

/// Time alone does nothing to it.
TEST(ExpressionMembers, AWindowOfSamplesOverThemAllIsKnownWhileTheyAre) {
  for (const char* text : {"avg(sum(room/+/t), 3 samples)", "rate(max(room/+/t), 2 samples)",
                           "cusum(avg(room/+/t), 1, 0)", "avg(sum(room/+/t) - value, 3 samples)"}) {
    Input each = input();
    each.stale_after = seconds(30);
    Program made = program(text);
    const bool has_own = parsed(text).references().size() > 1;
    const std::size_t one = std::get<std::size_t>(made.add_member(0, each));
    const std::size_t other = std::get<std::size_t>(made.add_member(0, each));
    Timestamp now = kStart;
    for (int i = 0; i < 4; ++i) {
      now += seconds(10);
      if (has_own) made.observe(1, at(now, 1));
      made.observe(one, at(now, i));
      if (i == 0) made.observe(other, at(now, 7));
      EXPECT_EQ(made.evaluate(now).known, i > 0 || !std::string_view(text).starts_with("rate")) << text << i;
    }
    EXPECT_TRUE(made.evaluate(now + seconds(29)).known) << text;
    EXPECT_FALSE(made.evaluate(now + seconds(30)).known) << text;
  }
}

/// Samples leave the windows of members that do not speak, whoever speaks and whenever somebody looks: as if all were
/// asked each time.
TEST(ExpressionMembers, WindowsOfThoseThatAreSilentEmptyWhileOthersSpeak) {
  for (const std::string_view of : {"avg({}, 20s)", "max({}, 20s)", "count({} > 50, 20s)", "slope({}, 20s)",
                                    "median({}, 20s)", "coalesce(sum({}, 20s), 0) + coalesce(min({}, 1m), 0)",
                                    "avg({}, 7 samples)", "rate({}, 20s)", "range({}, 20s) + stddev({}, 3 samples)"}) {
    const auto each = [of](std::string_view series) {
      std::string text(of);
      for (std::size_t at = 0; (at = text.find("{}", at)) != std::string::npos;) text.replace(at, 2, series);
      return text;
    };
    Input series = input();
    series.stale_after = seconds(45);
    Program members = program(fmt::format("sum({})", each("room/+/t")));
    Program by_name = program(fmt::format("(coalesce({}, 0) + coalesce({}, 0)) + (coalesce({}, 0) + coalesce({}, 0))",
                                          each("a"), each("b"), each("c"), each("d")),
                              {{"a", series}, {"b", series}, {"c", series}, {"d", series}});
    std::vector<std::size_t> inputs;
    for (int i = 0; i < 4; ++i) inputs.push_back(std::get<std::size_t>(members.add_member(0, series)));
    std::mt19937 random(7);
    Timestamp now = kStart;
    for (int i = 0; i < 3000; ++i) {
      now += milliseconds(random() % (i % 50 == 0 ? 90'000 : 3'000));
      const std::size_t one = random() % 4 * (random() % 8 == 0 ? 1 : random() % 2);
      const Sample sample = at(now, static_cast<double>(random() % 1000) / 10);
      members.observe(inputs[one], sample);
      by_name.observe(one, sample);
      const Value expected = by_name.evaluate(now), value = members.evaluate(now);
      ASSERT_EQ(value.known ? value.value : 0, expected.value) << each("{}") << " at sample " << i;
      ASSERT_EQ(members.wake(), by_name.wake()) << each("{}") << " at sample " << i;
      const Timestamp later = std::min(members.wake(), now + seconds(30));
      if (random() % 4 != 0 || later <= now) continue;
      now = later;
      const Value next = by_name.evaluate(now), next_value = members.evaluate(now);
      ASSERT_EQ(next_value.known ? next_value.value : 0, next.value) << each("{}") << " behind sample " << i;
    }
  }
}

}  // namespace
}  // namespace tidegate::rules::expr
