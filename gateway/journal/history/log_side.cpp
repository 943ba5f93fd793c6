#include "gateway/journal/history/log_side.h"

#include "gateway/journal/codec.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal::history {

Result<std::pair<std::string, Seq>> compacted(sql::Connection& log) {
  auto epoch = history_epoch(log);
  if (!epoch) return fail(std::move(epoch.error()));
  // What the log does not begin with any more is in the files or nowhere, wherever a cursor was lost.
  const auto through = log.number(
      "SELECT max(coalesce((SELECT seq FROM cursor WHERE name = 'history'), 0), coalesce((SELECT min(seq) - 1 FROM "
      "batch), 0))");
  if (!through) return fail(through.error());
  return std::pair{std::move(*epoch), Seq{*through}};
}

Status read_log(sql::Connection& log, Seq after, Seq last, Range range, Unreadable& unreadable,
                const std::function<void(std::span<const Sample>)>& take) {
  // A row whose times cannot be trusted is read to see.
  auto rows = log.prepare(fmt::format(
      "SELECT data, samples FROM batch WHERE seq > ? AND seq <= ? AND (last_time >= ? AND first_time < ? OR NOT "
      "{}) ORDER BY seq",
      sound_by(log, kBatchCrc)));
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(after), number(last), range.from.time_since_epoch().count(), range.to.time_since_epoch().count());
  std::vector<Sample> samples;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (decode(rows->text(0), samples)) {
      take(samples);
    } else {
      ++unreadable.chunks;
      unreadable.samples += static_cast<std::uint64_t>(std::max<std::int64_t>(0, rows->integer(1)));
    }
  }
}

}  // namespace tidegate::journal::history
