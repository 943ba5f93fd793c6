#include "gateway/app/snapshots.h"

#include <algorithm>

#include "gateway/core/pattern.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/scan.h"

namespace tidegate::app {
namespace {

constexpr std::size_t kEventsAtATime = 1'000;
constexpr std::size_t kMostMade = 100'000;
/// Of the log, in memory while it is read: 6 MB.
constexpr std::size_t kSamplesInMemory = 256u << 10;

/// The wanted series that the log knows, each with its id there; in order of their places.
std::vector<std::pair<std::size_t, SeriesId>> series_of(const SnapshotWish& wish, const journal::StoreView& view,
                                                        const journal::Catalogue& catalogue) {
  std::vector<Pattern> patterns;
  for (const std::string& text : wish.series) {
    if (auto pattern = Pattern::parse(text)) patterns.push_back(std::move(*pattern));
  }
  std::vector<std::pair<std::size_t, SeriesId>> found;
  for (const std::size_t place : view.matching(patterns)) {
    if (found.size() == Snapshots::kMostSeries) break;
    if (const auto id = catalogue.find(view.series()[place].name)) found.emplace_back(place, *id);
  }
  return found;
}

/// Leaves `most` of samples in order of time, those around `middle`: on either side as large a part as of the whole.
void keep_nearest(std::vector<Sample>& samples, std::size_t most, Timestamp middle) {
  if (samples.size() <= most) return;
  const auto is_before = [middle](const Sample& sample) { return sample.time < middle; };
  const auto before = static_cast<std::uint64_t>(std::count_if(samples.begin(), samples.end(), is_before));
  const auto first = static_cast<std::ptrdiff_t>(before - before * most / samples.size());
  samples.erase(samples.begin(), samples.begin() + first);
  samples.resize(most);
}

/// Puts the samples of a series into a snapshot.
class Gathering {
 public:
  Gathering(Snapshot& snapshot, std::size_t share) : snapshot_(snapshot), share_(share) {}

  void add(std::span<const Sample> samples) { of_series_.insert(of_series_.end(), samples.begin(), samples.end()); }
  void end_series(SeriesId id) {
    if (!of_series_.empty()) ++snapshot_.series;
    const std::size_t there = of_series_.size();
    keep_nearest(of_series_, share_, snapshot_.breach);
    snapshot_.left_out += there - of_series_.size();
    for (Sample& sample : of_series_) sample.series = id;
    all_.insert(all_.end(), of_series_.begin(), of_series_.end());
    of_series_.clear();
  }
  void end() {
    snapshot_.samples = static_cast<std::uint32_t>(all_.size());
    snapshot_.columns = journal::encode(all_);
  }

 private:
  Snapshot& snapshot_;
  const std::size_t share_;
  std::vector<Sample> of_series_, all_;
};

}  // namespace

Status Snapshots::take_due(const std::stop_token& stop) {
  // Of which time would it be?
  if (!clock_.moment().settled || journal_.settled() < journal_.last()) return {};
  const auto at = journal_.position(kCursor);
  if (!at) return fail(at.error());
  const Seq last = journal_.last();
  auto made = made_after(*at);
  if (!made) return fail(std::move(made.error()));
  Look look{std::move(*made)};
  Status status;
  std::size_t limit = kEventsAtATime;
  for (Seq after = *at; after < last && status;) {
    const auto events = journal_.events({.after = after, .limit = limit, .alerts_only = true});
    if (!events) return fail(events.error());
    const bool is_cut = events->size() == limit;
    if (is_cut && events->front().seq == events->back().seq) {
      limit *= 2;
      continue;
    }
    for (const auto& [seq, ordinal, damaged, event] : *events) {
      const auto* told = std::get_if<AlertTransition>(&event.body);
      if (told == nullptr || !told->snapshot || !status) continue;
      status = look_at({seq, ordinal, event.time, told->alert.id, *told->snapshot}, look, stop);
    }
    // A batch that the limit cut in two is met once more, and its wishes have their answers.
    after = is_cut ? prev(events->back().seq) : last;
  }
  return status ? move(*at, last, look) : status;
}

Result<std::set<std::pair<Seq, int>>> Snapshots::made_after(Seq after) const {
  const auto events = journal_.events({.after = after, .limit = kMostMade, .snapshots_only = true});
  if (!events) return fail(events.error());
  std::set<std::pair<Seq, int>> made;
  for (const auto& stored : *events) {
    const auto& snapshot = std::get<Snapshot>(stored.event.body);
    made.emplace(snapshot.asked, snapshot.asked_ordinal);
  }
  return made;
}

/// An alert that is raised again while its last snapshot goes on needs none of its own.
Status Snapshots::look_at(const Asked& asked, Look& look, const std::stop_token& stop) {
  look.any = true;
  if (look.made.contains({asked.seq, asked.ordinal})) {
    look.covered[asked.alert] = asked.wish.until;
    return {};
  }
  const auto [covered, is_new] = look.covered.emplace(asked.alert, asked.wish.until);
  if (!is_new && asked.raised <= covered->second) return {};
  covered->second = asked.wish.until;
  if (clock_.now() < due(asked)) {
    look.pending = look.pending.value_or(asked.seq);
    return {};
  }
  if (look.view == nullptr) {
    auto view = journal::StoreView::open(directory_, kSamplesInMemory);
    if (!view) return fail(std::move(view.error()));
    look.view = std::move(*view);
  }
  Status taken = take(asked, *look.view, stop);
  if (taken) look.made.emplace(asked.seq, asked.ordinal);
  return taken;
}

/// A device's clock may lag behind the gateway's, or be ahead: the time that is to pass counts from the commit.
Timestamp Snapshots::due(const Asked& asked) const {
  const auto commit = journal_.commit_of(asked.seq);
  const Timestamp raised = commit && commit->seq == asked.seq ? commit->time : asked.raised;
  if (raised > clock_.now()) return clock_.now();  // of a run with a wrong clock: who knows when that time comes
  return raised + (asked.wish.until - asked.raised) + settle_;
}

Status Snapshots::take(const Asked& asked, journal::StoreView& view, const std::stop_token& stop) {
  Snapshot snapshot{asked.alert, asked.seq, asked.ordinal, asked.raised, asked.wish.from, asked.wish.until};
  const auto series = series_of(asked.wish, view, journal_.catalogue());
  Gathering gathering(snapshot, kMostSamples / std::max<std::size_t>(1, series.size()));
  for (const auto& [place, id] : series) {
    journal::Scan scan(view, {{place}, asked.wish.from, asked.wish.until + Micros{1}}, stop);
    for (auto portion = scan.next();; portion = scan.next()) {
      if (!portion) return fail(portion.error());
      if (portion->samples.empty()) break;
      gathering.add(portion->samples);
    }
    gathering.end_series(id);
  }
  gathering.end();
  Batch batch;
  batch.events.push_back({clock_.now(), std::move(snapshot)});
  const auto stored = journal_.append(std::move(batch));
  return stored ? Status{} : fail(stored.error());
}

/// As seldom as it can: a cursor that moves is a write. It holds up the log no longer than history does.
Status Snapshots::move(Seq from, Seq to, const Look& look) {
  if (look.pending) to = std::min(to, prev(*look.pending));
  if (!look.any) {
    const auto history = journal_.position("history");
    if (!history) return fail(history.error());
    to = std::min(to, *history);
  }
  return to > from ? journal_.advance(kCursor, to) : Status{};
}

}  // namespace tidegate::app
