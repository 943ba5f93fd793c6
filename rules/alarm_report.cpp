#include "rules/alarm_report.h"

#include <algorithm>

#include "gateway/core/time_text.h"

namespace tidegate::rules {
namespace {

using Days = std::chrono::days;

Timestamp day_of(Timestamp at) { return std::chrono::floor<Days>(at); }
std::string date(Timestamp at) { return rfc3339(day_of(at)).substr(0, 10); }

bool holds(const Interval& period, Timestamp at) { return period.from <= at && at < period.to; }

/// The most of them that lie within ten minutes.
std::uint64_t most_within(std::vector<Timestamp> times) {
  std::sort(times.begin(), times.end());
  std::size_t first = 0, most = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= kFloodWithin) ++first;
    most = std::max(most, i + 1 - first);
  }
  return most;
}

Micros median(std::vector<Micros> spans) {
  if (spans.empty()) return Micros{0};
  std::sort(spans.begin(), spans.end());
  const std::size_t half = spans.size() / 2;
  return spans.size() % 2 == 1 ? spans[half] : (spans[half - 1] + spans[half]) / 2;
}

}  // namespace

template <class Count>
void AlarmReport::count(Timestamp at, const AlertRecord& alert, const Count& count) {
  if (!holds(period_, at)) return;
  std::vector<std::string> key;
  if (by_ == By::day || by_ == By::rule_and_day) key.push_back(date(at));
  if (by_ == By::rule || by_ == By::rule_and_day) key.push_back(alert.rule);
  if (by_ == By::alert) key.push_back(alert.id);
  count(groups_[key]);
  count(total_);
}

void AlarmReport::take(const Event& event) {
  if (const auto* transition = std::get_if<AlertTransition>(&event.body)) take(event.time, *transition);
  const auto* flood = std::get_if<Flood>(&event.body);
  if (flood == nullptr) return;
  if (flood->on) flood_since_ = event.time;
  if (!flood->on) add_flood(flood_since_.value_or(flood->since), event.time);
  if (!flood->on) flood_since_.reset();
}

void AlarmReport::take(Timestamp at, const AlertTransition& transition) {
  const AlertRecord& alert = transition.alert;
  Standing& standing = standing_[alert.id];
  if (transition.cause == "acknowledged" && standing.owed) {
    const Micros took = at - *standing.owed;
    count(at, alert, [took](Group& group) { group.acknowledged.push_back(took); });
    standing.owed.reset();
  }
  if (standing.is_up && (!raised(alert.phase) || silenced(alert))) end(standing, at);
  if (transition.cause == "escalated" && standing.is_up) standing.owed = at;
  if (!calls_somebody(transition)) return;
  if (standing.is_up) end(standing, at);
  standing.alert = alert;
  standing.since = at;
  standing.is_up = true;
  standing.owed = at;
  std::shift_right(standing.last.begin(), standing.last.end(), 1);
  standing.last.front() = at;
  const bool chatters = standing.last.back() != Timestamp{} && at - standing.last.back() <= kChatterWithin;
  count(at, alert, [&](Group& group) {
    group.raised.push_back(at);
    if (chatters) ++group.chattering;
  });
}

void AlarmReport::end(Standing& standing, Timestamp at) {
  standing.is_up = false;
  const Timestamp stale = standing.since + kStaleAfter;
  if (at >= stale) count(stale, standing.alert, [](Group& group) { ++group.stale; });
}

/// A flood is of no rule: only days have a part of it.
void AlarmReport::add_flood(Timestamp from, Timestamp to) {
  from = std::max(from, period_.from);
  to = std::min(to, period_.to);
  if (from >= to) return;
  total_.in_flood += to - from;
  if (by_ != By::day) return;
  for (Timestamp at = from; at < to; at = day_of(at) + Days(1))
    groups_[{date(at)}].in_flood += std::min(to, Timestamp(day_of(at) + Days(1))) - at;
}

/// A day without alerts is a day all the same.
void AlarmReport::fill_days() {
  for (Timestamp at = period_.from; at < period_.to; at = day_of(at) + Days(1)) groups_[{date(at)}];
}

AlarmFigures AlarmReport::figures(const Group& group, const Interval& period) {
  return {group.raised.size(),       most_within(group.raised),  group.chattering, group.stale,
          group.acknowledged.size(), median(group.acknowledged), group.in_flood,   period.to - period.from};
}

std::vector<AlarmReport::Line> AlarmReport::lines() {
  for (auto& [id, standing] : standing_) {
    if (standing.is_up) end(standing, period_.to);
  }
  if (flood_since_) add_flood(*flood_since_, period_.to);
  if (by_ == By::day) fill_days();
  std::vector<Line> lines;
  for (const auto& [key, group] : groups_) {
    Interval span = period_;
    if (by_ == By::day || by_ == By::rule_and_day) {
      const auto day = parse_time(key.front(), Timestamp{});
      if (day) span = {std::max(period_.from, *day), std::min(period_.to, Timestamp(*day + Days(1)))};
    }
    lines.push_back({key, figures(group, span)});
  }
  std::stable_sort(lines.begin(), lines.end(), [this](const Line& a, const Line& b) {
    if (by_ == By::day || (by_ == By::rule_and_day && a.of.front() != b.of.front())) return a.of < b.of;
    return a.figures.raised > b.figures.raised;
  });
  return lines;
}

}  // namespace tidegate::rules
