#include "gateway/journal/history/database.h"

#include <string>

#include "gateway/journal/history/files.h"
#include "gateway/journal/history/names.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x54444748;  // "TDGH"
constexpr std::int64_t kVersion = 1;

/// The cache holds a whole round, so that readers are kept out for the commit alone.
constexpr const char* kSettings =
    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA cache_size=-6144; "
    "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=1;";

Status make_tables(sql::Connection& connection, const char* tables) {
  auto transaction = sql::Transaction::begin(connection);
  if (!transaction) return fail(std::move(transaction.error()));
  const std::string stamp = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId, kVersion);
  for (const char* sql : {stamp.c_str(), kNameTables, tables}) {
    if (Status status = connection.run(sql); !status) return status;
  }
  return transaction->commit();
}

Status check_version(sql::Connection& connection, const fs::path& file) {
  const auto application = connection.number("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*application != kApplicationId) return fail(Errc::corrupt, "{} is no history file", file.string());
  if (*version > kVersion) {
    return fail(Errc::invalid, "{} was written by a newer version (format {}, this program knows {})", file.string(),
                *version, kVersion);
  }
  return {};
}

}  // namespace

Result<sql::Connection> open_to_write(const fs::path& file, const char* tables) {
  if (Status status = sql::make_private(file); !status) return fail(std::move(status.error()));
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return connection;
  if (Status status = connection->run(kSettings); !status) return fail(std::move(status.error()));
  const auto pages = connection->number("PRAGMA page_count");
  if (!pages) return fail(pages.error());
  Status status = *pages == 0 ? make_tables(*connection, tables) : check_version(*connection, file);
  if (!status) return fail(std::move(status.error()));
  return connection;
}

/// A transaction that writes what is there already; SQLite spares itself an UPDATE of that kind, but not this.
Status confirm(sql::Connection& connection) {
  return connection.run(fmt::format("PRAGMA user_version={}", kVersion).c_str());
}

Result<sql::Connection> open_to_read(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return fail(Errc::not_found, "{} is gone", file.string());
  auto connection = sql::Connection::open(file, sql::Connection::Access::read);
  if (!connection) return connection;
  // The power went while it was made.
  if (const auto pages = connection->number("PRAGMA page_count"); pages && *pages == 0) {
    return fail(Errc::not_found, "{} is empty", file.string());
  }
  return connection;
}

Result<sql::Connection> open_as_guest(const fs::path& file) {
  auto connection = open_to_read(file);
  if (connection) {
    const auto tables = connection->number("SELECT count(*) FROM sqlite_schema");
    if (!tables) connection = fail(tables.error());
  }
  if (connection || connection.error().code != Errc::io || !has_hot_journal(file)) return connection;
  return fail(Errc::unavailable,
              "{} was being written when the gateway was cut off; the gateway mends it when it starts, `tidegate store "
              "salvage` without it",
              file.string());
}

}  // namespace tidegate::journal::history
