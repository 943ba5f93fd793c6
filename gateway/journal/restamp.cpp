// What was committed while nobody had set the clock: found again, and mended when somebody has.

#include <algorithm>

#include "gateway/core/clock.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/writer.h"

namespace tidegate::journal {
namespace {

// Bounds the work of one call.
constexpr std::size_t kBatchesAStep = 512;
constexpr std::size_t kSamplesAStep = 65'536;

}  // namespace

struct Writer::Stamped {
  Batch batch;
  Unset unset;           ///< nothing: it needs no mending
  bool readable = true;  ///< its samples; else its reader receives a gap
  bool sound = true;     ///< its row; else nothing of it is believed, and it stays the gap that it is
};

/// Another start of the machine had another uptime, so its batches keep the times that they have.
Status Writer::find_unsettled() {
  const auto first = connection_->number("SELECT value FROM meta WHERE key = 'unset_first'");
  if (!first) return fail(first.error());
  const auto boot = connection_->text("SELECT value FROM meta WHERE key = 'unset_boot'");
  if (!boot) return fail(boot.error());
  unsettled_ = {};
  tells_of_unset_ = *first > 0;
  if (boot->empty() || *boot != boot_id()) return {};
  const auto last =
      connection_->number(fmt::format("SELECT max(seq) FROM batch WHERE seq >= {} AND unset IS NOT NULL", *first));
  if (!last) return fail(last.error());
  if (*last > 0) unsettled_ = {Seq{*first}, Seq{*last}};
  return {};
}

Status Writer::put_unset(Seq first) {
  if (Status status = statements_->meta.bind("unset_boot", boot_id()).run(); !status) return status;
  return statements_->meta.bind("unset_first", number(first)).run();
}

/// As many as one step takes.
Result<std::vector<Writer::Stamped>> Writer::newest_unsettled() {
  auto rows = connection_->prepare(
      fmt::format("SELECT seq, committed, unset, data, {} FROM batch WHERE seq >= ? AND seq <= ? ORDER BY seq DESC",
                  sound_by(kBatchCrc)));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(unsettled_.first), number(unsettled_.last));
  std::vector<Stamped> found;
  for (std::size_t samples = 0; found.size() < kBatchesAStep && samples < kSamplesAStep;) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    Stamped& stamped = found.emplace_back();
    stamped.batch.seq = Seq{rows->integer(0)};
    stamped.batch.committed = Timestamp{Micros{rows->integer(1)}};
    if (!rows->null(2)) stamped.unset = Micros{rows->integer(2)};
    stamped.sound = rows->integer(4) != 0;
    stamped.readable = decode(rows->text(3), stamped.batch.samples).has_value();
    samples += stamped.batch.samples.size();
  }
  return found;
}

/// Of one that cannot be read the commit alone, which keeps it in order.
Status Writer::put_restamped(const Stamped& stamped) {
  auto put = connection_->prepare(
      "UPDATE batch SET committed = ?, first_time = coalesce(?, first_time), last_time = coalesce(?, last_time), "
      "data = coalesce(?, data), unset = NULL WHERE seq = ?");
  if (!put) return fail(std::move(put.error()));
  auto seal = connection_->prepare(fmt::format("UPDATE batch SET crc = {} WHERE seq = ?", kBatchCrc));
  if (!seal) return fail(std::move(seal.error()));
  const Batch& batch = stamped.batch;
  const Times times = times_of(batch);
  const std::string data = encode(batch.samples);
  const auto ticks = [](Timestamp time) { return std::int64_t{time.time_since_epoch().count()}; };
  const auto known = [&](auto value) { return stamped.readable ? std::optional(value) : std::nullopt; };
  put->bind(ticks(batch.committed), known(ticks(times.first)), known(ticks(times.last)), known(sql::Blob{data}),
            number(batch.seq));
  if (Status status = put->run(); !status) return status;
  return seal->bind(number(batch.seq)).run();
}

Result<std::vector<Batch>> Writer::restamp(const Moment& now) {
  std::vector<Batch> changed;
  Seq left{0};
  Timestamp oldest{};
  const Micros uptime = now.time.time_since_epoch() - now.ahead;
  Status status = guarded([&]() -> Status {
    changed.clear();
    oldest = oldest_;
    const auto later =
        connection_->number(fmt::format("SELECT committed FROM batch WHERE seq > {} AND {} ORDER BY seq LIMIT 1",
                                        number(unsettled_.last), sound_by(kBatchCrc)));
    if (!later) return fail(later.error());
    auto found = newest_unsettled();
    if (!found) return fail(std::move(found.error()));
    Timestamp most = *later == 0 ? now.time : Timestamp{Micros{*later}};
    for (Stamped& stamped : *found) {
      Batch& batch = stamped.batch;
      left = prev(batch.seq);
      if (!stamped.sound) continue;
      const Micros by = stamped.unset ? now.ahead - *stamped.unset : Micros{0};
      if (by > Micros{0}) {
        const Timestamp start{*stamped.unset}, end = std::min(batch.committed, start + uptime);
        tidegate::restamp(batch.samples, start, end, by);
        // It may have been held at an earlier commit, whose clock was ahead.
        if (batch.committed <= end) batch.committed = std::min(batch.committed + by, most);
        if (Status put = put_restamped(stamped); !put) return put;
      }
      most = std::min(most, batch.committed);
      if (batch.seq == first_) oldest = batch.committed;
      if (by > Micros{0} && stamped.readable) changed.push_back(std::move(batch));
    }
    return {};
  });
  if (!status) return fail(std::move(status.error()));
  unsettled_.last = left;
  if (unsettled_.last < unsettled_.first) unsettled_ = {};
  oldest_ = oldest;
  return changed;
}

Status Writer::settle(const std::string& latest) {
  Status status = guarded([&]() -> Status {
    if (Status put = put_latest(latest); !put) return put;
    return connection_->run("DELETE FROM meta WHERE key IN ('unset_boot', 'unset_first')");
  });
  if (status) tells_of_unset_ = false;
  return status;
}

}  // namespace tidegate::journal
