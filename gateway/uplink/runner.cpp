#include "gateway/uplink/runner.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "gateway/config/certificates.h"
#include "gateway/core/sleep.h"
#include "gateway/core/time_text.h"

namespace tidegate::uplink {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// One round of samples: enough for speed, little enough that an alert does not wait long behind it.
constexpr journal::ReadLimits kRound{64, 32'768};
constexpr std::size_t kAlertsARound = 500;
constexpr std::size_t kAlertsOfManyParts = 5'000;
constexpr std::size_t kSnapshotsARound = 2;
/// As many as a commit has at most, so that its messages are no larger than those of samples.
constexpr std::size_t kSnapshotSamplesAMessage = 8'192;
constexpr Micros kIdleWait = 500ms;
/// A backlog younger than this is just the pulse of batches.
constexpr Micros kUsualLag = 10s;
/// A broker of MQTT 3.1.1 can refuse a message only by closing the connection, which has other reasons too: so many
/// times with the others of its round, and then so many times alone.
constexpr int kBreaksTogether = 3;
constexpr int kBreaksAlone = 5;
/// To halve a message loses nothing, so it comes sooner: after so many alone, and one with the others.
constexpr int kBreaksBeforeHalving = 2;
/// A connection also breaks for reasons of its own, so now and then twice as much is tried again.
constexpr Micros kTryMoreAfter = 1h;

std::string cursor(const std::string& name, Lane lane) { return fmt::format("uplink/{}/{}", name, name_of(lane)); }

journal::BatchPtr gap_of(Gap gap) {
  Batch batch;
  batch.seq = gap.last;
  batch.gap = std::move(gap);
  return std::make_shared<const Batch>(std::move(batch));
}

/// The events of batches behind `after`, a batch each. A batch of which one cannot be read has a gap before the rest.
void add_by_batch(std::vector<journal::StoredEvent> events, Seq after, std::vector<journal::BatchPtr>& out) {
  for (auto event = events.begin(); event != events.end();) {
    Batch batch;
    batch.seq = event->seq;
    for (; event != events.end() && event->seq == batch.seq; ++event) {
      if (event->damaged) {
        ++batch.damaged_events;
      } else {
        if (batch.events.empty()) batch.committed = event->event.time;
        batch.events.push_back(std::move(event->event));
      }
    }
    if (batch.seq <= after) continue;
    if (batch.damaged_events > 0) out.push_back(gap_of({batch.seq, batch.seq, "damaged"}));
    if (!batch.events.empty()) out.push_back(std::make_shared<const Batch>(std::move(batch)));
  }
}

std::size_t items(Lane lane, const Batch& batch) {
  return lane == Lane::alerts ? batch.events.size() : batch.samples.size();
}

/// What of a batch is left behind the first `done` samples or events, in parcels of at most `most`; a gap is one.
void cut(Lane lane, const journal::BatchPtr& batch, std::size_t done, std::size_t most, std::vector<Parcel>& out) {
  const std::size_t all = items(lane, *batch);
  if (all == 0) out.push_back({.batch = batch});
  const bool rest = lane == Lane::alerts && batch->damaged_events > 0;  // its gap has the number already
  for (std::size_t first = done; first < all; first = out.back().first + out.back().count) {
    const std::size_t count = std::min(most, all - first);
    out.push_back({batch, first, count, rest || count < all});
  }
}

/// Commits that a gap tells of; of what stands in few commits nobody knows how many it took along.
std::uint64_t lost_in(Lane lane, const Batch& batch) {
  if (!batch.gap) return 0;
  return lane == Lane::samples ? static_cast<std::uint64_t>(number(batch.gap->last) - number(batch.gap->first) + 1) : 1;
}

}  // namespace

Runner::Runner(Section section, std::unique_ptr<Uplink> uplink, journal::Journal& journal, const Clock& clock,
               Metrics& metrics, Waits waits)
    : section_(std::move(section)),
      waits_(waits),
      uplink_(std::move(uplink)),
      journal_(journal),
      clock_(clock),
      metrics_(metrics),
      backlog_metric_(
          metrics.gauge("uplink/" + name() + "/backlog_batches", "", "Batches not yet acknowledged upstream.")),
      delivered_metric_(
          metrics.counter("uplink/" + name() + "/delivered_samples", "", "Samples acknowledged upstream.")),
      failures_metric_(metrics.counter("uplink/" + name() + "/failures", "",
                                       "Sends and connections that failed and were tried again.")),
      lost_metric_(
          metrics.counter("uplink/" + name() + "/lost_batches", "",
                          "Batches that could not be sent any more (of alerts, gaps; of a batch in parts, those).")),
      drain_metric_(metrics.gauge(
          "uplink/" + name() + "/drain_time", "s",
          "Until the backlog is sent, at the present speed; -1: it does not shrink, or something cannot be sent.")) {}

Runner::~Runner() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
}

