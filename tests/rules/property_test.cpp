// What must hold for any rules and any samples: seeded, and the seed is in every message.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>

#include "gateway/config/load.h"
#include "rules/engine.h"

namespace tidegate::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kStart{seconds(1'700'000'000)};
constexpr std::size_t kSeries = 4;

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = [] {
    const std::string yaml = R"yaml([
      {name: high, series: "{d}/v", threshold: {above: 60, clear_below: 50}, for: 4s, clear_after: 3s},
      {name: spike, series: "{d}/v", threshold: {above: 90}, ack: required},
      {name: owed, series: "{d}/v", threshold: {below: 30, clear_above: 35}, for: 2s, clear_after: 2s, ack: required, good_only: true},
      {name: range, series: "{d}/v", threshold: {outside: [20, 80], hysteresis: 5}},
      {name: rising, series: "{d}/v", trend: {rising: 100 /min, over: 15s}, for: 2s},
      {name: falling, series: "{d}/v", trend: {falling: 2 /s, over: 20s, min_points: 5, clear_below: 0.5 /s}, clear_after: 5s},
      {name: firm, series: "{d}/v", trend: {rising: 1 /s, over: 20.0005s, robust: true}, clear_after: 1s},
      {name: soon, series: "{d}/v", forecast: {above: 95, within: 10s, from: 12s}, for: 1s},
      {name: jump, series: "{d}/v", change: {by: 30, within: 5s}, clear_after: 1s},
      {name: drop, series: "{d}/v", change: {falls_by: 40 %, within: 8s}, ack: required},
      {name: fast, series: "{d}/v", change: {rate_above: 5 /s}, clear_after: 1s},
      {name: slow, series: "{d}/v", change: {rate_below: 0.1 /s, within: 6s}, for: 1s},
      {name: odd, series: "{d}/v", deviation: {sigmas: 2.5, over: 30s, min_points: 8}},
      {name: far, series: "{d}/v", deviation: {percent: 60, over: 20s, min_points: 5, robust: true}, for: 1s},
      {name: moved, series: "{d}/v", shift: {over: 45s}},
      {name: stuck, series: "{d}/v", flatline: {for: 7s, tolerance: 1}, clear_after: 2s},
      {name: frozen, series: "{d}/v", flatline: {for: 3s}, ack: required, good_only: true},
      {name: unlike, series: "d0/v", anomaly: {sensitivity: 0.1, season: 40.001s}},
      {name: silent, series: "{d}/v", absence: {for: 6s}, clear_after: 2s},
      {name: mute, series: "{d}/v", absence: {for: 3s}, ack: required, good_only: true},
      {name: gone, series: "{d}/v", absence: {}},
      {name: grades, series: "{d}/v", threshold: {above: {info: 55, warning: 70, critical: 85}, hysteresis: 4}, for: 2s, clear_after: 3s},
      {name: low, series: "{d}/v", threshold: {below: {high: 45, critical: 25}}, ack: required},
      {name: trip, series: "{d}/v", threshold: {above: 75}, latch: true},
      {name: told, series: "{d}/v", threshold: {below: 40}, chatter: tell, suppressed_by: [range]},
      {name: patient, series: "{d}/v", threshold: {above: 60, clear_below: 50}, for: 4s, clear_after: 3s, allowed_lateness: 3s},
      {name: waits, series: "{d}/v", absence: {for: 5s}, allowed_lateness: 2s},
      {name: aligned, series: "{d}/v", when: "avg(value, 10s) > 55 and d0/v < 60", clear_after: 1s, allowed_lateness: 4s},
      {name: both, series: "{d}/v", when: "value > 60 and d0/v < 50", for: 1s},
      {name: mean, series: "{d}/v", when: "avg(value, 20s) > 55 or held(value > 70, 3s)", clear_after: 2s},
      {name: unusual, series: "d1/v", when: "value - season(value, 40.001s) > 20", clear_after: 1s},
      {name: unanswered, series: "{d}/v", when: "missed(value > 60, d0/v > 50, 3s)"},
      {name: old, series: "d3/v", when: "age(d0/v) > 2s and value > 45"},
      {name: burst, series: "{d}/v", count: {of: "value > 50", more_than: 3, window: session, gap: 1s}},
      {name: most, series: "{d}/v", when: "count(+/v > 50) > 1 and value > 40"},
      {name: hushed, series: "{d}/v", threshold: {above: 45}, chatter: tell, suppress_when: "held(d0/v > 50, 2s) or d1/v < 40"},
      {name: spared, series: "{d}/v", threshold: {below: 55, hysteresis: 10}, chatter: tell, suppressed_by: [range], suppress_when: "count(+/v > 60) > 1"},
      {name: pardoned, series: "{d}/v", when: "d2/v > 45 and value < 60", chatter: tell, suppress_when: "held(value < 50, 3s) and was(d3/v > 55, 4s)"}])yaml";
    config::Problems problems;
    config::Node node = config::parse(yaml, "rules.yaml", ".", config::References::system(), problems);
    config::check(node, config::Shape::list(rule_shape()), problems);
    auto compiled = parse_rules(node, problems);
    EXPECT_EQ(problems.text(), "");
    return compiled;
  }();
  return kRules;
}

