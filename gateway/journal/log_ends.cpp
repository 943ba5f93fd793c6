#include "gateway/journal/log_ends.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/journal/codec.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/keyed_rows.h"
#include "gateway/journal/salvage_names.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal {
namespace {

constexpr std::int64_t kMostBatchesInWal = 1'000'000;

class Search {
 public:
  Search(sql::Connection& log, const char* sealed) : log_(log), sealed_(sealed) {}

  LogEnds run(const std::filesystem::path& history, const std::string& history_epoch) {
    newest();
    furthest(history, history_epoch);
    oldest();
    ends_.first_event = events_until(false);
    ends_.last_event = events_until(true);
    missing_events();
    ends_.exact = ends_.exact && ends_.last_is_certain;
    return ends_;
  }

 private:
  Result<std::int64_t> ask(const std::string& query) {
    return sql::twice([&] { return log_.number(query); });
  }
  Result<sql::Statement> batches(const char* direction) {
    const std::string query = fmt::format(
        "SELECT seq, samples_before, samples, committed, data, {} FROM batch ORDER BY seq {}", sealed_, direction);
    return sql::twice([&] { return log_.prepare(query); });
  }
  /// A page in another's place has numbers too, but no batches, where no checksum tells.
  bool believed(sql::Statement& row) {
    return row.integer(5) == 1 || (row.integer(5) == -1 && decode(row.text(4), samples_));
  }
  bool whole(sql::Statement& row) { return decode(row.text(4), samples_).has_value(); }

  /// From the end on to the newest row that can be believed: of what lies behind that, what can be counted.
  void newest() {
    auto rows = batches("DESC");
    const auto step = [&] { return rows ? sql::twice([&] { return rows->step(); }) : fail(rows.error()); };
    std::int64_t behind = 0;
    bool is_first = true;
    Result<bool> row = step();
    for (; row && *row; row = step()) {
      if (is_first) ends_.last_is_certain = believed(*rows) && whole(*rows);
      is_first = false;
      if (believed(*rows)) break;
      if (whole(*rows)) behind += static_cast<std::int64_t>(samples_.size());
    }
    if (!row) ends_.last_is_certain = false;
    if (row && *row) {
      ends_.last = rows->integer(0);
      ends_.samples_total = rows->integer(1) + rows->integer(2) + behind;
      ends_.last_committed = Timestamp{Micros{rows->integer(3)}};
    } else if (!ends_.last_is_certain) {
      ends_.samples_total = ask("SELECT value FROM meta WHERE key = 'latest_samples'").value_or(0);
    }
  }

  /// The last batch's number is in several places; the largest counts. Where that is none of a batch, the batches at
  /// the end are missing, though the table may seem to end as it should.
  void furthest(const std::filesystem::path& history, const std::string& history_epoch) {
    const std::int64_t of_batches = ends_.last;
    ends_.last = std::max(ends_.last, number(history::last_of(history, history_epoch)));
    const std::int64_t end = ends_.last;
    for (const char* table : {"batch", "event", "cursor", "(SELECT value AS seq FROM meta WHERE key = 'latest_seq')"}) {
      const auto named = sql::twice([&] { return newest_named(log_, table, end); });
      ends_.last = std::max(ends_.last, named.value_or(0));
    }
    if (ends_.last > of_batches) ends_.last_is_certain = false;
  }

  void oldest() {
    auto rows = batches("");
    const auto row = rows ? sql::twice([&] { return rows->step(); }) : Result<bool>(fail(rows.error()));
    if (row && !*row) return;
    const auto gone = sql::twice([&] { return retired(log_); });
    const bool is_sound = row && believed(*rows);
    if (is_sound && (!gone || !gone->ends_before(rows->integer(0), rows->integer(1)))) {
      ends_.first = rows->integer(0);
      ends_.samples_retired = rows->integer(1);
      ends_.exact = ends_.exact && (gone ? gone->seq + 1 >= ends_.first : ends_.first == 1);
      return;
    }
    ends_.exact = ends_.exact && gone;
    ends_.first = gone.value_or(Retired()).seq + 1;
    ends_.samples_retired = gone.value_or(Retired()).samples;
  }

