// What must hold for series that are made of others, whatever the samples: seeded, and the seed is in every message.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "gateway/config/load.h"
#include "rules/derived.h"
#include "rules/engine.h"

namespace tidegate::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kStart{seconds(1'700'000'000)};
constexpr std::array<const char*, 5> kNames = {"d0/a", "d0/b", "d1/a", "d1/b", "d2/a"};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = [] {
    const std::string yaml = R"yaml(
derived:
  - {name: all/most, value: "max(+/sum)"}
  - {name: "{d}/sum", from: "{d}/a", value: "value + b"}
  - {name: "{d}/mean", from: "{d}/a", value: "avg(value, 10s)"}
  - {name: "{d}/total", from: "{d}/a", integral: "value / 10", stale_after: 4s}
  - {name: "{d}/day", from: "{d}/a", integral: "value", every: 3s}
  - {name: "{d}/up", from: "{d}/a", increase: "value"}
  - {name: "{d}/slow", from: "{d}/sum", value: "value * 2", every: 2s}
  - {name: "{d}/calm", from: "{d}/a", value: "value", deadband: 5}
  - {name: "{d}/hot", from: "{d}/a", value: "held(value > 60, 3s)", good_only: true}
  - {name: "{d}/fresh", from: "{d}/a", value: "coalesce(b, 0) + last(value)", stale_after: 3s}
rules:
  - {name: high, series: "{d}/sum", threshold: {above: 110, clear_below: 100}, for: 2s}
  - {name: torn, series: "{d}/sum", when: "value != a + b", chatter: tell}
  - {name: silent, series: "{d}/day", absence: {for: 5s}})yaml";
    config::Problems problems;
    config::Node node = config::parse(yaml, "all.yaml", ".", config::References::system(), problems);
    config::check(node,
                  config::Shape::object("", {config::required("derived", config::Shape::list(derived_shape()), ""),
                                             config::required("rules", config::Shape::list(rule_shape()), "")}),
                  problems);
    auto all = parse_derived(node["derived"], problems);
    auto others = parse_rules(node["rules"], problems);
    std::move(others.begin(), others.end(), std::back_inserter(all));
    EXPECT_EQ(problems.text(), "");
    return all;
  }();
  return kRules;
}

struct Arrival {
  Timestamp at;
  Sample sample;
};

/// Device 0 is polled, both of its series at once; the others speak when they like. Some fail, are silent for a while,
/// come late or twice.
std::vector<Arrival> random_arrivals(std::mt19937_64& random, int polls) {
  std::vector<Arrival> all;
  std::vector<double> values(kNames.size(), 50);
  std::vector<Timestamp> silent_until(kNames.size());
  std::normal_distribution<double> walk(0, 6);
  Timestamp now = kStart;
  for (std::uint32_t i = 0; i < kNames.size(); ++i) all.push_back({now, {SeriesId{i}, {}, {}, now, 50}});
  const auto add = [&](std::size_t i) {
    if (random() % 40 == 0) silent_until[i] = now + seconds(random() % 12);
    if (now < silent_until[i]) return;
    values[i] = std::clamp(values[i] + walk(random), 0.0, 100.0);
    Sample sample{SeriesId{static_cast<std::uint32_t>(i)}, Quality::good, Reason::none, now, values[i]};
    if (random() % 25 == 0) sample = {sample.series, Quality::bad, Reason::device_fault, now, 0};
    if (random() % 25 == 0) sample.quality = Quality::uncertain, sample.reason = Reason::clock;
    if (random() % 25 == 0) sample.time -= seconds(random() % 3);
    all.push_back({now, sample});
    if (random() % 25 == 0) all.push_back(all.back());
  };
  for (int poll = 0; poll < polls; ++poll) {
    now += milliseconds(300 + random() % 400);
    add(0);
    add(1);
    for (std::size_t i = 2; i < kNames.size(); ++i) {
      now += milliseconds(1 + random() % 100);
      if (random() % 3 != 0) add(i);
    }
  }
  return all;
}

