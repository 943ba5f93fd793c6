#include "tests/bench/score.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidegate::bench {
namespace {

constexpr double kFalseAlarmWeight = 0.11;

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

/// 0.98661 at a window's beginning (-1), 0 at its end, almost -1 one width behind it.
double sigmoid(double position) { return position >= 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1; }

constexpr std::size_t kNoWindow = std::numeric_limits<std::size_t>::max();

/// A reading, and what it is worth if the threshold is at or below its score.
struct Worth {
  double score, worth;
  std::size_t window;
};

/// The first reading of a window, and that behind its last.
struct Rows {
  std::size_t begin, end;
};

std::vector<Rows> rows_of(const Scored& file) {
  std::vector<Rows> rows;
  for (const Span& span : file.spans) {
    const auto begin = std::lower_bound(file.times.begin(), file.times.end(), span.start);
    const auto end = std::upper_bound(begin, file.times.end(), span.end);
    if (begin != end)
      rows.push_back(
          {static_cast<std::size_t>(begin - file.times.begin()), static_cast<std::size_t>(end - file.times.begin())});
  }
  return rows;
}

double worth_outside(std::size_t row, const Rows* before) {
  if (before == nullptr) return -kFalseAlarmWeight;
  const double width = static_cast<double>(before->end - before->begin) - 1;
  const double past = static_cast<double>(row - (before->end - 1));
  return kFalseAlarmWeight * (width > 0 ? sigmoid(past / width) : -1);
}

/// Adds a file's readings; `windows` counts those of which at least one reading counts.
void weigh(const Scored& file, std::vector<Worth>& all, std::size_t& windows) {
  const auto probation = std::min<std::size_t>(file.scores.size() * 15 / 100, 750);
  const Rows* before = nullptr;
  std::size_t row = 0;
  const auto outside = [&](std::size_t until) {
    for (; row < until; ++row)
      if (row >= probation) all.push_back({file.scores[row], worth_outside(row, before), kNoWindow});
  };
  const std::vector<Rows> rows = rows_of(file);
  for (const Rows& window : rows) {
    outside(window.begin);
    const auto width = static_cast<double>(window.end - window.begin);
    for (row = std::max(row, window.begin); row < window.end; ++row) {
      const double position = -static_cast<double>(window.end - row) / width;
      if (row >= probation) all.push_back({file.scores[row], sigmoid(position) / sigmoid(-1), windows});
    }
    if (window.end > probation) ++windows;
    before = &window;
  }
  outside(file.scores.size());
}

}  // namespace

double Tally::precision() const { return share(right, alarms); }
double Tally::recall() const { return share(found, faults); }
double Tally::median_delay() const {
  if (delays.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted = delays;
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2];
}
double Tally::false_alarms_a_day() const { return days > 0 ? static_cast<double>(alarms - right) / days : 0; }
void Tally::add(const Tally& other) {
  alarms += other.alarms;
  right += other.right;
  faults += other.faults;
  found += other.found;
  days += other.days;
  delays.insert(delays.end(), other.delays.begin(), other.delays.end());
}

Tally tally(std::span<const Timestamp> alarms, std::span<const Span> faults, Timestamp from, Timestamp until) {
  Tally made;
  made.days = static_cast<double>((until - from).count()) / 86'400e6;
  std::vector<bool> is_found(faults.size());
  for (const Timestamp alarm : alarms) {
    if (alarm < from) continue;
    ++made.alarms;
    const auto fault = std::find_if(faults.begin(), faults.end(),
                                    [&](const Span& span) { return span.start <= alarm && alarm <= span.end; });
    if (fault == faults.end()) continue;
    ++made.right;
    const auto number = static_cast<std::size_t>(fault - faults.begin());
    if (is_found[number]) continue;
    is_found[number] = true;
    ++made.found;
    made.delays.push_back(static_cast<double>((alarm - fault->start).count()) * 1e-6);
  }
  made.faults = static_cast<std::size_t>(
      std::count_if(faults.begin(), faults.end(), [&](const Span& span) { return span.end >= from; }));
  return made;
}

Standard standard_score(std::span<const Scored> files) {
  std::vector<Worth> all;
  std::size_t windows = 0;
  for (const Scored& file : files) weigh(file, all, windows);
  std::stable_sort(all.begin(), all.end(), [](const Worth& a, const Worth& b) { return a.score > b.score; });
  std::vector<double> best_in(windows, -1);
  const double silent = -static_cast<double>(windows);
  double total = silent, best = silent, threshold = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].window == kNoWindow) {
      total += all[i].worth;
    } else if (double& known = best_in[all[i].window]; all[i].worth > known) {
      total += all[i].worth - known;
      known = all[i].worth;
    }
    const bool is_last_of_its_score = i + 1 == all.size() || all[i + 1].score < all[i].score;
    if (is_last_of_its_score && total > best) {
      best = total;
      threshold = all[i].score;
    }
  }
  return {windows == 0 ? 0 : 50 * (best - silent) / static_cast<double>(windows), threshold};
}

}  // namespace tidegate::bench