/// Of the rule that has one: a shift by whole seasons shows nowhere.
constexpr Micros kSeason = milliseconds(40'001);

/// A walk that wanders over all limits, with failed reads, silences, sensors that are stuck,
/// late and repeated samples.
std::vector<Sample> random_samples(std::mt19937_64& random, int count) {
  std::vector<Sample> samples;
  std::vector<double> values(kSeries, 50);
  Timestamp now = kStart;
  for (std::uint32_t i = 0; i < kSeries; ++i) samples.push_back({SeriesId{i}, Quality::good, Reason::none, now, 50});
  std::normal_distribution<double> walk(0, 6);
  std::vector<Timestamp> silent_until(kSeries), stuck_until(kSeries);
  for (int i = 0; i < count; ++i) {
    now += milliseconds(1 + random() % 700);
    const std::size_t series = random() % kSeries;
    if (random() % 40 == 0) silent_until[series] = now + seconds(2 + random() % 12);
    if (now < silent_until[series]) continue;
    if (random() % 40 == 0) stuck_until[series] = now + seconds(2 + random() % 20);
    if (now >= stuck_until[series]) values[series] = std::clamp(values[series] + walk(random), 0.0, 100.0);
    Sample sample{SeriesId{static_cast<std::uint32_t>(series)}, Quality::good, Reason::none, now, values[series]};
    switch (random() % 25) {
      case 0:
        sample = {sample.series, Quality::bad, Reason::no_answer, now, 0};
        break;
      case 1:
        sample.quality = Quality::uncertain;
        sample.reason = random() % 2 == 0 ? Reason::retained : Reason::clock;
        break;
      case 2:
        sample.time -= seconds(random() % 5);
        break;
      case 3:
        if (!samples.empty()) samples.push_back(samples.back());
        break;
      default:
        break;
    }
    samples.push_back(sample);
  }
  return samples;
}

/// When a sample arrives: times of late ones do not go back.
std::vector<Timestamp> arrivals(const std::vector<Sample>& samples) {
  std::vector<Timestamp> times;
  Timestamp now = kStart;
  for (const Sample& sample : samples) times.push_back(now = std::max(now, sample.time));
  return times;
}

/// The gateway as far as the engine sees it: what it announced, and what the journal would keep.
class Gateway {
 public:
  /// The story is told from `zero` on.
  explicit Gateway(Timestamp zero = kStart, const std::vector<Rule>& of = rules()) : zero_(zero), rules_(of) {
    boot(kStart);
  }

  void observe(std::span<const Sample> samples, Timestamp now) {
    Output out;
    engine_->observe(samples, now, out);
    for (const Sample& sample : samples) history_.push_back({now, sample});
    take(out);
  }
  void tick(Timestamp now) {
    Output out;
    engine_->tick(now, out);
    take(out);
  }
  void acknowledge(Timestamp now) {
    if (records_.empty()) return;
    Output out;
    engine_->acknowledge({records_.begin()->first, "Ada", ""}, now, out);
    take(out);
  }
  const std::optional<Flood>& flood() const { return engine_->flood(); }
  const std::vector<std::string>& floods() const { return floods_; }
  void restart(Timestamp now) {
    const std::optional<Flood> before = flood();
    boot(now);
    std::vector<AlertRecord> records;
    for (const auto& [id, record] : records_) records.push_back(record);
    Output out;
    Timestamp from = now - std::max(Engine::kToldFor, engine_->lookback(now));
    if (before) from = std::min(from, before->since - Micros{1});
    std::erase_if(told_, [from](const Event& event) { return event.time <= from; });
    engine_->told(told_);
    engine_->restore(records, now, out);
    EXPECT_TRUE(out.events.empty() && out.alerts.empty());
    EXPECT_EQ(flood(), before);
    std::map<SeriesId, Sample> latest;
    for (const auto& [arrived, sample] : history_) {
      if (arrived > now - engine_->lookback(now)) engine_->warm({&sample, 1}, arrived);
      const auto [found, is_new] = latest.emplace(sample.series, sample);
      if (!is_new && sample.time >= found->second.time) found->second = sample;
    }
    for (const auto& [id, sample] : latest) engine_->warm({&sample, 1});
  }

  std::uint64_t late() const { return engine_->late_samples(); }

  /// Time, alert and cause of every announced transition, in order; then the same of every change of phase.
  std::vector<std::string> story() const {
    std::vector<std::string> all = announced_;
    all.insert(all.end(), changes_.begin(), changes_.end());
    return all;
  }

 private:
  void boot(Timestamp now) {
    engine_ = std::make_unique<Engine>(rules_);
    Output out;
    for (std::uint32_t i = 0; i < kSeries; ++i)
      engine_->declare(SeriesId{i}, "d" + std::to_string(i) + "/v", {}, {}, now, out);
  }
  void take(const Output& out) {
    for (const Event& event : out.events) {
      told_.push_back(event);
      if (const auto* flood = std::get_if<Flood>(&event.body)) {
        floods_.push_back(fmt::format("{} flood {} {} {} {}", (event.time - zero_).count(), flood->on,
                                      (flood->since - zero_).count(), flood->first, flood->count));
        continue;
      }
      const auto& transition = std::get<AlertTransition>(event.body);
      announced_.push_back(
          fmt::format("{} {} announced {}", (event.time - zero_).count(), transition.alert.id, transition.cause));
    }
    for (const AlertRecord& record : out.alerts) {
      changes_.push_back(fmt::format("{} {} {} {} {} {} {} {}", (record.since - zero_).count(), record.id,
                                     name(record.phase), record.acknowledged, name(record.severity),
                                     name(record.heading), record.chatter, record.suppressed_by));
      records_.erase(record.id);
      if (!over(record)) records_[record.id] = record;
    }
  }

  const Timestamp zero_;
  const std::vector<Rule>& rules_;
  std::unique_ptr<Engine> engine_;
  struct Stored {
    Timestamp arrived;
    Sample sample;
  };
  std::vector<Stored> history_;
  std::map<std::string, AlertRecord> records_;
  std::vector<Event> told_;
  std::vector<std::string> announced_, changes_, floods_;
};

/// Ticks and acknowledgements at fixed moments, samples in batches of at most `batch` between them.
std::vector<std::string> play(const std::vector<Sample>& samples, std::size_t batch, int restart_in = 0,
                              std::uint64_t seed = 0) {
  Gateway gateway;
  std::mt19937_64 random(seed);
  const auto times = arrivals(samples);
  Timestamp tick = kStart;
  int ticks = 0;
  std::vector<Sample> pending;
  const auto flush = [&] {
    for (std::size_t i = 0; i < pending.size(); i += batch) {
      gateway.observe(std::span(pending).subspan(i, std::min(batch, pending.size() - i)), tick);
      if (restart_in > 0 && random() % static_cast<unsigned>(restart_in) == 0) gateway.restart(tick - milliseconds(1));
    }
    pending.clear();
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    while (tick < times[i]) {
      flush();
      gateway.tick(tick);
      if (++ticks % 64 == 0) gateway.acknowledge(tick);
      if (restart_in > 0 && random() % static_cast<unsigned>(restart_in) == 0) gateway.restart(tick);
      tick += milliseconds(250);
    }
    pending.push_back(samples[i]);
  }
  flush();
  auto story = gateway.story();
  story.insert(story.end(), gateway.floods().begin(), gateway.floods().end());
  return story;
}

/// The first line in which two stories differ; empty: they are the same.
std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() && y == b.end()) return "";
  return fmt::format("line {}: '{}' against '{}'", x - a.begin(), x == a.end() ? "end" : *x, y == b.end() ? "end" : *y);
}

