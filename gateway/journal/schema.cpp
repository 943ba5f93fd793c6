#include "gateway/journal/schema.h"

#include <fstream>
#include <random>

#include "gateway/journal/bytes.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x54444754;  // "TDGT"
constexpr std::int64_t kSchemaVersion = 4;
constexpr std::uintmax_t kSmallFile = 16u << 20;

constexpr const char* kSettings = R"(
  PRAGMA synchronous=FULL;
  PRAGMA mmap_size=0;
  PRAGMA journal_size_limit=8388608;
  PRAGMA cache_size=-2048;
  PRAGMA temp_store=MEMORY;
  PRAGMA cell_size_check=1;
)";

constexpr const char* kTables = R"(
  CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind INTEGER NOT NULL, unit TEXT NOT NULL,
                      source TEXT NOT NULL, expected_interval INTEGER NOT NULL, labels TEXT NOT NULL, crc INTEGER);
  CREATE TABLE label(series INTEGER, code INTEGER, text TEXT NOT NULL, crc INTEGER, PRIMARY KEY(series, code))
    WITHOUT ROWID;
  CREATE TABLE batch(seq INTEGER PRIMARY KEY, committed INTEGER NOT NULL, first_time INTEGER NOT NULL,
                     last_time INTEGER NOT NULL, samples INTEGER NOT NULL,
                     samples_before INTEGER NOT NULL, events INTEGER NOT NULL, alerts TEXT, alerts_crc INTEGER,
                     data BLOB NOT NULL, unset INTEGER, crc INTEGER);
  CREATE TABLE event(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ordinal INTEGER NOT NULL, alert INTEGER NOT NULL,
                     json TEXT NOT NULL, crc INTEGER NOT NULL);
  CREATE INDEX event_seq ON event(seq, ordinal);
  CREATE INDEX event_alert ON event(seq, ordinal) WHERE alert = 1;
  CREATE INDEX event_snapshot ON event(seq, ordinal) WHERE alert = 2;
  CREATE TABLE alert(id TEXT PRIMARY KEY, json TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE cursor(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE dead_letter(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, times INTEGER NOT NULL, source TEXT NOT NULL,
                           topic TEXT NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL);
  CREATE TABLE snapshot(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
)";

/// What leads from each version to the next, from 1 on.
constexpr const char* kSteps[] = {
    // 2: history answers for all but the newest batches, so none need be found by the times of its samples. What is
    // committed while nobody has set the clock says so. Rows have a checksum.
    "DROP INDEX batch_wide; ALTER TABLE batch DROP COLUMN wide; ALTER TABLE batch ADD COLUMN unset INTEGER;"
    "ALTER TABLE batch ADD COLUMN crc INTEGER; ALTER TABLE series ADD COLUMN crc INTEGER;"
    "ALTER TABLE label ADD COLUMN crc INTEGER;",
    // 3: the checksum of an event is of its whole row, in those that are written from now on. An older program would
    // take them for damaged.
    "",
    // 4: snapshots, events that an older program would take for damaged; where the events begin is told beside them.
    "INSERT OR REPLACE INTO meta SELECT 'events_retired', coalesce(min(id), 1) - 1 FROM event;"
    "CREATE INDEX event_snapshot ON event(seq, ordinal) WHERE alert = 2;"
    "CREATE TABLE snapshot(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);"};
static_assert(std::size(kSteps) == kSchemaVersion - 1);

Status make_tables(sql::Connection& connection) {
  auto transaction = sql::Transaction::begin(connection);
  if (!transaction) return fail(std::move(transaction.error()));
  const std::string stamp = fmt::format(
      "PRAGMA application_id={}; PRAGMA user_version={}; INSERT INTO meta VALUES('schema', {}), ('epoch', '{}'), "
      "('events_retired', 0);",
      kApplicationId, kSchemaVersion, kSchemaVersion, random_epoch());
  if (Status status = connection.run(kTables); !status) return status;
  if (Status status = connection.run(stamp.c_str()); !status) return status;
  return transaction->commit();
}

/// Each step is a transaction, so that a crash leaves one version or the next.
Status take_steps(sql::Connection& connection, std::int64_t version) {
  for (; version < kSchemaVersion; ++version) {
    auto transaction = sql::Transaction::begin(connection);
    if (!transaction) return fail(std::move(transaction.error()));
    if (Status status = connection.run(kSteps[version - 1]); !status) return status;
    const std::string stamp =
        fmt::format("PRAGMA user_version={0}; UPDATE meta SET value = {0} WHERE key = 'schema'", version + 1);
    if (Status status = connection.run(stamp.c_str()); !status) return status;
    if (Status status = transaction->commit(); !status) return status;
  }
  return {};
}

Status migrate(sql::Connection& connection, const fs::path& file) {
  const auto application = connection.number("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  if (*tables == 0 && *application == 0) return make_tables(connection);
  // The header's page has no checksum: what it says of the file is believed where the file's own table says the same.
  const auto schema = connection.number("SELECT value FROM meta WHERE key = 'schema'");
  if (*application != kApplicationId && !schema) {
    return fail(Errc::invalid, "{} is an SQLite file of another program; move it away or choose another storage.path",
                file.string());
  }
  if (!schema) return fail(schema.error());
  if (*application != kApplicationId || *version != *schema) {
    return fail(Errc::corrupt, "{} has a damaged header", file.string());
  }
  if (*version > kSchemaVersion) {
    return fail(Errc::invalid, "{} was written by a newer version (schema {}, this program knows {}); install that one",
                file.string(), *version, kSchemaVersion);
  }
  if (*version < 1) return fail(Errc::corrupt, "{} says it has version {}", file.string(), *version);
  return take_steps(connection, *version);
}

fs::path suspicion(const fs::path& file) { return file.string() + ".suspect"; }

}  // namespace

std::string sound_by(const char* crc) { return fmt::format("(crc IS NULL OR crc = {})", crc); }

std::string sound_by(sql::Connection& reader, const char* crc) {
  return reader.prepare("SELECT crc FROM series") ? sound_by(crc) : "1";
}

bool is_sound_event(const sql::Statement& row, int at) {
  if (row.text(at).empty()) return false;  // of nothing the checksum is 0, as a cell of zeros says
  return row.integer(at + 1) == row.integer(at + 2) || fits(row.text(at), row.integer(at + 1));
}

std::string random_epoch() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Result<std::string> history_epoch(sql::Connection& log) {
  return log.text("SELECT value FROM meta WHERE key IN ('history_epoch', 'epoch') ORDER BY key DESC LIMIT 1");
}

Result<sql::Connection> open_database(const fs::path& file) {
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return connection;
  // In a new file only. A commit writes whole pages to the log, each of its second's samples some 1.5 KB: small pages
  // are what keeps that from being three times as much.
  if (Status status = connection->run("PRAGMA page_size=512"); !status) return fail(std::move(status.error()));
  const auto mode = connection->text("PRAGMA journal_mode=WAL");
  if (!mode) return fail(mode.error());
  if (*mode != "wal") {
    return fail(Errc::io, "{} cannot have a write-ahead log (mode '{}'); is it on a network file system?",
                file.string(), *mode);
  }
  if (Status status = connection->run(kSettings); !status) return fail(std::move(status.error()));
  // This or an earlier process may have met a failed sync; nothing that is promised may stand on what it left.
  if (Status status = connection->rewrite_wal(); !status) return fail(std::move(status.error()));
  if (Status status = migrate(*connection, file); !status) return fail(std::move(status.error()));
  return connection;
}

Result<sql::Connection> open_empty() {
  auto connection = sql::Connection::open(":memory:", sql::Connection::Access::write);
  if (!connection) return connection;
  if (Status status = make_tables(*connection); !status) return fail(std::move(status.error()));
  return connection;
}

Status check_pages(sql::Connection& connection, const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(suspicion(file), ignored) && fs::file_size(file, ignored) > kSmallFile) return {};
  if (Status status = check_every_page(connection, file); !status) return status;
  forget_suspicion(file);
  return {};
}

Status check_every_page(sql::Connection& connection, const fs::path& file) {
  Status status = connection.check_pages();
  if (status || status.error().code != Errc::corrupt) return status;
  return fail(Errc::corrupt, "{}: {}", file.string(), status.error().text);
}

void suspect(const fs::path& file) { std::ofstream(suspicion(file)) << "damage was seen; checked at the next start\n"; }

void forget_suspicion(const fs::path& file) {
  std::error_code ignored;
  fs::remove(suspicion(file), ignored);
}

}  // namespace tidegate::journal
