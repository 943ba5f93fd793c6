#include "gateway/journal/history/day_file.h"

#include <algorithm>

#include "gateway/journal/codec.h"
#include "gateway/journal/history/database.h"

namespace tidegate::journal::history {
namespace {

constexpr const char* kTables =
    "CREATE TABLE round(id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT "
    "NULL, committed INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, samples INTEGER NOT "
    "NULL);"
    "CREATE TABLE chunk(key INTEGER PRIMARY KEY, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, samples "
    "INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE minutes(series INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE sealed(round INTEGER NOT NULL);"
    "CREATE TABLE thinned(every INTEGER NOT NULL);";

/// A minute is rolled up where it holds this many samples on average: of fewer the samples are as quick to read.
constexpr std::size_t kWorthRollingUp = 4;

/// Chunks are stored in order of round, then series: what compaction writes is appended, and a chunk is found without
/// an index.
constexpr std::int64_t key_of(std::int64_t round, std::int64_t series) { return round << 32 | series; }

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(std::int64_t ticks) { return Timestamp{Micros{ticks}}; }

Status insert(sql::Connection& connection, const Round& round) {
  auto statement = connection.prepare("INSERT INTO round VALUES(?,?,?,?,?,?,?,?)");
  if (!statement) return fail(std::move(statement.error()));
  return statement
      ->bind(round.id, round.epoch, number(round.first), number(round.last), ticks(round.committed),
             ticks(round.first_time), ticks(round.last_time), round.samples)
      .run();
}

}  // namespace

Result<sql::Connection> open_day_to_write(const std::filesystem::path& file) { return open_to_write(file, kTables); }

Result<DayFile> DayFile::open(const std::filesystem::path& file, Day day) {
  auto connection = open_day_to_write(file);
  if (!connection) return fail(std::move(connection.error()));
  return DayFile(std::move(*connection), day);
}

Seq last_of(const std::filesystem::path& directory, const std::string& epoch) {
  std::int64_t last = 0;
  for (const DayFileName& name : day_files(directory)) {
    auto file = open_to_read(name.path);
    auto newest = file ? file->prepare("SELECT max(last_seq) FROM round WHERE epoch = ? AND last_seq < 1 << 52")
                       : fail(file.error());
    if (newest && newest->bind(epoch).step().value_or(false)) last = std::max(last, newest->integer(0));
  }
  return Seq{last};
}

Result<std::optional<Round>> DayFile::last_round() {
  auto rows = connection_.prepare(
      "SELECT id, epoch, first_seq, last_seq, committed, first_time, last_time, samples FROM round ORDER BY id DESC "
      "LIMIT 1");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->step();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Round>{};
  return std::optional(Round{rows->integer(0), std::string(rows->text(1)), Seq{rows->integer(2)}, Seq{rows->integer(3)},
                             time_of(rows->integer(4)), time_of(rows->integer(5)), time_of(rows->integer(6)),
                             rows->integer(7)});
}

Status DayFile::add(Round round, const Parts& parts) {
  auto transaction = sql::Transaction::begin(connection_);
  if (!transaction) return fail(std::move(transaction.error()));
  const auto before = last_round();
  if (!before) return fail(before.error());
  round.id = *before ? (*before)->id + 1 : 1;
  round.samples = 0;
  round.first_time = Timestamp::max();
  round.last_time = Timestamp::min();
  Status status = parts([&](const Part& part) -> Status {
    if (part.samples.empty()) return {};
    round.samples += static_cast<std::int64_t>(part.samples.size());
    round.first_time = std::min(round.first_time, part.samples.front().time);
    round.last_time = std::max(round.last_time, part.samples.back().time);
    return put(round.id, part);
  });
  if (!status || round.samples == 0) return status;
  if (status = insert(connection_, round); !status) return status;
  return transaction->commit();
}

Status DayFile::confirm() { return history::confirm(connection_); }

Status DayFile::continue_from(Round round) {
  round.id = 1;
  round.samples = 0;
  round.first_time = Timestamp::max();
  round.last_time = Timestamp::min();
  return insert(connection_, round);
}

Status DayFile::put(std::int64_t round, const Part& part) {
  const auto series = put_series(connection_, part.series);
  if (!series) return fail(series.error());
  std::vector<Sample> nameless(part.samples.begin(), part.samples.end());
  for (Sample& sample : nameless) sample.series = SeriesId{};  // the key says it
  const std::string data = encode(nameless);
  auto statement = connection_.prepare("INSERT INTO chunk VALUES(?,?,?,?,?)");
  if (!statement) return fail(std::move(statement.error()));
  return statement
      ->bind(key_of(round, *series), ticks(part.samples.front().time), ticks(part.samples.back().time),
             static_cast<std::int64_t>(part.samples.size()), sql::Blob{data})
      .run();
}

Result<bool> DayFile::sealed() {
  const auto thinned = connection_.number("SELECT count(*) FROM thinned");
  if (!thinned) return fail(thinned.error());
  if (*thinned > 0) return true;
  const auto newest = connection_.number("SELECT max(id) FROM round");
  if (!newest) return fail(newest.error());
  const auto sealed = connection_.number("SELECT round FROM sealed");
  if (!sealed) return fail(sealed.error());
  return *sealed == *newest;
}

Status DayFile::seal() {
  auto transaction = sql::Transaction::begin(connection_);
  if (!transaction) return fail(std::move(transaction.error()));
  Status status = connection_.run(
      "DELETE FROM minutes; DELETE FROM sealed; INSERT INTO sealed SELECT coalesce(max(id), 0) FROM round;");
  if (!status) return status;
  auto minutes = connection_.prepare("INSERT INTO minutes VALUES(?,?)");
  if (!minutes) return fail(std::move(minutes.error()));
  auto series = connection_.prepare("SELECT id FROM series ORDER BY id");
  if (!series) return fail(std::move(series.error()));
  while (true) {
    const Result<bool> row = series->step();
    if (!row) return fail(row.error());
    if (!*row) return transaction->commit();
    if (status = roll_up(series->integer(0), *minutes); !status) return status;
  }
}

Status DayFile::roll_up(std::int64_t series, sql::Statement& minutes) {
  RollupBuilder builder(day_, kMinute);
  std::size_t samples = 0;
  Unreadable unreadable;
  Status status = read_chunks(
      connection_, series, {"", Seq{}}, 0, Timestamp(day_), Timestamp(day_ + std::chrono::days(1)),
      [&](std::span<const Sample> chunk) {
        builder.add(chunk);
        samples += chunk.size();
      },
      unreadable);
  if (!status) return status;
  const std::vector<Rollup> rollups = builder.take();
  if (samples < rollups.size() * kWorthRollingUp) return {};
  const std::string data = encode_rollups(rollups, kMinute);
  return minutes.bind(series, sql::Blob{data}).run();
}

Status read_chunks(sql::Connection& connection, std::int64_t series, const Visible& visible, std::int64_t after,
                   Timestamp from, Timestamp to, const std::function<void(std::span<const Sample>)>& take,
                   Unreadable& unreadable) {
  auto rounds = connection.prepare(
      "SELECT id FROM round WHERE id > ? AND last_time >= ? AND first_time < ? AND (epoch <> ? OR last_seq <= ?) ORDER "
      "BY id");
  if (!rounds) return fail(std::move(rounds.error()));
  auto chunk =
      connection.prepare("SELECT samples, data FROM chunk WHERE key = ? AND last_time >= ? AND first_time < ?");
  if (!chunk) return fail(std::move(chunk.error()));
  std::vector<Sample> samples;
  rounds->bind(after, ticks(from), ticks(to), visible.epoch, number(visible.through));
  while (true) {
    const Result<bool> round = rounds->step();
    if (!round) return fail(round.error());
    if (!*round) return {};
    const Result<bool> row = chunk->bind(key_of(rounds->integer(0), series), ticks(from), ticks(to)).step();
    if (!row) return fail(row.error());
    if (!*row) continue;
    if (decode(chunk->text(1), samples)) {
      take(samples);
    } else {
      ++unreadable.chunks;
      unreadable.samples += static_cast<std::uint64_t>(std::max<std::int64_t>(0, chunk->integer(0)));
    }
  }
}

Result<std::vector<Chunk>> list_chunks(sql::Connection& connection, std::int64_t series, const Visible& visible) {
  auto rows = connection.prepare(
      "SELECT key, chunk.first_time, chunk.last_time, chunk.samples FROM round JOIN chunk ON key = (id << 32 | ?) "
      "WHERE "
      "epoch <> ? OR last_seq <= ? ORDER BY id");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(series, visible.epoch, number(visible.through));
  std::vector<Chunk> chunks;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return chunks;
    chunks.push_back({rows->integer(0), time_of(rows->integer(1)), time_of(rows->integer(2)), rows->integer(3)});
  }
}