class Property : public testing::TestWithParam<int> {
 protected:
  std::uint64_t seed() const { return static_cast<std::uint64_t>(GetParam()) * 7919 + 17; }
};

TEST_P(Property, BatchBoundariesDoNotShow) {
  std::mt19937_64 random(seed());
  const auto samples = random_samples(random, 4000);
  const auto story = play(samples, 1);
  for (const Rule& rule : rules()) {
    const auto told = [&](const std::string& line) { return line.find(' ' + rule.name) != std::string::npos; };
    ASSERT_TRUE(std::any_of(story.begin(), story.end(), told)) << "nothing of " << rule.name << "; seed " << seed();
  }
  for (const std::size_t batch : {2u, 7u, 4096u})
    EXPECT_EQ(difference(play(samples, batch), story), "") << "seed " << seed() << " batch " << batch;
}

/// As long as none comes later than the one before, it does not matter how often somebody looks (what was pushed is
/// seen before the clock speaks, and how long it waited is known), nor how far behind the devices' clocks are.
TEST_P(Property, NeitherABeatNorAClockThatLagsShows) {
  std::mt19937_64 random(seed());
  auto samples = random_samples(random, 2000);
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
  const auto run = [&](Micros every, Micros lag) {
    Gateway gateway(kStart - lag);
    std::size_t seen = 0;
    for (Timestamp now = kStart; now < samples.back().time + seconds(90); now += every) {
      std::vector<Sample> batch;
      for (; seen < samples.size() && samples[seen].time <= now; ++seen) {
        batch.push_back(samples[seen]);
        batch.back().time -= lag;
      }
      gateway.observe(batch, now);
      gateway.tick(now);
    }
    auto story = gateway.story();
    std::sort(story.begin(), story.end());
    return story;
  };
  const auto story = run(milliseconds(100), Micros{0});
  ASSERT_GT(story.size(), 100u) << "nothing to compare; seed " << seed();
  for (const Micros every : {Micros{milliseconds(20)}, Micros{seconds(1)}, Micros{seconds(10)}}) {
    for (const Micros lag : {Micros{0}, kSeason, kSeason * 15'000'000})
      EXPECT_EQ(difference(run(every, lag), story), "")
          << "seed " << seed() << " every " << every.count() << " lag " << lag.count();
  }
}