void Runner::start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](std::stop_token stop) {
    run(std::move(stop));
    uplink_.reset();
  });
}

Runner::Stats Runner::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Runner::run(std::stop_token stop) {
  Backoff backoff(waits_.first, waits_.longest, std::hash<std::string>{}(name()));
  measured_at_ = Steady::now();
  while (!stop.stop_requested()) {
    const Round done = round(stop);
    if (stop.stop_requested()) return;
    measure(done);
    if (done.status) {
      backoff.reset();
      if (!done.sent_any) journal_.wait(heard_, kIdleWait, stop);
      continue;
    }
    failures_metric_.add();
    const Micros wait = backoff.next();
    {
      const std::lock_guard lock(mutex_);
      stats_.health = SourceHealth::down;
      stats_.text = fmt::format("{}; next try in {}", done.status.error().text, age_text(wait));
    }
    rest(wait, stop);
  }
}

/// Until the next try.
void Runner::rest(Micros wait, const std::stop_token& stop) const {
  const Steady::time_point until = Steady::now() + wait;
  Seq heard = heard_;
  const auto left = [&] { return std::chrono::duration_cast<Micros>(until - Steady::now()); };
  while (waits_.many_parts && journal_.wait(heard, std::max(left(), Micros{0}), stop)) {
    const Seq last = journal_.last();
    const auto news = journal_.events({.after = heard, .limit = 1, .alerts_only = true});
    if (!news || !news->empty()) return;
    heard = last;
  }
  sleep_for(std::max(left(), Micros{0}), stop);
}

Runner::Round Runner::round(std::stop_token stop) {
  const bool wants_samples = uplink_->carries(Lane::samples);
  const bool wants_snapshots = uplink_->carries(Lane::snapshots);
  const auto alerts_at = journal_.position(cursor(name(), Lane::alerts));
  const auto snapshots_at = wants_snapshots ? journal_.position(cursor(name(), Lane::snapshots)) : alerts_at;
  const auto samples_at = wants_samples ? journal_.position(cursor(name(), Lane::samples)) : alerts_at;
  for (const auto* at : {&alerts_at, &snapshots_at, &samples_at}) {
    if (!*at) return {false, fail(at->error())};
  }
  at_ = *samples_at;
  heard_ = journal_.last();
  Round done = send_alerts(*alerts_at, stop);
  for (const Round& other : {wants_snapshots ? send_snapshots(*snapshots_at, stop) : Round{},
                             wants_samples ? send_samples(stop) : Round{}}) {
    done.sent_any |= other.sent_any;
    if (done.status) done.status = other.status;
  }
  if (!done.sent_any && done.status) return {false, uplink_->reach(stop)};
  return done;
}

/// Alert transitions after `after`, of whole batches only: a batch that the limit cut in two would move the cursor past
/// its rest. From the table of events, not from the batches: an alert need not wait until a backlog of metrics was
/// read.
Result<Runner::Alerts> Runner::alerts_after(Seq after) const {
  Alerts alerts{{}, journal_.last()};
  for (std::size_t limit = waits_.many_parts ? kAlertsOfManyParts : kAlertsARound;; limit *= 2) {
    auto events = journal_.events({.after = after, .limit = limit, .alerts_only = true, .damaged_too = true});
    if (!events) return fail(events.error());
    const bool cut = events->size() == limit;
    if (cut && events->front().seq == events->back().seq) continue;
    if (cut) {
      const Seq unfinished = events->back().seq;
      while (events->back().seq == unfinished) events->pop_back();
      alerts.through = events->back().seq;
    }
    const auto retired = journal_.alerts_retired();
    if (!retired) return fail(retired.error());
    if (after < *retired) alerts.batches.push_back(gap_of({next(after), *retired, "retention"}));
    add_by_batch(std::move(*events), *retired, alerts.batches);
    if (!alerts.batches.empty()) alerts.through = std::max(alerts.through, alerts.batches.back()->seq);
    return alerts;
  }
}

