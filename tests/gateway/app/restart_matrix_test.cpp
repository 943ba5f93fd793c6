// What a restart does to alerts: between every two moments of their lives, of all that may be under way at once
// (delays, levels, a latch, silence, a shelf, chatter, suppression, windows), with the real pump and journal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <thread>

#include "rules/engine.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/app/stepped_gateway.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::Machine;
using Story = std::vector<std::string>;  ///< of what was told: "25 hot:boiler raised"

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
constexpr Micros kStep = 10s;
constexpr Micros kYear = 24h * 365;

/// One moment each ten seconds: a value, a heartbeat (or none), what dithers, and what an operator does.
struct Moment {
  double value;
  bool beats;
  double dither;
  std::optional<Acknowledge> seen{};
  bool shelve = false;
};
const std::vector<Moment>& life() {
  static const Acknowledge kSeen{"hot:boiler", "Ada", ""};
  static const std::vector<Moment> kLife{
      {70, true, 0},
      {85, true, 1},                                         // 10: hot pending, trip raised
      {85, true, 0, {}, true},                               // 20
      {85, false, 1},                                        // 30: hot was raised at 25
      {95, false, 0, kSeen},                                 // 40: on the way to critical
      {95, false, 1},                                        // 50: silent since 45
      {95, false, 0},                                        // 60: hot was escalated at 55
      {95, false, 1},                                        // 70: flap chatters
      {85, false, 0},                                        // 80: on the way down
      {85, true, 0},                                         // 90: no longer silent
      {70, true, 0},                                         // 100: hot eased at 95, and clearing
      {70, true, 0, Acknowledge{"trip:boiler", "Ada", ""}},  // 110: it was latched until now
      {70, true, 0},                                         // 120: hot returned at 115
      {70, true, 0, kSeen},                                  // 130
      {70, true, 0},                                         // 140: a minute without dither
      {70, true, 0},
      {70, true, 0},
      {70, true, 0},
      {70, true, 0},
      {70, true, 0},
      {70, true, 0}};  // long enough for a minute that begins anew
  return kLife;
}
std::size_t moments() { return life().size(); }

/// `hot` is what is edited, renamed and deleted.
std::string hot(const std::string& levels = "{warning: 80, critical: 90}", const std::string& delays = "15s",
                const std::string& name = "hot") {
  return fmt::format(
      "  - {{name: {}, series: \"{{d}}/t\", threshold: {{above: {}, hysteresis: 2}}, for: {}, clear_after: 15s, ack: "
      "required}}\n",
      name, levels, delays);
}
std::string with(const std::string& rule) {
  return "rules:\n" + rule +
         "  - {name: trip, series: \"{d}/t\", threshold: {above: 80}, latch: true}\n"
         "  - {name: silent, series: \"{d}/beat\", absence: {for: 25s}}\n"
         "  - {name: flap, series: \"{d}/dither\", threshold: {above: 0.5}}\n"
         "  - {name: dark, series: \"{d}/t\", threshold: {above: 65}}\n"
         "  - {name: dim, series: \"{d}/t\", threshold: {above: 60}, suppressed_by: [silent]}\n"
         "  - {name: both, series: \"{d}/t\", when: \"held(value > 80, 25s) and beat > 0\"}\n"
         "  - {name: mean, series: \"{d}/t\", when: \"avg(value, 40s) > 80\", clear_after: 5s}\n";
}

class Gateway final : public SteppedGateway {
 public:
  Gateway(const std::filesystem::path& disk, const std::string& rules) : SteppedGateway(disk, rules_of(rules)) {}

  void take(const Moment& moment) {
    const auto push = [&](const char* name, double value) {
      const Sample sample{*journal_->catalogue().intern(name, SeriesInfo{}), Quality::good, Reason::none, clock_.now(),
                          value};
      intake_.push({&sample, 1});
    };
    push("boiler/t", moment.value);
    if (moment.beats) push("boiler/beat", 1);
    push("boiler/dither", moment.dither);
    if (moment.seen) intake_.post({clock_.now(), *moment.seen});
    if (moment.shelve) intake_.post({clock_.now(), Shelve{"dark:boiler", "Ada", "why", clock_.now() + 45s}});
    settle();
  }
  void reload(const std::string& rules) {
    pump_->replace_rules(rules_of(rules));
    settle();
  }
  /// Until it has seen that its clock was set.
  void see_the_clock() {
    std::this_thread::sleep_for(1s);  // it looks each second
    intake_.post({clock_.now(), Notice{"clock", "somebody sets it"}});
    settle();
  }