class Gateway {
 public:
  Gateway() { boot(kStart); }

  void observe(std::span<const Sample> samples, Timestamp now) {
    Output out;
    engine_->observe(samples, now, out);
    take(out, now, samples);
  }
  void tick(Timestamp now) {
    Output out;
    engine_->tick(now, out);
    take(out, now);
  }
  void restart(Timestamp now) {
    boot(now);
    std::vector<AlertRecord> records;
    for (const auto& [id, record] : records_) records.push_back(record);
    Output out;
    engine_->restore(records, now, out);
    std::map<SeriesId, Sample> latest;
    const Micros lookback = std::max(kLeastLookback, engine_->lookback(now));
    for (const auto& [arrived, sample] : history_) {
      if (arrived > now - lookback) engine_->warm({&sample, 1}, arrived);
      const auto [found, is_new] = latest.emplace(sample.series, sample);
      if (!is_new && sample.time >= found->second.time) found->second = sample;
    }
    for (const auto& [id, sample] : latest) engine_->warm({&sample, 1});
  }
  /// What was made of each series in turn, and what was announced, in order of name.
  std::vector<std::string> story() const {
    auto all = story_;
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> lines;
    for (const auto& [who, what] : all) lines.push_back(who + ' ' + what);
    return lines;
  }

 private:
  void boot(Timestamp now) {
    engine_ = std::make_unique<Engine>(rules());
    if (names_.empty()) {
      for (const char* name : kNames) names_.push_back({name, {}});
    }
    for (const std::string& name : engine_->literal_series()) id_of(name);
    for (std::size_t i = 0; i < names_.size(); ++i) declare(i, now);
    for (auto made = engine_->take_made_series(); !made.empty(); made = engine_->take_made_series()) {
      for (const MadeSeries& one : made) {
        const std::size_t id = id_of(one.name);
        names_[id].second = one.info;
        declare(id, now);
      }
    }
    EXPECT_EQ(engine_->derived_status().at(0).problems.size(), 0u);
  }
  std::size_t id_of(const std::string& name) {
    const auto found = std::find_if(names_.begin(), names_.end(), [&](const auto& one) { return one.first == name; });
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    names_.push_back({name, {}});
    return names_.size() - 1;
  }
  void declare(std::size_t i, Timestamp now) {
    Output out;
    engine_->declare(SeriesId{static_cast<std::uint32_t>(i)}, names_[i].first, names_[i].second, {}, now, out);
  }
  void take(const Output& out, Timestamp now, std::span<const Sample> told = {}) {
    std::vector<Sample> all;
    out.append_samples(told, all);
    for (const Sample& sample : all) history_.push_back({now, sample});
    for (const Sample& sample : out.samples) {
      story_.emplace_back(names_[index(sample.series)].first,
                          fmt::format("{} {:.9g} {} {}", (sample.time - kStart).count(), sample.value,
                                      name(sample.quality), name(sample.reason)));
    }
    for (const Event& event : out.events) {
      const auto* transition = std::get_if<AlertTransition>(&event.body);
      if (transition == nullptr) continue;
      story_.emplace_back(transition->alert.id, fmt::format("{} {}", (event.time - kStart).count(), transition->cause));
    }
    for (const AlertRecord& record : out.alerts) {
      records_.erase(record.id);
      if (!over(record)) records_[record.id] = record;
    }
  }

  std::unique_ptr<Engine> engine_;
  std::vector<std::pair<std::string, SeriesInfo>> names_;
  std::vector<Arrival> history_;
  std::map<std::string, AlertRecord> records_;
  std::vector<std::pair<std::string, std::string>> story_;
};

