#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "rules/deriver.h"
#include "rules/engine.h"
#include "rules/lateness.h"

/// The inside of the engine. Its parts: engine_past.cpp begins with what was; engine.cpp goes on with what is;
/// engine_joints.cpp is of rules that read several series; engine_calls.cpp decides whether somebody is called for it;
/// engine_evidence.cpp says why; engine_derived.cpp makes series of others;
/// engine_lateness.cpp is of rules that wait for late samples.
namespace tidegate::rules {

/// One rule on one series. What a sample touches, and nothing else; the record of an alert that is not normal stands
/// apart.
struct Instance {
  std::unique_ptr<Detector> detector;  ///< none: the rule makes no sense for the series
  AlertState state;
  Finding last;               ///< what the timers go by; `hold` after a sample that says nothing
  Timestamp due = kNever;     ///< when the next timer ends, in the time of the samples
  Timestamp ends = kNever;    ///< the same by the gateway's clock
  Timestamp queued = kNever;  ///< its place in the timer queue, not later than `ends`
  Micros lag{0};              ///< how far the last sample that said something lay behind the gateway's clock
  std::uint32_t rule = 0;
  std::uint32_t series = 0;
};

/// A series' instances stand side by side, for the cache.
struct Series {
  bool declared = false;
  bool feeds = false;   ///< instances of other series read it
  bool waits = false;   ///< some instance looks at late samples of it
  bool yields = false;  ///< series are made of it
  bool made = false;    ///< it is made of others
  std::uint32_t first = 0, count = 0;
  Timestamp heard = kNever;  ///< when its newest sample came; before the first, when listening began
  std::optional<Sample> newest;
};

enum class News : std::uint8_t { newest, again, late };

/// What only transitions need.
struct SeriesText {
  std::string name;
  Known known;
};

/// Another rule's instance that reads the series.
struct Feed {
  std::uint32_t instance;
  std::size_t input;  ///< as the detector numbers it
  std::size_t reads;  ///< which of the rule's `reads` asks for it; of a member of a pattern not its number
  bool judges;        ///< the rule's policy
};

using Feeds = std::vector<Feed>;

/// A timer that changed something.
struct Change {
  Timestamp due, ends;
};

struct Timer {
  Timestamp at;  ///< by the gateway's clock
  std::uint32_t instance;
  bool operator>(const Timer& other) const { return std::tie(at, instance) > std::tie(other.at, other.instance); }
};

/// What the hot path reads of a rule.
struct Policy {
  AlertPolicy alert;
  Micros lateness;  ///< so late a sample may be
  bool good_only;
  bool joins;  ///< its detectors are Joints
  bool holds_chatter;
  bool explains;                       ///< its alerts suppress those of other rules
  std::vector<std::uint32_t> parents;  ///< rules whose alerts suppress its own
  bool judged;  ///< a rule of no alert stands before it, which says whether its own are suppressed: `suppress_when`
  bool judges;  ///< it is such a rule
  bool derives = false;  ///< it makes series, and has no alerts
};

/// When an instance was last raised, the newest first.
using Raises = std::array<Timestamp, kChatterRaises>;

struct Engine::Impl {
  using Origin = Lateness::Held::Origin;
  explicit Impl(std::vector<Rule> compiled);