  std::int64_t events_until(bool newest) {
    const auto end = sql::twice([&] { return end_of_events(log_, newest); });
    if (!end || end->beyond > 0) ends_.exact = false;
    if (!end) return outermost_readable(newest);
    if (!end->sound) return newest && end->beyond == 0 ? 0 : 1;
    if (end->in_a_row()) return end->outermost;
    return newest ? *end->sound + 1 : *end->sound - 1;  // where rows of another page lie there, nobody knows how many
  }

  /// Events that no page leads to: where they begin stands beside them, and each batch says how many it has.
  void missing_events() {
    const auto retired = ask("SELECT coalesce(max(value), -1) FROM meta WHERE key = 'events_retired'");
    if (retired.value_or(-1) >= 0) ends_.first_event = std::min(ends_.first_event, *retired + 1);
    if (!ends_.exact) return;  // the newest is not as it was written, and where it was is not known
    // Sorted anew: a page that two lead to has its rows twice.
    const auto unseen = ask(fmt::format(
        "WITH newest AS (SELECT seq, ordinal FROM event WHERE id = {}), "
        "behind AS (SELECT max(events) AS events FROM batch WHERE seq >= coalesce((SELECT seq FROM newest), 0) "
        "AND {} = 1 GROUP BY seq + 0) "
        "SELECT coalesce(sum(events), 0) - coalesce((SELECT ordinal + 1 FROM newest), 0) FROM behind",
        ends_.last_event, sealed_));
    if (unseen.value_or(0) > 0) ends_.last_event += *unseen;
  }

  /// Behind damage at both ends they are looked for one by one.
  std::int64_t outermost_readable(bool newest) {
    constexpr std::int64_t kMost = std::int64_t{1} << 62;
    std::int64_t first = kMost, last = 0;
    const auto take = [&](const sql::Statement& row) {
      if (!is_sound_event(row, 1)) return;
      first = std::min(first, row.integer(0));
      last = std::max(last, row.integer(0));
    };
    const std::string select = fmt::format("SELECT id, {} FROM event", kEventColumns);
    each_row(log_, select, "id", take);
    if (last == 0) {
      static_cast<void>(KeyedRows(log_, select, "id").read(1, kMost, [&](const sql::Statement& row) -> Result<bool> {
        take(row);
        return true;
      }));
    }
    return newest ? last : std::min(first, last + 1);
  }

  sql::Connection& log_;
  const char* const sealed_;
  std::vector<Sample> samples_;
  LogEnds ends_;
};

}  // namespace

LogEnds ends_of(const Known& known) {
  return {.first = number(known.first),
          .last = number(known.last),
          .first_event = known.first_event,
          .last_event = known.last_event,
          .samples_retired = known.samples_retired,
          .samples_total = known.samples_total,
          .last_committed = known.last_committed};
}

LogEnds find_ends(sql::Connection& log, const char* sealed, const std::filesystem::path& history,
                  const std::string& history_epoch) {
  return Search(log, sealed).run(history, history_epoch);
}

Result<Retired> retired(sql::Connection& log) {
  const auto seq = log.number("SELECT value FROM meta WHERE key = 'retired_seq'");
  if (!seq) return fail(seq.error());
  const auto samples = log.number("SELECT value FROM meta WHERE key = 'retired_samples'");
  if (!samples) return fail(samples.error());
  return Retired{*seq, *samples};
}

Result<EventsEnd> end_of_events(sql::Connection& log, bool newest) {
  auto rows =
      log.prepare(fmt::format("SELECT id, {} FROM event ORDER BY id {}", kEventColumns, newest ? "DESC" : "ASC"));
  if (!rows) return fail(std::move(rows.error()));
  EventsEnd end;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return end;
    if (end.beyond == 0) end.outermost = rows->integer(0);
    if (is_sound_event(*rows, 1)) {
      end.sound = rows->integer(0);
      return end;
    }
    ++end.beyond;
  }
}

Result<std::int64_t> newest_named(sql::Connection& log, const char* table, std::int64_t end) {
  return log.number(
      fmt::format("SELECT coalesce(max(seq), 0) FROM {} WHERE seq <= {}", table, end + kMostBatchesInWal));
}

}  // namespace tidegate::journal
