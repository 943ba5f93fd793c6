#include "gateway/journal/history/rewrite.h"

#include <algorithm>
#include <map>
#include <set>

#include "gateway/journal/codec.h"
#include "gateway/journal/event_json.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/names.h"
#include "gateway/journal/keyed_rows.h"
#include "gateway/journal/salvage_names.h"
#include "gateway/journal/schema.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

/// More than any file has: a damaged row may say what it likes.
constexpr std::int64_t kMostRounds = 1'000'000, kMostSeries = 10'000'000;

class Copy {
 public:
  Copy(sql::Connection& from, sql::Connection& to, std::size_t every, const std::stop_token& stop)
      : from_(from), to_(to), every_(every), stop_(stop) {}

  Result<Rewritten> run() {
    const std::int64_t series = std::min(last_key("series", "id"), kMostSeries);
    const std::int64_t rounds =
        std::min(std::max(last_key("round", "id"), last_key("chunk", "key") >> 32), kMostRounds);
    if (Status status = copy_names(series); !status) return fail(std::move(status.error()));
    if (names_.empty()) return fail(Errc::corrupt, "no name of a series can be read");
    if (Status status = copy_rounds(rounds); !status) return fail(std::move(status.error()));
    auto put = to_.prepare("INSERT INTO chunk VALUES(?,?,?,?,?)");
    if (!put) return fail(std::move(put.error()));
    KeyedRows chunks(from_, "SELECT key, first_time, last_time, data FROM chunk", "key");
    for (std::int64_t round = 1; round <= rounds; ++round) {
      if (Status status = copy_chunks(round, series, chunks, *put); !status) return fail(std::move(status.error()));
    }
    return done_;
  }

 private:
  /// The largest, or where it cannot be told the largest of those that can be read.
  std::int64_t last_key(const char* table, const char* key) {
    const std::string query = fmt::format("SELECT max({}) FROM {}", key, table);
    if (const auto last = sql::twice([&] { return from_.number(query); })) return *last;
    done_.exact = false;
    std::int64_t last = 0;
    each_row(from_, fmt::format("SELECT {} FROM {}", key, table), key,
             [&](const sql::Statement& row) { last = std::max(last, row.integer(0)); });
    return last;
  }

  Status copy_names(std::int64_t last) {
    auto put = to_.prepare(
        "INSERT INTO series VALUES(?1,?2,?3,?4,?5,?6, crc32c(?1,?2,?3,?4,?5,?6)) ON CONFLICT DO NOTHING RETURNING id");
    if (!put) return fail(std::move(put.error()));
    KeyedRows rows(
        from_, fmt::format("SELECT id, name, kind, unit, source, labels, {} FROM series", sound_by(from_, kNameCrc)),
        "id");
    const auto copied = rows.read(1, last, [&](const sql::Statement& row) -> Result<bool> {
      if (!entry_of(row)) return true;
      put->bind(row.integer(0), row.text(1), row.integer(2), row.text(3), row.text(4), row.text(5));
      return copy_name(row.integer(0), *put);
    });
    if (!copied) return fail(copied.error());
    if (Status status = copy_bare_names(*put); !status) return status;
    return copy_labels();
  }

  /// False: it did not go in. Two rows of one name are damaged.
  Result<bool> copy_name(std::int64_t series, sql::Statement& put) {
    const Result<bool> inserted = put.step();
    if (inserted && *inserted) names_.insert(series);
    return inserted ? Result<bool>(true) : fail(inserted.error());
  }

  /// The index that keeps names apart has them too. What a damaged row said of its series beside the name nobody knows:
  /// the name goes on without it, and a round that has the series says it again.
  Status copy_bare_names(sql::Statement& put) {
    const std::string no_labels = to_json(Labels{});
    Status status;
    each_row(from_, "SELECT id, name FROM series INDEXED BY sqlite_autoindex_series_1", "name",
             [&](const sql::Statement& row) {
               if (!status || names_.contains(row.integer(0)) || !valid_series_name(row.text(1))) return;
               put.bind(row.integer(0), row.text(1), std::int64_t{0}, "", "", no_labels);
               const Result<bool> copied = copy_name(row.integer(0), put);
               if (!copied) status = fail(copied.error());
               if (names_.contains(row.integer(0))) ++done_.lost_names;
             });
    return status;
  }

  Status copy_labels() {
    std::map<std::int64_t, std::vector<std::string>> labels;
    each_row(from_, fmt::format("SELECT series, code, text, {} FROM label", sound_by(from_, kLabelCrc)), "series, code",
             [&](const sql::Statement& row) {
               if (!names_.contains(row.integer(0))) return;
               put_label(labels[row.integer(0)], row.integer(1), row.text(2), row.integer(3) != 0);
             });
    auto put = to_.prepare(kPutLabel);
    if (!put) return fail(std::move(put.error()));
    for (auto& [series, texts] : labels) {
      done_.lost_names += name_lost_labels(texts);
      if (Status status = put_labels(*put, series, texts); !status) return status;
    }
    return {};
  }