Runner::Round Runner::send_alerts(Seq after, std::stop_token stop) {
  const auto alerts = alerts_after(after);
  if (!alerts) return {false, fail(alerts.error())};
  if (!alerts->batches.empty()) return {true, deliver(Lane::alerts, alerts->batches, alerts->through, stop)};
  if (alerts->through > after) return {false, move(Lane::alerts, alerts->through)};
  return {};
}

/// Of one whose samples are gone its gap tells.
Result<journal::BatchPtr> Runner::snapshot_of(journal::StoredEvent stored) const {
  if (stored.damaged) return gap_of({stored.seq, stored.seq, "damaged"});
  auto samples = journal_.snapshot(stored.seq);
  if (!samples && samples.error().code == Errc::not_found) return gap_of({stored.seq, stored.seq, "retention"});
  if (!samples && samples.error().code == Errc::corrupt) return gap_of({stored.seq, stored.seq, "damaged"});
  if (!samples) return fail(std::move(samples.error()));
  Batch batch;
  batch.seq = stored.seq;
  batch.committed = stored.event.time;
  batch.samples = std::move(*samples);
  batch.events.push_back(std::move(stored.event));
  return std::make_shared<const Batch>(std::move(batch));
}

Runner::Round Runner::send_snapshots(Seq after, std::stop_token stop) {
  Seq through = journal_.last();
  auto events =
      journal_.events({.after = after, .limit = kSnapshotsARound, .snapshots_only = true, .damaged_too = true});
  if (!events) return {false, fail(events.error())};
  const auto retired = journal_.snapshots_retired();
  if (!retired) return {false, fail(retired.error())};
  if (events->size() == kSnapshotsARound) through = events->back().seq;
  std::vector<journal::BatchPtr> batches;
  if (after < *retired) batches.push_back(gap_of({next(after), *retired, "retention"}));
  for (journal::StoredEvent& stored : *events) {
    if (stored.seq <= *retired) continue;
    auto batch = snapshot_of(std::move(stored));
    if (!batch) return {false, fail(std::move(batch.error()))};
    batches.push_back(std::move(*batch));
  }
  if (!batches.empty()) {
    through = std::max(through, batches.back()->seq);
    return {true, deliver(Lane::snapshots, batches, through, stop)};
  }
  return through > after ? Round{false, move(Lane::snapshots, through)} : Round{};
}

journal::BatchPtr Runner::only_wanted(const journal::BatchPtr& batch) {
  const auto wanted = [this](const Sample& sample) { return uplink_->wants(sample.series); };
  if (std::all_of(batch->samples.begin(), batch->samples.end(), wanted)) return batch;
  Batch fewer;
  fewer.seq = batch->seq;
  fewer.committed = batch->committed;
  std::copy_if(batch->samples.begin(), batch->samples.end(), std::back_inserter(fewer.samples), wanted);
  return std::make_shared<const Batch>(std::move(fewer));
}

Runner::Round Runner::send_samples(std::stop_token stop) {
  const Seq settled = journal_.settled();
  held_ = settled < heard_;
  auto read = journal_.read(at_, kRound);
  if (!read) return {false, fail(read.error())};
  std::erase_if(*read, [&](const auto& batch) { return batch->seq > settled; });
  if (read->empty()) return {};
  std::vector<journal::BatchPtr> batches;
  Seq through = at_;
  for (const auto& batch : *read) {
    through = batch->seq;
    auto wanted = only_wanted(batch);
    if (wanted->gap || !wanted->samples.empty()) batches.push_back(std::move(wanted));
  }
  const auto held = std::find_if(read->begin(), read->end(), [](const auto& batch) { return !batch->gap; });
  if (held != read->end()) {
    const std::lock_guard lock(mutex_);
    stats_.backlog_oldest = (*held)->committed;
  }
  return {true, batches.empty() ? move(Lane::samples, through) : deliver(Lane::samples, batches, through, stop)};
}

