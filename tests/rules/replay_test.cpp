// What a rule would have made of the past is what it makes of the present.

#include "rules/replay.h"

#include <algorithm>
#include <map>
#include <set>

#include "rules/message.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

constexpr const char* kSeries = "{d}/t";

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Of one series alone.
class Past : public Replay {
 public:
  explicit Past(const std::string& condition, std::vector<Interval> off = {}, SeriesInfo info = {})
      : Replay({rule(condition, kSeries)}, 0, "boiler/t", std::move(off)), info_(std::move(info)) {}
  void observe(std::span<const Sample> samples) {
    declare(SeriesId{0}, "boiler/t", info_, {}, samples.front().time);
    Replay::observe(SeriesId{0}, samples);
  }

 private:
  const SeriesInfo info_;
};

struct Source {
  std::string name;
  SeriesInfo info;
  std::vector<std::string> states;
};
using Story = std::vector<std::string>;

std::string told(const Firing& firing) {
  return fmt::format("{} to {} value {} {} suppressed '{}'", (firing.raised - kStart).count(),
                     firing.is_over ? (firing.ended - kStart).count() : -1, firing.value, firing.message,
                     firing.suppressed_by);
}

/// The very engine that runs live, with all rules, a sample at a time and a tick every millisecond: each time that an
/// alert was up, by the alert.
std::map<std::string, Story> live(const std::vector<Rule>& rules, const std::vector<Source>& sources,
                                  const std::vector<Sample>& samples, Timestamp until) {
  Engine engine(rules);
  Output out;
  Timestamp tick = samples.front().time;
  std::set<SeriesId> known;
  const auto tick_until = [&](Timestamp time) {
    for (; tick < time; tick += milliseconds(1)) engine.tick(tick, out);
  };
  for (const Sample& sample : samples) {
    tick_until(sample.time);
    const Source& source = sources[index(sample.series)];
    if (known.insert(sample.series).second)
      engine.declare(sample.series, source.name, source.info, source.states, sample.time, out);
    engine.observe({&sample, 1}, sample.time, out);
  }
  tick_until(until + milliseconds(1));
  std::map<std::string, std::vector<Firing>> up;
  for (const Event& event : out.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition == nullptr) continue;
    const AlertRecord& alert = transition->alert;
    const std::string& cause = transition->cause;
    auto& firings = up[alert.id];
    if (cause == "raised") {
      firings.push_back({event.time, event.time, false, alert.value, alert.message, alert.suppressed_by});
    } else if (cause == "unsuppressed") {
      firings.back().suppressed_by.clear();
    } else if (cause == "cleared" || cause == "returned") {
      firings.back().ended = event.time;
      firings.back().is_over = true;
    }
  }
  std::map<std::string, Story> stories;
  for (const auto& [id, firings] : up) {
    for (const Firing& firing : firings) stories[id].push_back(told(firing));
  }
  return stories;
}

Story replayed(const std::vector<Rule>& rules, std::size_t subject, const std::string& series,
               const std::vector<Source>& sources, const std::vector<Sample>& samples, Timestamp until) {
  Replay past(rules, subject, series, {});
  for (const Sample& sample : samples) {
    const Source& source = sources[index(sample.series)];
    past.declare(sample.series, source.name, source.info, source.states, sample.time);
    past.observe(sample.series, {&sample, 1});
  }
  past.finish(until);
  Story story;
  for (const Firing& firing : past.firings()) story.push_back(told(firing));
  return story;
}

/// Two devices with a value, a second one and a door; the second device comes later.
const std::vector<Source>& sources() {
  static const std::vector<Source> kSources = [] {
    const SeriesInfo number{SeriesKind::number, "", "", seconds(1), {}},
        state{SeriesKind::state, "", "", Micros{0}, {}};
    std::vector<Source> all;
    for (const char* device : {"a", "b"}) {
      const std::string name = device;
      all.push_back({name + "/v", number, {}});
      all.push_back({name + "/w", number, {}});
      all.push_back({name + "/door", state, {"closed", "open"}});
    }
    return all;
  }();
  return kSources;
}