  Story story() const {
    Story told;
    const auto events = journal_->events({.limit = 1000, .newest_first = false, .alerts_only = true});
    for (const auto& stored : *events) {
      const auto* transition = std::get_if<AlertTransition>(&stored.event.body);
      if (transition == nullptr) continue;  // so many alerts are a flood
      const double since = std::chrono::duration<double>(stored.event.time - kStart).count();
      told.push_back(fmt::format("{} {} {}", since, transition->alert.id, transition->cause));
    }
    return told;
  }
};

/// A box with its disk.
class Box {
 public:
  Box() {
    Machine::start(kStart);
    gateway = std::make_unique<Gateway>(disk->path(), rules);
  }

  void live(std::size_t from, std::size_t to) {
    for (std::size_t k = from; k < to; ++k) {
      if (k > 0) Machine::go(kStep);
      gateway->take(life()[k]);
    }
  }
  void restart() { restart(rules); }
  template <class MeanwhileDo>
  void restart(const std::string& with_rules, const MeanwhileDo& meanwhile) {
    gateway.reset();
    meanwhile();
    gateway = std::make_unique<Gateway>(disk->path(), with_rules);
  }
  void restart(const std::string& with_rules) {
    restart(with_rules, [] {});
  }
  /// What a program that is killed leaves on its disk.
  std::unique_ptr<test::TempDir> image() const {
    auto copy = std::make_unique<test::TempDir>(memory());
    std::filesystem::copy(disk->path(), copy->path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    return copy;
  }
  void crash(std::unique_ptr<test::TempDir> left) {
    gateway.reset();
    disk = std::move(left);
    gateway = std::make_unique<Gateway>(disk->path(), rules);
  }

  static std::filesystem::path memory() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  }
  std::string rules = with(hot());
  std::unique_ptr<test::TempDir> disk = std::make_unique<test::TempDir>(memory());
  std::unique_ptr<Gateway> gateway;
};

/// Its whole life, with something done to it after moment k.
template <class Do>
Story told(std::size_t k, const Do& something) {
  Box box;
  box.live(0, k + 1);
  something(box);
  box.live(k + 1, moments());
  return box.gateway->story();
}
const Story& undisturbed() {
  static const Story kStory = told(0, [](Box&) {});
  return kStory;
}

bool is_of(const std::string& line, const std::string& alert) {
  return line.find(' ' + alert + ' ') != std::string::npos;
}
Story of(const Story& story, const std::string& alert) {
  Story own;
  for (const std::string& line : story) {
    if (is_of(line, alert)) own.push_back(line);
  }
  return own;
}
Story without(Story story, const std::string& alert) {
  std::erase_if(story, [&](const std::string& line) { return is_of(line, alert); });
  return story;
}

using Turns = std::map<std::string, Story>;

/// What became of each alert, in turn, whenever it was.
Turns in_turn(const Story& story) {
  Turns turns;
  for (const std::string& line : story) {
    const std::size_t id = line.find(' ') + 1, cause = line.find(' ', id) + 1;
    turns[line.substr(id, cause - 1 - id)].push_back(line.substr(cause));
  }
  return turns;
}

TEST(RestartMatrix, TheLifeHasAllThatMayBeUnderWay) {
  EXPECT_THAT(undisturbed(),
              testing::ElementsAre("0 dark:boiler raised", "0 dim:boiler raised", "10 trip:boiler raised",
                                   "10 flap:boiler raised", "20 flap:boiler cleared", "20 dark:boiler shelved",
                                   "25 hot:boiler raised", "30 mean:boiler raised", "30 flap:boiler raised",
                                   "35 both:boiler raised", "40 flap:boiler cleared", "40 hot:boiler acknowledged",
                                   "50 flap:boiler raised", "45 silent:boiler raised", "45 dim:boiler suppressed",
                                   "55 hot:boiler escalated", "60 flap:boiler cleared", "70 flap:boiler raised",
                                   "70 dark:boiler unshelved", "90 silent:boiler cleared", "90 dim:boiler unsuppressed",
                                   "95 hot:boiler eased", "100 both:boiler cleared", "110 trip:boiler acknowledged",
                                   "110 trip:boiler cleared", "115 hot:boiler returned", "115 mean:boiler cleared",
                                   "130 hot:boiler acknowledged", "140 flap:boiler cleared"));
}

