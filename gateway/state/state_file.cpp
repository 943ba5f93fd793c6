#include "gateway/state/state_file.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "gateway/journal/history/files.h"
#include "gateway/journal/quarantine.h"
#include "gateway/journal/schema.h"

namespace tidegate::state {
namespace {

namespace fs = std::filesystem;
namespace sql = journal::sql;

constexpr std::int64_t kApplicationId = 0x54444753;  // "TDGS"
constexpr std::int64_t kVersion = 1;

/// A rollback journal: a write or two a day need no write-ahead log beside the file.
constexpr const char* kSettings =
    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA cell_size_check=1;";
constexpr const char* kTables = R"(
  CREATE TABLE configuration(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, why TEXT NOT NULL, texts TEXT NOT NULL,
                             seal TEXT NOT NULL);
  CREATE TABLE deed(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                    about TEXT NOT NULL, detail TEXT NOT NULL, seal TEXT NOT NULL);
)";

Status make_tables(sql::Connection& connection) {
  auto transaction = sql::Transaction::begin(connection);
  if (!transaction) return fail(std::move(transaction.error()));
  const std::string stamp = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId, kVersion);
  for (const char* text : {stamp.c_str(), kTables}) {
    if (Status status = connection.run(text); !status) return status;
  }
  return transaction->commit();
}

Status check_kind(sql::Connection& connection, const fs::path& file) {
  const auto application = connection.number("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*application != kApplicationId) return fail(Errc::corrupt, "{} has a damaged header", file.string());
  if (*version > kVersion) {
    return fail(Errc::invalid, "{} was written by a newer version (format {}, this program knows {}); install that one",
                file.string(), *version, kVersion);
  }
  return {};
}

Result<sql::Connection> open_sound(const fs::path& file) {
  if (Status status = sql::make_private(file); !status) return fail(std::move(status.error()));
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return connection;
  if (Status status = connection->run(kSettings); !status) return fail(std::move(status.error()));
  const auto pages = connection->number("PRAGMA page_count");
  if (!pages) return fail(pages.error());
  Status status = *pages == 0 ? make_tables(*connection) : check_kind(*connection, file);
  if (status) status = journal::check_every_page(*connection, file);
  if (!status) return fail(std::move(status.error()));
  return connection;
}

struct Table {
  const char* ascending;
  const char* descending;
  const char* insert;
  bool (*sound)(const sql::Statement& row);
};
constexpr Table kConfigurations = {"SELECT * FROM configuration ORDER BY id",
                                   "SELECT * FROM configuration ORDER BY id DESC",
                                   "INSERT OR IGNORE INTO configuration VALUES(?,?,?,?,?)",
                                   [](const sql::Statement& row) { return seal_of(row.text(3)) == row.text(4); }};
/// An entry that does not follow from the one before it is kept: it shows that something is missing.
constexpr Table kDeeds = {"SELECT * FROM deed ORDER BY id", "SELECT * FROM deed ORDER BY id DESC",
                          "INSERT OR IGNORE INTO deed VALUES(?,?,?,?,?,?,?)",
                          [](const sql::Statement&) { return true; }};

/// From both ends, as far as damage lets it: what lies behind a page that cannot be read is reached from the other end.
Status copy_rows(sql::Connection& from, sql::Connection& to, const Table& table) {
  auto insert = to.prepare(table.insert);
  if (!insert) return fail(std::move(insert.error()));
  for (const char* select : {table.ascending, table.descending}) {
    auto rows = from.prepare(select);
    if (!rows) return {};
    while (true) {
      const Result<bool> row = rows->step();
      if (!row) break;
      if (!*row) return {};
      if (!table.sound(*rows)) continue;
      if (Status status = insert->bind_row(*rows).run(); !status && status.error().code != Errc::corrupt) return status;
    }
  }
  return {};
}

Status copy_all(sql::Connection& from, sql::Connection& to) {
  auto transaction = sql::Transaction::begin(to);
  if (!transaction) return fail(std::move(transaction.error()));
  for (const Table* table : {&kConfigurations, &kDeeds}) {
    if (Status status = copy_rows(from, to, *table); !status) return status;
  }
  return transaction->commit();
}

/// Closed when it returns: what can be read of `file` is in its successor.
Result<std::string> salvage(const fs::path& file) {
  journal::forget_successor(file);
  auto to = open_sound(journal::successor_of(file));
  if (!to) return fail(std::move(to.error()));
  if (auto from = sql::Connection::open(file, sql::Connection::Access::salvage)) {
    if (Status status = copy_all(*from, *to); !status) return fail(std::move(status.error()));
  }
  const auto configurations = to->number("SELECT count(*) FROM configuration");
  const auto deeds = to->number("SELECT count(*) FROM deed");
  if (!configurations || !deeds) return fail((configurations ? deeds : configurations).error());
  return fmt::format("{} configurations and {} entries of the audit", *configurations, *deeds);
}

/// Opening it has rolled back what there was to roll back: its journal, left behind, would be taken for the new file's.
Status set_aside(const fs::path& file, const fs::path& aside) {
  std::error_code ignored;
  for (const fs::path& of : {file, journal::successor_of(file)}) fs::remove(of.string() + "-journal", ignored);
  return journal::swap_in_successor(file, aside);
}

std::string sized(std::string_view text) { return fmt::format("{}:{}", text.size(), text); }

}  // namespace

std::string seal_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), hash.data(), &size);
  return fmt::format("{:02x}", fmt::join(hash.begin(), hash.begin() + size, ""));
}

std::string seal_of(std::string_view before, Timestamp time, const Deed& deed) {
  std::string bytes = sized(before) + sized(std::to_string(time.time_since_epoch().count()));
  for (const std::string* text : {&deed.who, &deed.what, &deed.about, &deed.detail}) bytes += sized(*text);
  return seal_of(bytes);
}

Result<sql::Connection> open_to_write(const fs::path& file, Timestamp now, std::string& damage) {
  if (Status status = journal::finish_swap(file); !status) return fail(std::move(status.error()));
  auto connection = open_sound(file);
  if (connection || connection.error().code != Errc::corrupt) return connection;
  const std::string why = std::move(connection.error().text);
  const fs::path aside = journal::aside_name(file, now);
  const auto saved = salvage(file);
  if (!saved) return fail(saved.error());
  if (Status status = set_aside(file, aside); !status) return fail(std::move(status.error()));
  damage = fmt::format("{} was damaged ({}) and is set aside as {}; {} could be read of it", kFileName, why,
                       aside.filename().string(), *saved);
  return open_sound(file);
}

Result<sql::Connection> open_as_guest(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return fail(Errc::not_found, "{} is not there: no gateway ran in this folder yet; --data names its storage.path",
                file.string());
  }
  auto connection = sql::Connection::open(file, sql::Connection::Access::read);
  if (!connection) return connection;
  const auto tables = connection->number("SELECT count(*) FROM sqlite_schema");
  if (tables) return connection;
  if (tables.error().code != Errc::io || !journal::history::has_hot_journal(file)) return fail(tables.error());
  return fail(Errc::unavailable,
              "{} was being written when the gateway was cut off; the gateway mends it when it starts", file.string());
}

}  // namespace tidegate::state