/// What comes in another order, but not later than allowed, makes no difference.
TEST_P(Property, AnOrderWithinTheAllowedLatenessDoesNotShow) {
  constexpr Micros kAllowed = seconds(3);
  std::vector<Rule> patient = rules();
  for (Rule& rule : patient) rule.allowed_lateness = kAllowed;
  std::mt19937_64 random(seed());
  auto samples = random_samples(random, 2000);
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
  for (std::size_t i = 1; i < samples.size(); ++i)
    samples[i].time = std::max(samples[i].time, samples[i - 1].time + Micros{1});
  struct Arrival {
    Timestamp at;
    Sample sample;
  };
  const auto run = [&](Micros most) {
    std::vector<Arrival> all;
    for (const Sample& sample : samples) {
      const Micros delay{
          most == Micros{0} ? 0 : static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count()))};
      all.push_back({sample.time + delay, sample});
    }
    std::stable_sort(all.begin(), all.end(), [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    Gateway gateway(kStart, patient);
    std::size_t seen = 0;
    for (Timestamp now = kStart; now < samples.back().time + seconds(90); now += milliseconds(250)) {
      for (; seen < all.size() && all[seen].at <= now; ++seen) gateway.observe({&all[seen].sample, 1}, all[seen].at);
      gateway.tick(now);
    }
    EXPECT_EQ(gateway.late(), 0u);
    auto story = gateway.story();
    // Which of two alerts was known first, when one explains the other, is of the order in which they are looked at.
    std::erase_if(story, [](const std::string& line) {
      return line.find(" announced ") == std::string::npos || line.find("suppressed") != std::string::npos;
    });
    std::sort(story.begin(), story.end());
    return story;
  };
  const auto story = run(Micros{0});
  ASSERT_GT(story.size(), 100u) << "nothing to compare; seed " << seed();
  EXPECT_EQ(difference(run(kAllowed), story), "") << "seed " << seed();
  EXPECT_EQ(difference(run(kAllowed / 10), story), "") << "seed " << seed();
}