TEST(RestartMatrix, NothingShowsThatChangesNothing) {
  const Story expected = undisturbed();
  const std::string edited = with(hot("{warning: 81, critical: 91}"));
  const std::pair<const char*, std::function<void(Box&)>> all[] = {
      {"a restart", [](Box& box) { box.restart(); }},
      {"two restarts", [](Box& box) { box.restart(), box.restart(); }},
      {"killed", [](Box& box) { box.crash(box.image()); }},
      {"a reload", [](Box& box) { box.gateway->reload(box.rules); }},
      {"a limit was moved by a little", [&](Box& box) { box.restart(edited); }},
      {"and without a restart", [&](Box& box) { box.gateway->reload(edited); }}};
  for (const auto& [what, something] : all) {
    for (std::size_t k = 0; k < moments(); ++k)
      EXPECT_EQ(told(k, something), expected) << what << " after moment " << k;
  }
}

/// What had come, and was not on disk, comes again. The time since the last commit was not watched: silence takes so
/// much longer.
TEST(RestartMatrix, KilledBeforeTheCommitItTellsWhatNobodyWasTold) {
  const Story base = undisturbed();
  for (std::size_t k = 1; k < moments(); ++k) {
    Box box;
    box.live(0, k);
    auto before = box.image();
    box.live(k, k + 1);
    box.crash(std::move(before));
    box.gateway->take(life()[k]);
    box.live(k + 1, moments());
    Story expected = base;
    if (k >= 3 && k <= 5) {  // the heart beat last at 20, and is missed at 45
      for (std::string& line : expected) {
        if (line.starts_with("45 ")) line.replace(0, 2, "55");
      }
    }
    std::sort(expected.begin(), expected.end());
    Story story = box.gateway->story();
    std::sort(story.begin(), story.end());
    EXPECT_EQ(story, expected) << "moment " << k;
  }
}

TEST(RestartMatrix, AnEditedDelayCountsFromWhenItsPhaseBegan) {
  const Story base = undisturbed();
  for (const bool reload : {false, true}) {
    for (std::size_t k = 0; k < moments(); ++k) {
      const std::string edited = with(hot("{warning: 80, critical: 90}", "25s"));
      const Story story = told(k, [&](Box& box) { reload ? box.gateway->reload(edited) : box.restart(edited); });
      EXPECT_EQ(without(story, "hot:boiler"), without(base, "hot:boiler")) << "moment " << k;
      EXPECT_THAT(
          of(story, "hot:boiler"),
          testing::ElementsAre(k <= 2 ? "35 hot:boiler raised" : "25 hot:boiler raised", "40 hot:boiler acknowledged",
                               k <= 5 ? "65 hot:boiler escalated" : "55 hot:boiler escalated", "95 hot:boiler eased",
                               "115 hot:boiler returned", "130 hot:boiler acknowledged"))
          << "moment " << k;
    }
  }
}

/// From then on the value is far below the limits. Nobody was told of one that was pending, and what came back before
/// it was seen is to be seen still.
TEST(RestartMatrix, ALimitThatIsMovedAwayEndsTheAlertAsAValueWould) {
  const Story base = in_turn(undisturbed())["hot:boiler"];
  const std::string edited = with(hot("{warning: 200, critical: 300}"));
  for (const bool reload : {false, true}) {
    for (std::size_t k = 0; k < moments(); ++k) {
      const Story story = told(k, [&](Box& box) { reload ? box.gateway->reload(edited) : box.restart(edited); });
      const Story expected = k <= 2   ? Story{}
                             : k <= 5 ? Story{"raised", "acknowledged", "cleared"}
                             : k <= 9 ? Story{"raised", "acknowledged", "escalated", "returned", "acknowledged"}
                                      : base;
      EXPECT_EQ(in_turn(story)["hot:boiler"], expected) << "moment " << k;
      EXPECT_EQ(without(story, "hot:boiler"), without(undisturbed(), "hot:boiler")) << "moment " << k;
    }
  }
}

/// What the rule would have told that was there from moment k on.
Story fresh(const std::string& rule, std::size_t k) {
  rules::Engine engine(rules_of("rules:\n" + rule));
  rules::Output out;
  const SeriesId id{0};
  for (std::size_t i = 0; i < moments(); ++i) {
    const Timestamp now = kStart + kStep * i;
    if (i <= k) continue;
    if (i == k + 1) engine.declare(id, "boiler/t", {}, {}, now, out);
    const Sample sample{id, Quality::good, Reason::none, now, life()[i].value};
    engine.observe({&sample, 1}, now, out);
    engine.tick(now, out);
  }
  Story story;
  for (const Event& event : out.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition == nullptr) continue;
    story.push_back(fmt::format("{} {} {}", (event.time - kStart) / 1s, transition->alert.id, transition->cause));
  }
  return story;
}

