#include "gateway/journal/history/rewrite.h"

#include <algorithm>

#include "gateway/journal/codec.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/day_file.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

class Copy {
 public:
  Copy(sql::Connection& from, sql::Connection& to, std::size_t every, const std::stop_token& stop)
      : from_(from), to_(to), every_(every), stop_(stop) {}

  Result<Rewritten> run() {
    const auto series = from_.number("SELECT max(id) FROM series");
    if (!series) return fail(series.error());
    const auto rounds = from_.number("SELECT max(id) FROM round");
    if (!rounds) return fail(rounds.error());
    if (Status status = copy_names(*series); !status) return fail(std::move(status.error()));
    for (std::int64_t round = 1; round <= *rounds; ++round) {
      if (stop_.stop_requested()) return fail(Errc::stopped, "asked to stop");
      if (Status status = copy_round(round, *series); !status) return fail(std::move(status.error()));
    }
    return done_;
  }

 private:
  /// One row of the old file into the new one; false where it cannot be read or is not there.
  Result<bool> copy_row(const char* select, const char* insert, std::int64_t key) {
    auto row = from_.prepare(select);
    if (!row) return false;
    const Result<bool> found = row->bind(key).step();
    if (!found || !*found) return false;
    auto put = to_.prepare(insert);
    if (!put) return fail(std::move(put.error()));
    if (Status status = put->bind_row(*row).run(); !status) return fail(std::move(status.error()));
    return true;
  }

  Status copy_names(std::int64_t last) {
    for (std::int64_t id = 1; id <= last; ++id) {
      const auto copied = copy_row("SELECT * FROM series WHERE id = ?", "INSERT INTO series VALUES(?,?,?,?,?,?)", id);
      if (!copied) return fail(copied.error());
      auto labels = from_.prepare("SELECT code, text FROM label WHERE series = ? ORDER BY code");
      if (!*copied || !labels) continue;
      labels->bind(id);
      auto put = to_.prepare("INSERT INTO label VALUES(?,?,?)");
      if (!put) return fail(std::move(put.error()));
      for (Result<bool> row = labels->step(); row && *row; row = labels->step()) {
        if (Status status = put->bind(id, labels->integer(0), labels->text(1)).run(); !status) return status;
      }
    }
    return {};
  }

  Status copy_round(std::int64_t round, std::int64_t series) {
    const auto copied =
        copy_row("SELECT * FROM round WHERE id = ?", "INSERT INTO round VALUES(?,?,?,?,?,?,?,?)", round);
    if (!copied) return fail(copied.error());
    const std::uint64_t before = done_.samples;
    for (std::int64_t id = 1; id <= series; ++id) {
      if (Status status = copy_chunk(round << 32 | id); !status) return status;
    }
    const auto expected = to_.number(fmt::format("SELECT samples FROM round WHERE id = {}", round));
    if (!expected) return fail(expected.error());
    const std::uint64_t read = read_;
    read_ = 0;
    if (!*copied && done_.samples > before) return stand_in(round, read);
    const std::string kept = fmt::format("UPDATE round SET samples = {} WHERE id = {}", done_.samples - before, round);
    if (Status status = to_.run(kept.c_str()); !status) return status;
    done_.lost_samples += static_cast<std::uint64_t>(*expected) - std::min(read, static_cast<std::uint64_t>(*expected));
    return {};
  }

  /// Of a round whose own row is lost its chunks are kept: they may lie anywhere in the day.
  Status stand_in(std::int64_t round, std::uint64_t samples) {
    auto put = to_.prepare("INSERT INTO round VALUES(?,'',0,0,0,?,?,?)");
    if (!put) return fail(std::move(put.error()));
    return put->bind(round, std::int64_t{0}, std::int64_t{1} << 62, static_cast<std::int64_t>(samples)).run();
  }

  Status copy_chunk(std::int64_t key) {
    auto row = from_.prepare("SELECT first_time, last_time, data FROM chunk WHERE key = ?");
    if (!row) return fail(std::move(row.error()));
    const Result<bool> found = row->bind(key).step();
    if (found && !*found) return {};
    std::vector<Sample> samples;
    if (!found || !decode(row->text(2), samples)) {
      ++done_.lost_chunks;
      return {};
    }
    read_ += samples.size();
    std::vector<Sample> kept;
    for (std::size_t i = 0; i < samples.size(); i += every_) kept.push_back(samples[i]);
    done_.samples += kept.size();
    const std::string data = encode(kept);
    auto put = to_.prepare("INSERT INTO chunk VALUES(?,?,?,?,?)");
    if (!put) return fail(std::move(put.error()));
    return put->bind(key, row->integer(0), row->integer(1), static_cast<std::int64_t>(kept.size()), sql::Blob{data})
        .run();
  }

  sql::Connection& from_;
  sql::Connection& to_;
  const std::size_t every_;
  const std::stop_token& stop_;
  std::uint64_t read_ = 0;  ///< samples of the round at hand
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
  auto old_file = open_to_read(from);
  if (!old_file) return fail(std::move(old_file.error()));
  auto new_file = open_day_to_write(to);
  if (!new_file) return fail(std::move(new_file.error()));
  auto transaction = sql::Transaction::begin(*new_file);
  if (!transaction) return fail(std::move(transaction.error()));
  auto done = Copy(*old_file, *new_file, every, stop).run();
  if (!done) return done;
  if (thin) {
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
