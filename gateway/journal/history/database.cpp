#include "gateway/journal/history/database.h"

#include <string>

#include "gateway/journal/history/files.h"
#include "gateway/journal/history/names.h"
#include "gateway/journal/rollback_file.h"

namespace tidegate::journal::history {
namespace {

namespace fs = std::filesystem;

/// 2: names have checksums; those that are there already are not checked.
constexpr const char* kSteps[] = {kNameChecksums};
constexpr FileKind kKind = {0x54444748, "history", kSteps};  // "TDGH"

}  // namespace

Result<sql::Connection> open_to_write(const fs::path& file, const char* tables) {
  return journal::open_to_write(file, kKind, {kNameTables, tables});
}

/// A transaction that writes what is there already; SQLite spares itself an UPDATE of that kind, but not this.
Status confirm(sql::Connection& connection) {
  return connection.run(fmt::format("PRAGMA user_version={}", kKind.version()).c_str());
}

Result<sql::Connection> open_to_read(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return fail(Errc::not_found, "{} is gone", file.string());
  auto connection = sql::Connection::open(file, sql::Connection::Access::read);
  if (!connection) return connection;
  if (const auto pages = connection->number("PRAGMA page_count"); pages && *pages == 0) {
    return fail(Errc::corrupt, "{} is empty", file.string());
  }
  return connection;
}

Result<sql::Connection> open_to_salvage(const fs::path& file) {
  return sql::twice([&] { return sql::Connection::open(file, sql::Connection::Access::salvage); });
}

Status take_back_cut_off_commit(const fs::path& file) {
  if (!has_hot_journal(file)) return {};
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return fail(std::move(connection.error()));
  const auto read = connection->number("SELECT count(*) FROM sqlite_schema");
  if (read || read.error().code == Errc::corrupt) return {};
  return fail(read.error());
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
