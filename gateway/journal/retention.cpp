#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

constexpr std::uint64_t kBytesAStep = 4u << 20;  ///< bounds the work of one call
constexpr std::int64_t kEventsAStep = 1000;
constexpr std::uint64_t kEventShare = 4;  ///< events have at most a quarter of max_bytes, which metrics cannot push out

/// The last event up to {0} that ends a batch; of a batch that begins with the oldest event and goes on beyond, its
/// end.
constexpr const char* kLastOfABatch = R"(SELECT coalesce(
  (SELECT id FROM event NOT INDEXED WHERE id <= {0} AND seq < (SELECT seq FROM event WHERE id = {0} + 1)
     ORDER BY id DESC LIMIT 1),
  (SELECT max(id) FROM event WHERE seq = (SELECT seq FROM event WHERE id = {0})),
  {0}))";

}  // namespace

Status Writer::retire(const Limits& limits) {
  if (Status status = mend(); !status) return status;
  if (Status status = measure(); !status) return status;
  if (Status status = retire_old_batches(limits); !status) return status;
  if (Status status = retire_old_events(limits); !status) return status;
  return retire_old_snapshots(limits);
}

Status Writer::measure() {
  const auto pages_of = [](sql::Statement& statement) -> Result<std::uint64_t> {
    const Result<bool> row = statement.bind().step();
    if (!row) return fail(row.error());
    const auto pages = static_cast<std::uint64_t>(statement.integer(0));
    statement.reset();
    return pages;
  };
  const auto pages = pages_of(statements_->page_count);
  if (!pages) return fail(pages.error());
  const auto unused = pages_of(statements_->free_pages);
  if (!unused) return fail(unused.error());
  used_bytes_ = (*pages - *unused) * page_bytes_;
  return {};
}

/// The newest batch always stays: it carries the log's last number over a restart.
Status Writer::retire_old_batches(const Limits& limits) {
  // By a clock that nobody had set nothing is old.
  const auto outlived = [&](Seq seq, Timestamp committed) {
    return (committed < limits.oldest && committed >= kClockIsSet) ||
           (seq <= limits.released && committed < limits.recent);
  };
  const std::uint64_t excess = limits.drop_oldest ? used_bytes_ - std::min(used_bytes_, limits.max_bytes) : 0;
  if (first_ >= last_ || first_ > limits.remembered || (!outlived(first_, oldest_) && excess == 0)) return {};
  Seq through = prev(first_);
  std::int64_t samples = samples_retired_;
  Timestamp oldest = oldest_;
  Status status = guarded([&]() -> Status {
    std::uint64_t freed = 0;
    sql::Statement& rows = statements_->oldest_batches.bind(number(first_));
    while (freed < kBytesAStep) {
      const Result<bool> row = rows.step();
      if (!row) return fail(row.error());
      if (!*row) break;
      const Seq seq{rows.integer(0)};
      if (rows.integer(5) == 0) return fail(Errc::corrupt, "the row of batch {} is damaged", number(seq));
      oldest = Timestamp{Micros{rows.integer(1)}};
      samples = rows.integer(4);
      if (seq == last_ || seq > limits.remembered || (!outlived(seq, oldest) && freed >= excess)) break;
      freed += static_cast<std::uint64_t>(rows.integer(2));
      samples = rows.integer(3);
      through = seq;
    }
    rows.reset();
    return through < first_ ? Status{} : remove_batches(through, samples);
  });
  if (!status) return status;
  oldest_ = oldest;
  if (through < first_) return {};
  first_ = next(through);
  samples_retired_ = samples;
  return {};
}

/// Moves the last event to go to the end of a batch, so that what is told of a batch is told of it whole.
Status Writer::end_with_batch(std::int64_t& through) {
  const auto end = connection_->number(fmt::format(kLastOfABatch, through));
  if (!end) return fail(end.error());
  through = *end;
  return {};
}

