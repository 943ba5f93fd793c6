#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "drivers/registry.h"
#include "drivers/simulator/plant.h"
#include "gateway/config/load.h"
#include "rules/engine.h"
#include "rules/rule.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using drivers::simulator::kPoints;
using drivers::simulator::Plant;
using drivers::simulator::PlantOptions;

config::Node load_part(const char* file, const char* section, config::Shape item) {
  const auto path = std::filesystem::path(TIDEGATE_SOURCE_DIR) / "docs/demo/conf.d" / file;
  const auto shape = config::Shape::object("", {config::required(section, config::Shape::list(std::move(item)), "")});
  config::Problems problems;
  const config::Node root = config::load(path, shape, config::References::system(), problems);
  EXPECT_EQ(problems.text(), "");
  return root[section];
}

// The demo's rules over a plant of `options`, for so many seconds from the gateway's start.
class Demo {
 public:
  explicit Demo(const PlantOptions& options) : plant_(options), engine_(demo_rules()) {
    for (std::size_t i = 0; i < kPoints.size(); ++i) declare(i);
  }

  void run(int seconds) {
    for (int s = 1; s <= seconds; ++s) {
      plant_.step(1s);
      samples_.clear();
      const auto readings = plant_.read();
      for (std::size_t i = 0; i < readings.size(); ++i) add(i, readings[i], kStart + std::chrono::seconds(s));
      engine_.observe(samples_, kStart + std::chrono::seconds(s), output_);
      engine_.tick(kStart + std::chrono::seconds(s), output_);
    }
  }

  struct Change {
    std::string rule, cause;
    int second;
    std::string message;
  };
  std::vector<Change> changes() const {
    std::vector<Change> all;
    for (const Event& event : output_.events) {
      const auto& change = std::get<AlertTransition>(event.body);
      const auto at = std::chrono::duration_cast<std::chrono::seconds>(event.time - kStart);
      all.push_back({change.alert.rule, change.cause, static_cast<int>(at.count()), change.alert.message});
    }
    return all;
  }
  std::vector<std::string> problems() const {
    std::vector<std::string> all;
    for (const auto& status : engine_.status()) all.insert(all.end(), status.problems.begin(), status.problems.end());
    return all;
  }

 private:
  static constexpr Timestamp kStart{1'800'000'000s};

  static std::vector<rules::Rule> demo_rules() {
    config::Problems problems;
    auto parsed = rules::parse_rules(load_part("rules.yaml", "rules", rules::rule_shape()), problems);
    EXPECT_EQ(problems.text(), "");
    return parsed;
  }

  void declare(std::size_t i) {
    const SeriesInfo info{kPoints[i].kind, std::string(kPoints[i].unit), "plant", 1s, {}};
    engine_.declare(SeriesId{static_cast<std::uint32_t>(i)}, kPoints[i].path, info, labels_[i], kStart, output_);
  }

  void add(std::size_t i, const drivers::simulator::Reading& reading, Timestamp time) {
    double value = reading.value;
    if (!reading.state.empty()) {
      auto& known = labels_[i];
      auto at = std::find(known.begin(), known.end(), reading.state);
      value = static_cast<double>(at - known.begin());
      if (at == known.end()) {
        known.emplace_back(reading.state);
        declare(i);
      }
    }
    const bool good = reading.answered;
    samples_.push_back({SeriesId{static_cast<std::uint32_t>(i)}, good ? Quality::good : Quality::bad,
                        good ? Reason::none : Reason::no_answer, time, value});
  }

  Plant plant_;
  rules::Engine engine_;
  std::map<std::size_t, std::vector<std::string>> labels_;
  std::vector<Sample> samples_;
  rules::Output output_;
};

TEST(Demo, HasSourcesOfEveryKindThatNeedsNoNetwork) {
  std::set<std::string> kinds;
  const config::Node sources = load_part("plant.yaml", "sources", drivers::source_shape());
  for (const auto& section : sources.items) kinds.insert(section.string("type"));
  EXPECT_EQ(kinds, (std::set<std::string>{"host", "self", "simulator"}));
}

TEST(Demo, RaisesAndClearsAnAlertWithinTwoMinutes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Demo demo({seed, true, 20s, 3min});
    demo.run(115);  // the gateway needs a moment to start
    EXPECT_THAT(demo.problems(), testing::IsEmpty());
    std::map<std::string, int> at;
    for (const auto& change : demo.changes()) {
      if (change.rule == "cold-room-too-warm") at.emplace(change.cause, change.second);
    }
    ASSERT_TRUE(at.count("raised")) << "seed " << seed;
    ASSERT_TRUE(at.count("cleared")) << "seed " << seed;
    EXPECT_LT(at["raised"], at["cleared"]);
  }
}

TEST(Demo, EveryFaultThatARuleWatchesRaisesItsAlert) {
  Demo demo({1, true, 20s, 3min});
  demo.run(1500);
  std::set<std::string> raised;
  for (const auto& change : demo.changes()) {
    if (change.cause == "raised") raised.insert(change.rule);
    EXPECT_EQ(change.message.find('?'), std::string::npos) << change.message;
  }
  EXPECT_EQ(raised, (std::set<std::string>{"boiler-overheating", "burner-locked-out", "cold-room-too-warm",
                                           "cold-room-warming-fast", "pump-vibration", "sensor-silent"}));
}

TEST(Demo, APlantInGoodHealthRaisesNothingInADay) {
  Demo demo({4, false, 0s, 30s});
  demo.run(86'400);
  for (const auto& change : demo.changes()) {
    ADD_FAILURE() << change.second << " s: " << change.rule << " " << change.cause << ": " << change.message;
  }
}

}  // namespace
}  // namespace tidegate