/// Delivers the batches and moves the cursor.
Status Runner::deliver(Lane lane, std::span<const journal::BatchPtr> batches, Seq through, std::stop_token stop) {
  Far& far = far_[static_cast<std::size_t>(lane)];
  if (far.most != kAll && clock_.now() - far.found > kTryMoreAfter) {
    far.most = far.most > kAll / 2 ? kAll : far.most * 2;
    far.found = clock_.now();
  }
  const std::size_t most = lane == Lane::snapshots ? std::min(far.most, kSnapshotSamplesAMessage) : far.most;
  std::vector<Parcel> parcels;
  for (const auto& batch : batches) cut(lane, batch, batch->seq == far.in ? far.done : 0, most, parcels);
  return parcels.empty() ? move(lane, through) : carry(lane, parcels, through, stop);
}

/// What the far end refuses among the parcels is found by sending one at a time, and then half of that one.
Status Runner::carry(Lane lane, std::span<const Parcel> parcels, Seq through, std::stop_token stop) {
  const Parcel& next_one = parcels.front();
  Far& far = far_[static_cast<std::size_t>(lane)];
  const Place place{next_one.batch->seq, next_one.first, next_one.count};
  if (std::exchange(far.tried, place) != place) far.breaks = 0;
  const bool alone = parcels.size() == 1;
  const bool halves = std::any_of(parcels.begin(), parcels.end(), [](const Parcel& one) { return one.count > 1; });
  if (alone || far.breaks < (halves ? 1 : kBreaksTogether)) {
    const Status sent = uplink_->send(lane, parcels, stop);
    if (sent) {
      delivered(lane, parcels);
      return pass(lane, parcels.back(), through);
    }
    if (sent.error().code == Errc::interrupted) ++far.breaks;
    const int patience = halves ? kBreaksBeforeHalving : kBreaksTogether + kBreaksAlone;
    if (sent.error().code != Errc::invalid && far.breaks < patience) return sent;
    if (alone && halves) return carry_halves(lane, next_one, through, stop);
    if (alone) return put_aside(lane, next_one, through, sent.error().text, stop);
  }
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    const bool last = i + 1 == parcels.size();
    const bool ends_batch = last || parcels[i + 1].batch->seq != parcels[i].batch->seq;
    const Seq seq = parcels[i].batch->seq;
    const Seq end = last ? through : ends_batch ? seq : prev(seq);
    if (const Status one = carry(lane, parcels.subspan(i, 1), end, stop); !one) return one;
  }
  return {};
}

/// Most often a message is refused for its size. How much was refused is remembered, since to find it out may have cost
/// the connection.
Status Runner::carry_halves(Lane lane, const Parcel& parcel, Seq through, std::stop_token stop) {
  const std::size_t half = (parcel.count + 1) / 2;
  Far& far = far_[static_cast<std::size_t>(lane)];
  far.most = half;
  far.found = clock_.now();
  const Parcel front{parcel.batch, parcel.first, half, true};
  const Parcel back{parcel.batch, parcel.first + half, parcel.count - half, true};
  if (const Status one = carry(lane, {&front, 1}, prev(parcel.batch->seq), stop); !one) return one;
  return carry(lane, {&back, 1}, through, stop);
}

/// The far end will never take this: its samples are in the history, its alerts in the log; here is told why they are
/// not upstream, and there that they are missing. One that is refused alone says nothing of how many it takes.
Status Runner::put_aside(Lane lane, const Parcel& parcel, Seq through, const std::string& why, std::stop_token stop) {
  const Batch& batch = *parcel.batch;
  if (!batch.gap) {
    const Parcel gap{gap_of({batch.seq, batch.seq, "refused"}), parcel.first, parcel.count, parcel.part};
    const Status told = uplink_->send(lane, {&gap, 1}, stop);
    if (!told && told.error().code != Errc::invalid) return told;
  }
  far_[static_cast<std::size_t>(lane)].most = kAll;
  journal_.dead_letter({clock_.now(), "uplink/" + name(), std::string(name_of(lane)), describe(lane, parcel), why});
  lose(batch.gap ? lost_in(lane, batch) : 1);
  return pass(lane, parcel, through);
}