/// What is told of rules that wait for late samples, in order of time; and all else. After a restart they may be looked
/// at once more, which shows in nothing that is told.
std::pair<std::vector<std::string>, std::vector<std::string>> apart(std::vector<std::string> story) {
  const auto waits = [](const std::string& line) {
    return std::any_of(rules().begin(), rules().end(), [&](const Rule& rule) {
      return rule.allowed_lateness > Micros{0} && line.find(' ' + rule.name) != std::string::npos;
    });
  };
  const auto middle = std::stable_partition(story.begin(), story.end(), std::not_fn(waits));
  std::vector<std::string> late(middle, story.end());
  story.erase(middle, story.end());
  std::erase_if(late, [](const std::string& line) { return line.find(" announced ") == std::string::npos; });
  std::sort(late.begin(), late.end());
  return {std::move(story), std::move(late)};
}

TEST_P(Property, RestartsDoNotShow) {
  std::mt19937_64 random(seed());
  const auto samples = random_samples(random, 500);
  const auto [story, late] = apart(play(samples, 1));
  ASSERT_NE(story.back().find(" flood "), std::string::npos) << "no flood to survive; seed " << seed();
  for (const int often : {1, 5, 40}) {
    const auto [with, late_with] = apart(play(samples, 1, often, seed()));
    EXPECT_EQ(difference(with, story), "") << "seed " << seed() << " one in " << often;
    EXPECT_EQ(difference(late_with, late), "") << "seed " << seed() << " one in " << often;
  }
}

TEST_P(Property, TimeShiftDoesNotShow) {
  std::mt19937_64 random(seed());
  const auto samples = random_samples(random, 4000);
  const Micros shift = kSeason * 15'000'000;
  const auto run = [&](Micros by) {
    Engine engine(rules());
    std::vector<std::string> story;
    Output none;
    for (std::uint32_t i = 0; i < kSeries; ++i)
      engine.declare(SeriesId{i}, "d" + std::to_string(i) + "/v", {}, {}, kStart + by, none);
    Timestamp tick = kStart + by;
    const auto times = arrivals(samples);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      Output out;
      for (; tick < times[i] + by; tick += milliseconds(250)) engine.tick(tick, out);
      Sample sample = samples[i];
      sample.time += by;
      engine.observe({&sample, 1}, times[i] + by, out);
      for (const AlertRecord& record : out.alerts) {
        story.push_back(fmt::format("{} {} {}", (record.since - by - kStart).count(), record.id, name(record.phase)));
      }
    }
    return story;
  };
  EXPECT_EQ(difference(run(shift), run(Micros{0})), "") << "seed " << seed();
}

TEST_P(Property, EveryAlertIsAnnouncedRaisedAndEndedInTurn) {
  std::mt19937_64 random(seed());
  const auto story = play(random_samples(random, 4000), 3, 20, seed());
  std::map<std::string, bool> is_raised;
  for (const std::string& line : story) {
    const std::size_t mark = line.find(" announced ");
    const std::string cause = line.substr(line.rfind(' ') + 1);
    if (mark == std::string::npos || (cause != "raised" && cause != "returned" && cause != "cleared")) continue;
    const std::string id = line.substr(line.find(' ') + 1, mark - line.find(' ') - 1);
    const bool raises = cause == "raised";
    ASSERT_NE(is_raised[id], raises) << line << " seed " << seed();
    is_raised[id] = raises;
  }
}

TEST_P(Property, FailedReadsAloneNeverRaiseAThreshold) {
  std::mt19937_64 random(seed());
  auto samples = random_samples(random, 2000);
  for (Sample& sample : samples) sample.quality = Quality::bad;
  for (const std::string& line : play(samples, 16)) {
    EXPECT_TRUE(line.find("silent") != std::string::npos || line.find("mute") != std::string::npos ||
                line.find("waits") != std::string::npos)
        << line << " seed " << seed();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Property, testing::Range(0, TIDEGATE_SEEDS));

}  // namespace
}  // namespace tidegate::rules