/// Ticks at fixed moments, samples in batches of at most `batch` between them.
std::vector<std::string> play(const std::vector<Arrival>& all, std::size_t batch, unsigned restart_in = 0,
                              std::uint64_t seed = 0) {
  Gateway gateway;
  std::mt19937_64 random(seed);
  Timestamp tick = kStart;
  std::vector<Sample> pending;
  const auto flush = [&] {
    for (std::size_t i = 0; i < pending.size(); i += batch) {
      gateway.observe(std::span(pending).subspan(i, std::min(batch, pending.size() - i)), tick);
      if (restart_in > 0 && random() % restart_in == 0) gateway.restart(tick - milliseconds(1));
    }
    pending.clear();
  };
  for (const auto& [at, sample] : all) {
    while (tick < at) {
      flush();
      gateway.tick(tick);
      if (restart_in > 0 && random() % restart_in == 0) gateway.restart(tick);
      tick += milliseconds(250);
    }
    pending.push_back(sample);
  }
  flush();
  return gateway.story();
}

std::string difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() && y == b.end()) return "";
  return fmt::format("line {}: '{}' against '{}'", x - a.begin(), x == a.end() ? "end" : *x, y == b.end() ? "end" : *y);
}

class DerivedProperty : public testing::TestWithParam<int> {
 protected:
  std::uint64_t seed() const { return static_cast<std::uint64_t>(GetParam()) * 104'729 + 5; }
};

TEST_P(DerivedProperty, BatchBoundariesDoNotShow) {
  std::mt19937_64 random(seed());
  const auto all = random_arrivals(random, 600);
  const auto story = play(all, 1);
  for (const char* made : {"all/most", "d0/sum", "d1/sum", "d2/mean", "d0/total", "d0/day", "d2/up", "d0/slow",
                           "d0/calm", "d1/hot", "d0/fresh", "high:d0", "silent:d0"}) {
    const auto is_it = [&](const std::string& line) { return line.starts_with(made); };
    ASSERT_TRUE(std::any_of(story.begin(), story.end(), is_it)) << "nothing of " << made << "; seed " << seed();
  }
  for (const std::size_t batch : {2u, 7u, 4096u})
    EXPECT_EQ(difference(play(all, batch), story), "") << "seed " << seed() << " batch " << batch;
}

/// Of series that are always polled together a rule never sees one without the other, nor without what is made of both.
TEST_P(DerivedProperty, NoMomentIsTorn) {
  std::mt19937_64 random(seed());
  auto all = random_arrivals(random, 600);
  std::erase_if(all, [](const Arrival& one) {
    return index(one.sample.series) > 1 || one.sample.quality != Quality::good || one.sample.time != one.at;
  });
  const auto is_same = [](const Arrival& one, const Arrival& other) { return one.sample == other.sample; };
  all.erase(std::unique(all.begin(), all.end(), is_same), all.end());
  std::map<Timestamp, std::size_t> of_moment;
  for (const Arrival& one : all) ++of_moment[one.at];
  std::erase_if(all, [&](const Arrival& one) { return of_moment[one.at] != 2; });
  ASSERT_GT(all.size(), 300u);
  std::size_t made = 0;
  for (const std::string& line : play(all, 1)) made += line.starts_with("d0/sum ") ? 1 : 0;
  EXPECT_EQ(made, all.size() / 2) << "seed " << seed();
}

TEST_P(DerivedProperty, RestartsDoNotShow) {
  std::mt19937_64 random(seed());
  auto all = random_arrivals(random, 150);
  // What the clock told of before a sample that lags is not told of again: then it may come otherwise by a second.
  std::erase_if(all, [](const Arrival& one) { return one.sample.time != one.at; });
  const auto story = play(all, 1);
  for (const std::size_t batch : {1u, 4096u}) {
    for (const unsigned often : {1u, 5u, 40u})
      EXPECT_EQ(difference(play(all, batch, often, seed()), story), "") << "seed " << seed() << " one in " << often;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DerivedProperty, testing::Range(0, TIDEGATE_SEEDS));

}  // namespace
}  // namespace tidegate::rules