  void match(std::uint32_t series);
  void fit(std::uint32_t instance, Timestamp now, Output& out);
  Result<Watch> make_watch(std::uint32_t instance) const;
  void want_inputs(std::uint32_t instance);
  void connect(std::uint32_t series, Timestamp now, Output& out);
  void attach(std::uint32_t series, const Feed& feed);
  void add_members(std::uint32_t instance);
  std::optional<std::size_t> add_member(const Feed& pattern, std::uint32_t series);
  void note_misfit(std::uint32_t instance, std::uint32_t series, bool is_one);
  bool reads(std::uint32_t instance, std::uint32_t series) const;
  void join(const Feed& pattern, std::uint32_t series, Timestamp now, Output& out);
  bool renew_own(std::uint32_t instance) const;
  void renew_input(const Feed& feed, std::uint32_t series, Timestamp now, Output& out);
  template <class Take>
  void each_reader(std::uint32_t series, const Take& take);
  bool feed(const Sample& sample, bool is_newest, bool judging, Timestamp arrived, Output& out);
  void recall_feeds(const Sample& sample, bool is_newest, Timestamp arrived, Origin origin);
  void give_up(std::uint32_t instance, Timestamp now, Output& out);
  void take_over(std::uint32_t instance, const AlertRecord& record);
  void fetch(std::span<const Sample> coming) const;
  static News news(Series& series, const Sample& sample, Timestamp arrived);
  void recall(const Sample& sample, Timestamp arrived, Origin origin);
  void recall_one(std::uint32_t instance, const Sample& sample, bool is_newest, Timestamp arrived, Origin origin);
  void evaluate(std::uint32_t instance, const Sample& sample, Timestamp arrived, bool has_spoken, Output& out);
  bool hold(std::uint32_t instance, const Lateness::Held& held, bool is_newest, Output& out);
  void release(std::uint32_t instance, Timestamp now, Output& out);
  void release_one(std::uint32_t instance, const Lateness::Held& held, bool has_begun, Timestamp now, Output& out);
  void judge_before(std::uint32_t companion, Timestamp time, Timestamp now, Output& out);
  bool is_seen(std::uint32_t instance, const Lateness::Held& held) const;
  void settle(std::uint32_t instance, Timestamp at, Output& out);
  Timestamp wake(std::uint32_t instance) const;
  std::optional<Change> pass(std::uint32_t companion, Timestamp until);
  void catch_up(Timestamp until, Output& out);
  bool is_waiting(std::uint32_t instance) const;
  Finding look(std::uint32_t instance, const Sample& sample, Timestamp arrived);
  void tell_inputs(std::uint32_t instance, const Sample& sample);
  void take(std::uint32_t instance, const Finding& finding, Timestamp at, Output& out);
  void change(std::uint32_t instance, const AlertState& next, std::string_view cause, Timestamp at, Output& out);
  void describe(std::uint32_t instance, AlertRecord& record, Timestamp at) const;
  Evidence evidence(std::uint32_t instance, Timestamp at) const;
  std::optional<SnapshotWish> snapshot_wish(std::uint32_t instance, Timestamp breach, Timestamp raised) const;
  std::optional<Fact> newest(std::uint32_t instance, const Reads& reads) const;
  bool is_held(std::uint32_t instance, const std::string& point) const;
  bool is_sure(std::uint32_t instance, Timestamp at, Micros within) const;
  void tell(std::uint32_t instance, Phase from, std::string_view cause, Timestamp at, Output& out,
            std::optional<SnapshotWish> snapshot = {});
  std::unordered_map<std::string, std::uint32_t> ids() const;
  std::optional<std::uint32_t> instance_of(std::string_view alert) const;
  void note_raise(std::uint32_t instance, Timestamp at);
  void note_return(std::uint32_t instance, Phase before);
  std::string explanation(std::uint32_t instance) const;
  void explain(std::uint32_t parent_rule, Timestamp at, Output& out);
  void explain_one(std::uint32_t instance, Timestamp at, Output& out);
  void rename_condition(std::uint32_t instance, bool is_an_alert, Timestamp now, Output& out);
  void judge(std::uint32_t companion, const Finding& finding, Timestamp at, Output& out);
  bool is_untold(std::uint32_t companion) const;
  AlertRecord& remembered(std::uint32_t instance, Timestamp now);
  void unlatch(std::uint32_t instance, Timestamp at, Output& out);
  void end_shelves(Timestamp now, Output& out);
  // engine_derived.cpp
  struct Entry {
    Sample sample;
    bool has_spoken;  ///< its series, before it
  };
  struct Maker {
    std::uint32_t instance;
    std::optional<std::uint32_t> series;
    SeriesInfo info;
    bool is_ours;  ///< declared, and as what it is made as
    bool is_difference = false;
    std::string unit{};  ///< of what is stored of it
  };
  void offer_all(std::uint32_t series);
  void offer(std::uint32_t instance);
  void accept(std::uint32_t series, const SeriesInfo& info);
  void look_at_moment(const Sample& sample, bool has_spoken, Timestamp arrived, Output& out);
  void add_makers(std::uint32_t series, std::vector<std::uint32_t>& all) const;
  const std::vector<std::uint32_t>& makers_of(std::uint32_t series);
  void make_all(std::size_t first, Timestamp arrived, Output& out);
  void make(std::uint32_t instance, std::size_t first, Timestamp arrived, Output& out);
  std::optional<Entry> put(std::uint32_t instance, const Deriver::Made& made, Timestamp arrived, Output& out);
  void hand_over(std::uint32_t instance, Output& out);
  void make_in_time(std::uint32_t instance, Output& out);
  void recall_made(std::uint32_t series, const Sample& sample);
  void go_on(std::uint32_t instance);
  bool refuse(std::uint32_t instance);
  void tell_moment(std::uint32_t instance, const Sample& sample);
  bool was_told(std::uint32_t instance) const;
  Sample as_input(std::uint32_t instance, Sample sample) const;
  bool look_at(const Sample& sample, bool is_newest, bool has_spoken, Timestamp arrived, Output& out);
  std::vector<RuleStatus> status(bool derived) const;
  void arm(std::uint32_t instance);
  void run_timers(std::uint32_t instance, Timestamp until, Output& out);
  void watch(Timestamp now, Output& out);
  void miss_until(Timestamp now, Output& out);
  void put_off(const Interval& gap);
  void leave_out(const Interval& gap);