Status read_chunk(sql::Connection& connection, const Chunk& chunk, std::vector<Sample>& samples) {
  auto rows = connection.prepare("SELECT data FROM chunk WHERE key = ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(chunk.key).step();
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::corrupt, "it is gone");
  if (Status status = decode(rows->text(0), samples); !status) return status;
  if (static_cast<std::int64_t>(samples.size()) == chunk.samples) return {};
  return fail(Errc::corrupt, "it holds {} samples and says {}", samples.size(), chunk.samples);
}

Result<Minutes> read_minutes(sql::Connection& connection, std::int64_t series) {
  Minutes minutes;
  const auto sealed = connection.number("SELECT round FROM sealed");
  if (!sealed) return fail(sealed.error());
  minutes.sealed = *sealed;
  if (*sealed == 0) return minutes;
  auto rows = connection.prepare("SELECT data FROM minutes WHERE series = ?");
  if (!rows) return fail(std::move(rows.error()));
  const Result<bool> row = rows->bind(series).step();
  if (!row) return fail(row.error());
  if (!*row) return minutes;
  auto rollups = decode_rollups(rows->text(0), kMinute);
  if (!rollups) return fail(std::move(rollups.error()));
  minutes.rollups = std::move(*rollups);
  return minutes;
}

}  // namespace tidegate::journal::history