  Status copy_rounds(std::int64_t last) {
    auto put = to_.prepare("INSERT INTO round VALUES(?,?,?,?,?,?,?,?)");
    if (!put) return fail(std::move(put.error()));
    const auto copied =
        KeyedRows(from_, "SELECT * FROM round", "id").read(1, last, [&](const sql::Statement& row) -> Result<bool> {
          expected_[row.integer(0)] = static_cast<std::uint64_t>(std::max<std::int64_t>(0, row.integer(7)));
          if (Status status = put->bind_row(row).run(); !status) return fail(std::move(status.error()));
          return true;
        });
    if (!copied) return fail(copied.error());
    done_.exact = done_.exact && expected_.size() == static_cast<std::size_t>(last);
    return {};
  }

  Status copy_chunks(std::int64_t round, std::int64_t series, KeyedRows& chunks, sql::Statement& put) {
    read_ = 0;
    const std::uint64_t before = done_.samples;
    const auto copied =
        chunks.read(round << 32, round << 32 | series, [&](const sql::Statement& row) { return copy_chunk(row, put); });
    if (!copied) return fail(copied.error());
    const auto expected = expected_.find(round);
    if (expected == expected_.end()) return read_ > 0 ? stand_in(round) : Status{};
    done_.lost_samples += expected->second - std::min(read_, expected->second);
    return to_.run(fmt::format("UPDATE round SET samples = {} WHERE id = {}", done_.samples - before, round).c_str());
  }

  /// Of a round whose own row is lost its chunks are kept: they may lie anywhere in the day.
  Status stand_in(std::int64_t round) {
    auto put = to_.prepare("INSERT INTO round VALUES(?,'',0,0,0,?,?,?)");
    if (!put) return fail(std::move(put.error()));
    return put->bind(round, std::int64_t{0}, std::int64_t{1} << 62, static_cast<std::int64_t>(read_)).run();
  }

  Result<bool> copy_chunk(const sql::Statement& row, sql::Statement& put) {
    if (stop_.stop_requested()) return fail(Errc::stopped, "asked to stop");
    std::vector<Sample> samples;
    if (!names_.contains(row.integer(0) & 0xFFFFFFFF) || !decode(row.text(3), samples)) return true;
    read_ += samples.size();
    std::vector<Sample> kept;
    for (std::size_t i = 0; i < samples.size(); i += every_) kept.push_back(samples[i]);
    done_.samples += kept.size();
    const std::string data = encode(kept);
    put.bind(row.integer(0), row.integer(1), row.integer(2), static_cast<std::int64_t>(kept.size()), sql::Blob{data});
    if (Status status = put.run(); !status) return fail(std::move(status.error()));
    return true;
  }

  sql::Connection& from_;
  sql::Connection& to_;
  const std::size_t every_;
  const std::stop_token& stop_;
  std::set<std::int64_t> names_;                    ///< of series
  std::map<std::int64_t, std::uint64_t> expected_;  ///< samples of each round
  std::uint64_t read_ = 0;                          ///< samples of the round at hand
  Rewritten done_;
};

Status copy_minutes(sql::Connection& from, sql::Connection& to, std::size_t every) {
  auto rows = from.prepare("SELECT series, data FROM minutes");
  if (!rows) return fail(std::move(rows.error()));
  auto put = to.prepare("INSERT INTO minutes VALUES(?,?)");
  if (!put) return fail(std::move(put.error()));
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    if (Status status = put->bind(rows->integer(0), sql::Blob{rows->text(1)}).run(); !status) return status;
  }
  const auto sealed = from.number("SELECT round FROM sealed");
  if (!sealed) return fail(sealed.error());
  const std::string note =
      fmt::format("INSERT INTO sealed VALUES({}); INSERT INTO thinned VALUES({});", *sealed, every);
  return to.run(note.c_str());
}

Result<Rewritten> rewrite(const fs::path& from, const fs::path& to, std::size_t every, bool thin,
                          const std::stop_token& stop) {
  remove_database(to);
  auto old_file = thin ? open_to_read(from) : open_to_salvage(from);
  if (!old_file) return fail(std::move(old_file.error()));
  auto new_file = open_day_to_write(to);
  if (!new_file) return fail(std::move(new_file.error()));
  auto transaction = sql::Transaction::begin(*new_file);
  if (!transaction) return fail(std::move(transaction.error()));
  auto done = Copy(*old_file, *new_file, every, stop).run();
  if (!done) return done;
  if (thin) {  // of what is damaged nothing would tell any more: it is to be repaired first
    if (done->lost_names > 0) return fail(Errc::corrupt, "{}: a name is not as it was written", from.string());
    if (Status status = copy_minutes(*old_file, *new_file, every); !status) return fail(std::move(status.error()));
  }
  if (Status status = transaction->commit(); !status) return fail(std::move(status.error()));
  return done;
}

Result<Rewritten> or_nothing(Result<Rewritten> done, const fs::path& to) {
  if (!done) remove_database(to);
  return done;
}

}  // namespace

Result<Rewritten> salvage_day(const fs::path& from, const fs::path& to, std::stop_token stop) {
  return or_nothing(rewrite(from, to, 1, false, stop), to);
}

Result<Rewritten> thin_day(const fs::path& from, const fs::path& to, std::size_t every, std::stop_token stop) {
  return or_nothing(rewrite(from, to, every, true, stop), to);
}

}  // namespace tidegate::journal::history