/// Those of which somebody heard, and which are not over.
Story removed(const Story& base, std::size_t k) {
  Story story;
  for (const std::string& line : of(base, "hot:boiler")) {
    if (std::stoi(line) <= static_cast<int>(k) * 10) story.push_back(line);
  }
  if (!story.empty() && story.size() < 6) story.push_back(fmt::format("{} hot:boiler rule removed", k * 10));
  return story;
}

TEST(RestartMatrix, ADeletedRuleClosesItsAlertOnce) {
  const Story base = undisturbed();
  for (const bool reload : {false, true}) {
    for (std::size_t k = 0; k < moments(); ++k) {
      const Story story = told(k, [&](Box& box) {
        reload ? box.gateway->reload(with("")) : box.restart(with(""));
        box.restart(with(""));
      });
      EXPECT_EQ(without(story, "hot:boiler"), without(base, "hot:boiler")) << "moment " << k;
      EXPECT_EQ(of(story, "hot:boiler"), removed(base, k)) << "moment " << k;
    }
  }
}

TEST(RestartMatrix, ARenamedRuleBeginsAnew) {
  const Story base = undisturbed();
  const std::string renamed = hot("{warning: 80, critical: 90}", "15s", "warm");
  for (const bool reload : {false, true}) {
    for (std::size_t k = 0; k < moments(); ++k) {
      const Story story =
          told(k, [&](Box& box) { reload ? box.gateway->reload(with(renamed)) : box.restart(with(renamed)); });
      EXPECT_EQ(of(story, "hot:boiler"), removed(base, k)) << "moment " << k;
      EXPECT_EQ(of(story, "warm:boiler"), fresh(renamed, k)) << "moment " << k;
      EXPECT_EQ(without(without(story, "hot:boiler"), "warm:boiler"), without(base, "hot:boiler")) << "moment " << k;
    }
  }
}

/// The limit of hot's lower level was passed on the way down when time was left out, and the next value is below all.
Turns when_time_is_left_out(std::size_t k) {
  Turns turns = in_turn(undisturbed());
  if (k == 9) std::erase(turns["hot:boiler"], "eased");
  return turns;
}

/// Nobody watched: delays and silence end later, and each alert tells the same in its turn.
TEST(RestartMatrix, WhereTimeIsLeftOutEachAlertTellsTheSameInItsTurn) {
  const std::pair<const char*, std::function<void(Box&)>> all[] = {
      {"off for two minutes", [](Box& box) { box.restart(box.rules, [] { Machine::go(2min); }); }},
      {"killed, and off for two minutes",
       [](Box& box) {
         auto left = box.image();
         Machine::go(2min);
         box.crash(std::move(left));
       }},
      {"off for a year", [](Box& box) { box.restart(box.rules, [] { Machine::go(kYear); }); }},
      {"a year forwards", [](Box& box) { box.restart(box.rules, [] { Machine::set(kYear); }); }}};
  for (const auto& [what, something] : all) {
    for (std::size_t k = 0; k < moments(); ++k)
      EXPECT_EQ(in_turn(told(k, something)), when_time_is_left_out(k)) << what << " after moment " << k;
  }
}

/// All that was under way began in times that are not to come for a year: it begins anew, and again where that is not
/// on disk yet; so does a shelf.
TEST(RestartMatrix, AClockThatComesBackAYearBehindHoldsUpNoAlert) {
  const std::pair<const char*, std::function<void(Box&)>> all[] = {
      {"a year back", [](Box& box) { box.restart(box.rules, [] { Machine::set(-kYear); }); }},
      {"and twice", [](Box& box) { box.restart(box.rules, [] { Machine::set(-kYear); }), box.restart(); }}};
  for (const auto& [what, something] : all) {
    for (std::size_t k = 0; k < moments(); ++k) {
      EXPECT_EQ(in_turn(told(k, something)), when_time_is_left_out(k)) << what << " after moment " << k;
    }
  }
}

/// Backwards the gateway's clock goes on, and slower: at first it stands, for an eighth of the time that it ran.
TEST(RestartMatrix, AClockThatIsSetByAYearWhileItRuns) {
  for (std::size_t k = 0; k < moments(); ++k) {
    const Story story = told(k, [&](Box& box) {
      Machine::set(k % 2 == 1 ? kYear : -kYear);
      box.gateway->see_the_clock();
    });
    EXPECT_EQ(in_turn(story), when_time_is_left_out(k == 8 ? 9 : k)) << "moment " << k;
  }
}

}  // namespace
}  // namespace tidegate::app
