// What a journal does beside: saves where everybody is, mends times and damage, retires, measures.

#include <algorithm>

#include "gateway/journal/journal_impl.h"
#include "gateway/journal/restore.h"

namespace tidegate::journal {
namespace {

/// The newest samples are saved again after so many: it bounds what a start reads.
constexpr std::int64_t kBatchesBetweenSaves = 2'000;
constexpr std::size_t kSamplesBetweenSaves = 500'000;

/// So often the time is kept where nothing is committed: a box without a battery begins after it.
constexpr Micros kTimeIsSaved = std::chrono::minutes(5);

}  // namespace

std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(file, missing);
  return missing ? 0 : size;
}

void Journal::Impl::note_sizes() {
  samples = writer->samples();
  events = writer->events();
  used = writer->used_bytes();
  oldest = writer->oldest().time_since_epoch().count();
  used_bytes.set(static_cast<double>(used.load()));
  file_bytes.set(static_cast<double>(size_of(file) + size_of(file.string() + "-wal")));
}

/// Cursors, dead letters and, when due or asked for, the time and the newest samples.
Status Journal::Impl::save(bool newest) {
  Writer::Upkeep upkeep{cursors.moved(), letters.changes(), options.max_dead_letters};
  const Seq last = tail.ends().last;
  const bool many =
      number(last) - number(latest_saved) >= kBatchesBetweenSaves || samples_since_save >= kSamplesBetweenSaves;
  const Timestamp now = clock.now();
  if (now - std::max(last_committed, time_saved) >= kTimeIsSaved) upkeep.time = now;
  if (last > latest_saved && (newest || many)) upkeep.latest = encode_latest(tail.latest(catalogue.size()));
  if (!upkeep.empty()) {
    if (Status status = resist([&] { return writer->save(upkeep); }); !status) return status;
    cursors.saved(upkeep.cursors);
  }
  time_saved = upkeep.time.value_or(time_saved);
  letters.saved(upkeep.letters, now);
  if (upkeep.latest) {
    latest_saved = last;
    samples_since_save = 0;
  }
  return {};
}

/// A step of retention. What goes is in the save of the newest samples first: a silent series' last word is nowhere
/// else.
Status Journal::Impl::retire() {
  const Timestamp now = clock.now();
  // Not before history has a cursor: then it has not said yet how far it is.
  const Seq released = cursors.find(kHistoryCursor) ? cursors.least_saved().value_or(Seq{0}) : Seq{0};
  // And by times that are still to be mended nothing is old.
  const Timestamp oldest_kept = first_unsettled == 0 ? now - options.retention : Timestamp::min();
  Writer::Limits limits{oldest_kept,           released,
                        now - log_keep.load(), latest_saved,
                        options.max_bytes,     options.when_full != WhenFull::reject,
                        options.max_events,    options.max_snapshot_bytes};
  const auto step = [&] { return resist([&] { return writer->retire(limits); }); };
  Status status = step();
  if (!status || writer->first() <= latest_saved || latest_saved == tail.ends().last) return status;
  // A disk that takes no save needs the room more.
  limits.remembered = save(true) ? latest_saved : tail.ends().last;
  if (Status again = step(); !again && status) status = std::move(again);
  return status;
}

/// A step of mending the times of what was committed before the clock was set.
Status Journal::Impl::settle() {
  const Moment now = clock.moment();
  if (!now.settled || !writer->tells_of_unset()) return {};
  if (first_unsettled > 0) {
    latest_saved = std::min(latest_saved, Seq{first_unsettled - 1});  // it has the old times
    if (Status status = restamp(now); !status) return status;
    if (number(writer->unsettled().first) > 0) return {};
  }
  const std::string latest = encode_latest(tail.latest(catalogue.size()));
  if (Status status = resist([&] { return writer->settle(latest); }); !status) return status;
  latest_saved = tail.ends().last;
  first_unsettled = 0;
  const std::uint64_t batches = std::exchange(restamped, 0);
  if (batches == 0) return {};
  return tell(
      {"clock", fmt::format("{} commits were made before the clock was set: what the gateway stamped in them has "
                            "its true times now",
                            batches)});
}

Status Journal::Impl::restamp(const Moment& now) {
  std::vector<Batch> changed;
  Status status = resist([&]() -> Status {
    auto step = writer->restamp(now);
    if (!step) return fail(std::move(step.error()));
    changed = std::move(*step);
    return {};
  });
  if (!status) return status;
  for (const Batch& batch : changed) {
    tail.restamp(batch);
    last_committed = std::max(last_committed, batch.committed);
  }
  restamped += changed.size();
  return {};
}

Status Journal::maintain() {
  const std::lock_guard lock(impl_->write_mutex);
  Writer& writer = *impl_->writer;
  Status status = impl_->mend_alerts();
  // A file that is replaced tells of its damage itself.
  Status looked = impl_->look_for_damage();
  if (looked) looked = impl_->tell_damage();
  if (!looked && status) status = std::move(looked);
  if (Status settled = impl_->settle(); !settled && status) status = std::move(settled);
  if (Status saved = impl_->save(false); !saved && status) status = std::move(saved);
  if (Status retired = impl_->retire(); !retired && status) status = std::move(retired);
  if (const Seq first = impl_->tail.ends().first; writer.first() > first) {
    impl_->retired.add(static_cast<double>(number(writer.first()) - number(first)));
    impl_->tail.retire(writer.first());
  }
  if (Status done = impl_->resist([&] { return writer.checkpoint_if_due(); }); !done && status)
    status = std::move(done);
  impl_->reserve.make();
  impl_->note_sizes();
  return status;
}

}  // namespace tidegate::journal