/// The far end holds this one and all before it, or never will.
Status Runner::pass(Lane lane, const Parcel& parcel, Seq through) {
  Far& far = far_[static_cast<std::size_t>(lane)];
  far.in = parcel.batch->seq;
  far.done = parcel.first + parcel.count;
  return move(lane, through);
}

/// In words, what a parcel of one thing or none holds.
std::string Runner::describe(Lane lane, const Parcel& parcel) const {
  const Batch& batch = *parcel.batch;
  std::string text = fmt::format("commit {}: ", number(batch.seq));
  if (parcel.count == 0) return text + "a gap";
  if (lane != Lane::alerts) {
    const Sample& sample = batch.samples[parcel.first];
    return fmt::format("{}sample {} of {}, of '{}' at {}", text, parcel.first + 1, batch.samples.size(),
                       journal_.catalogue().entry(sample.series).name, rfc3339(sample.time));
  }
  const auto* transition = std::get_if<AlertTransition>(&batch.events[parcel.first].body);
  return fmt::format("{}event {} of {}, of {}", text, parcel.first + 1, batch.events.size(),
                     transition != nullptr ? fmt::format("alert '{}'", transition->alert.id) : "a flood of alerts");
}

Status Runner::move(Lane lane, Seq through) {
  const Status moved = journal_.advance(cursor(name(), lane), through);
  if (moved && (lane == Lane::samples || !uplink_->carries(Lane::samples))) at_ = through;
  return moved;
}

void Runner::lose(std::uint64_t batches) {
  lost_metric_.add(static_cast<double>(batches));
  const std::lock_guard lock(mutex_);
  stats_.lost_batches += batches;
}

void Runner::delivered(Lane lane, std::span<const Parcel> parcels) {
  std::uint64_t samples = 0;
  std::uint64_t lost = 0;
  for (const Parcel& parcel : parcels) {
    if (lane == Lane::samples) samples += parcel.count;
    lost += lost_in(lane, *parcel.batch);
  }
  delivered_samples_ += samples;
  delivered_metric_.add(static_cast<double>(samples));
  if (lost > 0) lose(lost);
  const std::lock_guard lock(mutex_);
  stats_.last_ack = clock_.now();
}

void Runner::measure(const Round& done) {
  const std::uint64_t backlog =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(journal_.last()) - number(at_)));
  const double seconds = std::chrono::duration<double>(Steady::now() - measured_at_).count();
  backlog_metric_.set(static_cast<double>(backlog));
  const Notice notice = uplink_->notice();
  if (notice.certificate_ends) config::show_end(metrics_, "uplink/" + name(), *notice.certificate_ends);
  const std::lock_guard lock(mutex_);
  stats_.backlog_batches = backlog;
  if (backlog == 0) stats_.backlog_oldest.reset();
  const bool old = stats_.backlog_oldest && clock_.now() - *stats_.backlog_oldest > kUsualLag;
  if (!done.status) tell_drain_time(std::nullopt);
  if (done.status) {
    stats_.health = old ? SourceHealth::degraded : SourceHealth::up;
    stats_.text = old               ? fmt::format("catching up: {} batches wait", backlog)
                  : held_           ? "samples wait until the clock is set"
                  : stats_.last_ack ? "all that is stored is delivered"
                                    : "connected; nothing was to be sent yet";
    if (!notice.text.empty()) stats_.text += "; " + notice.text;
  }
  if (seconds < 1) return;
  stats_.rate = static_cast<double>(delivered_samples_ - measured_samples_) / seconds;
  const double shrinks = (static_cast<double>(measured_backlog_) - static_cast<double>(backlog)) / seconds;
  if (done.status && !old) tell_drain_time(held_ ? std::nullopt : std::optional(0.0));
  if (done.status && old) {
    tell_drain_time(shrinks > 0 ? std::optional(static_cast<double>(backlog) / shrinks) : std::nullopt);
  }
  measured_at_ = Steady::now();
  measured_samples_ = delivered_samples_;
  measured_backlog_ = backlog;
}

/// Under `mutex_`.
void Runner::tell_drain_time(std::optional<double> seconds) {
  stats_.drain_seconds = seconds;
  drain_metric_.set(seconds.value_or(-1));
}

}  // namespace tidegate::uplink