  std::vector<Rule> rules;
  std::vector<Policy> policies;
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> literal_rules;
  std::vector<std::uint32_t> pattern_rules;

  std::vector<Series> series;  ///< by SeriesId
  std::vector<SeriesText> texts;
  std::vector<Instance> instances;
  // Of rules that read several series.
  std::map<std::string, std::uint32_t, std::less<>> by_name;  ///< every series declared
  std::map<std::string, std::vector<Feed>, std::less<>> wanted;
  std::vector<std::pair<Pattern, Feed>> wanted_patterns;
  std::vector<Feeds> feeds;  ///< by SeriesId, then by instance
  std::set<std::string> unit_names;
  std::vector<const std::string*> units;          ///< of an instance's findings: one of these
  std::map<std::uint32_t, std::string> problems;  ///< of the instances without a detector, or that leave out a member
  std::map<std::uint32_t, AlertRecord> records;   ///< of the instances that are not normal, or shelved
  std::unordered_map<std::uint32_t, Raises> raises;
  std::unordered_map<std::uint32_t, Lateness> waiting;  ///< of the instances that look at late samples
  FloodWatch floods;
  Timestamp next_unshelved = kNever;  ///< not later than the first shelf that ends
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  std::optional<Timestamp> began;  ///< when it was told of the alerts; until it goes on
  std::optional<Timestamp> watched_until;
  Timestamp unsure_until = Timestamp::min();  ///< the end of the last long time in which nobody watched
  Timestamp told_until{};                     ///< when the newest of the past that is told arrived
  std::vector<Interval> gaps;                 ///< in the past that is told; until it goes on
  std::size_t gaps_left_out = 0;              ///< of these, because samples behind them were told
  std::uint64_t late = 0;

  // Of series that are made of others.
  std::map<std::string, Maker, std::less<>> makers;               ///< by the name of what they make
  std::vector<Maker*> maker_of;                                   ///< the same by instance, as far as there are any
  std::vector<std::optional<std::vector<std::uint32_t>>> chains;  ///< by series: makers_of(), as far as asked
  std::vector<MadeSeries> offered;
  std::vector<std::uint32_t> turned;  ///< series of differences that were declared as levels, or the other way round
  std::set<std::pair<std::uint32_t, std::uint32_t>> misfits;  ///< of an instance's patterns: series that do not fit
  std::vector<Entry> group;  ///< a sample and what was made of it; behind it those of a moment that stands before it
  struct Moment {
    std::size_t first = 0, end = 0, at = 0;  ///< in `group`; `at`: what is looked at
  } moment;
  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
  struct Turn {
    std::size_t at = kAll;  ///< how many of the samples that it is told stand before what it looks at; else all do
    Timestamp time{};       ///< of that
  } turn;
};

inline Joint& joint(const Instance& instance) { return static_cast<Joint&>(*instance.detector); }

void put_state(const AlertState& state, AlertRecord& record);

/// The clock was set by so much: a shelf lasts as long as it was given for.
void move_shelf(AlertRecord& record, Micros by);

/// The rule that says when the alerts of `rule` are suppressed.
Rule companion_of(const Rule& rule);

inline bool usable(const Sample& sample, bool good_only) {
  if (sample.quality == Quality::bad || (good_only && sample.quality != Quality::good)) return false;
  return std::isfinite(sample.value);
}

}  // namespace tidegate::rules