Status Writer::mark_retired(std::int64_t through) {
  const std::pair<const char*, int> kinds[] = {{"alerts_retired_through", 1}, {"snapshots_retired_through", 2}};
  for (const auto& [key, alert] : kinds) {
    const auto last = connection_->number(
        fmt::format("SELECT max(seq) FROM event NOT INDEXED WHERE id <= {} AND alert = {}", through, alert));
    if (!last) return fail(last.error());
    if (*last == 0) continue;
    if (Status status = statements_->meta.bind(key, *last).run(); !status) return status;
  }
  return {};
}

/// The samples alone: the events stay, and tell that there was one.
Status Writer::retire_old_snapshots(const Limits& limits) {
  if (snapshot_bytes_ <= limits.max_snapshot_bytes) return {};
  Status status = guarded([&]() -> Status {
    auto rows = connection_->prepare("SELECT seq, length(data) FROM snapshot ORDER BY seq");
    if (!rows) return fail(std::move(rows.error()));
    Seq through{0};
    for (std::uint64_t left = snapshot_bytes_; left > limits.max_snapshot_bytes;) {
      const Result<bool> row = rows->step();
      if (!row) return fail(row.error());
      if (!*row) break;
      through = Seq{rows->integer(0)};
      left -= std::min(left, static_cast<std::uint64_t>(rows->integer(1)));
    }
    rows->reset();
    return connection_->run(fmt::format("DELETE FROM snapshot WHERE seq <= {}", number(through)).c_str());
  });
  return status ? count_snapshots() : status;
}

/// Where the log begins is told twice: what is missing after it is damage, and can be counted.
Status Writer::remove_batches(Seq through, std::int64_t samples) {
  if (Status status = statements_->retire_batches.bind(number(through)).run(); !status) return status;
  if (Status status = statements_->meta.bind("retired_seq", number(through)).run(); !status) return status;
  return statements_->meta.bind("retired_samples", samples).run();
}

Status Writer::retire_old_events(const Limits& limits) {
  const auto stored = static_cast<std::int64_t>(events());
  const auto allowed = static_cast<std::int64_t>(limits.max_events);
  const std::uint64_t max_bytes = limits.max_bytes / kEventShare;
  std::int64_t too_many = std::max<std::int64_t>(0, stored - allowed);
  if (event_bytes_ > max_bytes && stored > 0) {
    const std::uint64_t mean = event_bytes_ / static_cast<std::uint64_t>(stored) + 1;
    too_many = std::max(too_many, static_cast<std::int64_t>((event_bytes_ - max_bytes) / mean) + 1);
  }
  too_many = std::min(too_many, stored);
  if (too_many <= 0) return {};
  std::int64_t through = events_first_ - 1 + std::min(too_many, kEventsAStep);
  std::uint64_t left = event_bytes_;
  Status status = guarded([&]() -> Status {
    if (Status whole = end_with_batch(through); !whole) return whole;
    if (Status told = mark_retired(through); !told) return told;
    const auto gone = connection_->number(
        fmt::format("SELECT coalesce(sum(length(CAST(json AS BLOB))), 0) FROM event WHERE id <= {}", through));
    if (!gone) return fail(gone.error());
    left -= std::min(left, static_cast<std::uint64_t>(*gone));
    const std::string snapshots =
        fmt::format("DELETE FROM snapshot WHERE seq <= (SELECT seq FROM event WHERE id = {})", through);
    if (Status deleted = connection_->run(snapshots.c_str()); !deleted) return deleted;
    if (Status deleted = statements_->retire_events.bind(through).run(); !deleted) return deleted;
    if (Status told = statements_->meta.bind("events_retired", through).run(); !told) return told;
    return statements_->meta.bind("event_bytes", static_cast<std::int64_t>(left)).run();
  });
  if (!status) return status;
  events_first_ = through + 1;
  event_bytes_ = left;
  return count_snapshots();
}

}  // namespace tidegate::journal