std::vector<Sample> all_at_once(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::vector<Sample> all;
  for (std::uint32_t i = 0; i < sources().size(); ++i) {
    for (Sample sample : restless(seed * 100 + i, count)) {
      sample.series = SeriesId{i};
      if (i >= 3) sample.time += seconds(40);
      if (i % 3 == 2) {
        if (random() % 8 != 0) continue;
        sample.value = static_cast<double>(random() % 2);
      }
      if (random() % 30 == 0) sample.quality = Quality::bad;
      all.push_back(sample);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
  return all;
}

TEST(Replay, FindsWhatTheGatewayWouldHaveRaised) {
  const std::vector<Rule> all = rules(R"yaml([
      {name: high, series: "{d}/v", threshold: {above: 21, clear_below: 20}, for: 3s, clear_after: 2s},
      {name: silent, series: "{d}/v", absence: {for: 5s}},
      {name: stuck, series: "{d}/w", flatline: {for: 8s, tolerance: 0.5}},
      {name: jump, series: "{d}/w", change: {by: 3, within: 6s}, chatter: tell},
      {name: grades, series: "{d}/v", threshold: {above: {info: 20, warning: 22, critical: 24}, hysteresis: 1}, for: 2s},
      {name: owed, series: "{d}/v", threshold: {below: 18}, ack: required},
      {name: trip, series: "{d}/w", threshold: {above: 24}, latch: true},
      {name: low, series: "{d}/w", threshold: {below: 19}, suppressed_by: [high, dark]},
      {name: cold, series: "{d}/w", threshold: {below: 20}, suppressed_by: [silent]},
      {name: dark, series: "{d}/door", when: "door == open and v > 20", for: 1s},
      {name: both, series: "{d}/v", when: "value > 20 and w < 20 and a/v > 10", for: 1s},
      {name: mean, series: "{d}/w", when: {condition: "avg(value, 20s) > v or held(value > 22, 3s)", stale_after: 4s}},
      {name: most, series: "{d}/v", when: "count(+/v > 20) > 1 and value > avg({d}/+)", clear_after: 1s},
      {name: dead, series: "{d}/door", when: "age(v) > 3s or age(w) > 4s", suppressed_by: [silent]},
      {name: often, series: "{d}/door", count: {of: "door == open", more_than: 2, within: 15s}},
      {name: then, series: "{d}/v", sequence: {steps: ["door == open", "w > 20", "value > 20"], within: 10s}}])yaml");
  std::map<std::string, std::size_t> firings;
  std::size_t suppressed = 0;
  for (const std::uint64_t seed : {4u, 5u, 6u}) {
    const auto samples = all_at_once(seed, 2000);
    const Timestamp until = samples.back().time + minutes(1);
    auto expected = live(all, sources(), samples, until);
    for (std::size_t subject = 0; subject < all.size(); ++subject) {
      for (const Source& source : sources()) {
        if (!all[subject].series.matches(source.name)) continue;
        const Story story = replayed(all, subject, source.name, sources(), samples, until);
        EXPECT_EQ(story, expected[alert_id(all[subject], source.name)]) << all[subject].name << " seed " << seed;
        firings[all[subject].name] += story.size();
        for (const std::string& line : story) suppressed += line.ends_with("suppressed ''") ? 0 : 1;
      }
    }
  }
  for (const Rule& rule : all) EXPECT_GT(firings[rule.name], 0u) << rule.name;
  EXPECT_GT(suppressed, 0u);
}

TEST(Replay, ALevelThatIsTakenIsNoOtherTimeThatItIsUp) {
  Past past("threshold: {above: {warning: 20, critical: 30}}");
  const std::vector<Sample> samples{at(kStart, 25), at(kStart + seconds(1), 35), at(kStart + seconds(2), 25),
                                    at(kStart + seconds(9), 5)};
  past.observe(samples);
  past.finish(samples.back().time);
  ASSERT_EQ(past.firings().size(), 1u);
  EXPECT_EQ(past.firings()[0].ended - past.firings()[0].raised, seconds(9));
}

TEST(Replay, AValueFromBeforeItBeganIsKnown) {
  for (const bool told : {false, true}) {
    Replay past({rule("when: \"value > 5 and door == open\"", kSeries)}, 0, "boiler/t", {});
    const SeriesInfo state{SeriesKind::state, "", "", Micros{0}, {}};
    const std::vector<std::string> states{"closed", "open"};
    if (told) {
      past.declare(SeriesId{1}, "boiler/door", state, states, kStart);
      past.recall(SeriesId{1}, at(kStart - minutes(90), 1));
    }
    past.declare(SeriesId{0}, "boiler/t", {}, {}, kStart);
    const Sample sample = at(kStart, 9);
    past.observe(SeriesId{0}, {&sample, 1});
    EXPECT_EQ(past.firings().size(), told ? 1u : 0u);
  }
}

/// A clock that lags gives samples the times in which the gateway was off.
TEST(Replay, SamplesFromATimeWhenItWasOffLeaveTheRestOfItToCome) {
  std::vector<Sample> samples;
  for (int i = 0; i < 30; ++i) samples.push_back(at(kStart + seconds(i), 20));
  samples.push_back(at(kStart + seconds(33), 20));
  samples.push_back(at(kStart + seconds(60), 20));
  Past off("absence: {for: 20s}", {{kStart + seconds(30), kStart + seconds(40)}});
  Past on("absence: {for: 20s}");
  for (Past* one : {&on, &off}) {
    one->observe(samples);
    one->finish(samples.back().time);
  }
  EXPECT_EQ(on.firings().size(), 1u);
  EXPECT_TRUE(off.firings().empty());
}

/// Samples five minutes apart are no time in which nobody watched; the gateway was off where it says so.
TEST(Replay, KnowsSilenceFromTimesWhenTheGatewayWasOff) {
  std::vector<Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back(at(kStart + minutes(5 * i), 20));
  for (int i = 24; i < 36; ++i) samples.push_back(at(kStart + minutes(5 * i), 20));
  Past on("absence: {for: 11m}");
  on.observe(samples);
  on.finish(samples.back().time);
  ASSERT_EQ(on.firings().size(), 1u);
  EXPECT_EQ(on.firings()[0].raised, kStart + minutes(55 + 11));
  EXPECT_EQ(on.firings()[0].ended, kStart + minutes(120));
  Past off("absence: {for: 11m}", {{kStart + minutes(56), kStart + minutes(119)}});
  off.observe(samples);
  off.finish(samples.back().time);
  EXPECT_TRUE(off.firings().empty());
  EXPECT_TRUE(Past("absence: {for: 1s}").firings().empty());
}

TEST(Replay, ARestartOfSecondsIsNoSilenceEither) {
  std::vector<Sample> samples;
  for (int i = 0; i < 60; ++i) {
    if (i < 30 || i >= 42) samples.push_back(at(kStart + seconds(i), 20));
  }
  Past on("absence: {for: 5s}"), off("absence: {for: 5s}", {{kStart + seconds(30), kStart + seconds(41)}});
  for (Past* one : {&on, &off}) {
    one->observe(samples);
    one->finish(samples.back().time);
  }
  EXPECT_EQ(on.firings().size(), 1u);
  EXPECT_TRUE(off.firings().empty());
}

TEST(Replay, AnAlertThatIsStillUpEndsWhereTheReplayDoes) {
  Past past("threshold: {above: 5}");
  const Sample sample = at(kStart, 9);
  past.observe({&sample, 1});
  past.finish(kStart + minutes(3));
  ASSERT_EQ(past.firings().size(), 1u);
  EXPECT_FALSE(past.firings()[0].is_over);
  EXPECT_EQ(past.firings()[0].ended - past.firings()[0].raised, minutes(3));
  EXPECT_EQ(past.firings()[0].message, "boiler/t is at 9, limit 5");
}

TEST(Replay, SaysWhyARuleDoesNotWatchTheSeries) {
  Past past("threshold: {above: 5 bar}", {}, {SeriesKind::number, "°C", "", Micros{0}, {}});
  const Sample sample = at(kStart, 9);
  past.observe({&sample, 1});
  EXPECT_EQ(past.problem(), "boiler/t: its unit is °C, and the limit's bar does not convert to that");
  EXPECT_TRUE(past.firings().empty());
}

}  // namespace
}  // namespace tidegate::rules
