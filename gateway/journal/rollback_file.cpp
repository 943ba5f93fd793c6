#include "gateway/journal/rollback_file.h"

#include <fmt/format.h>

#include <string>

#include "gateway/journal/quarantine.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;

/// The cache holds a whole round of history, so that readers are kept out for the commit alone.
constexpr const char* kSettings =
    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA cache_size=-6144; "
    "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=1;";

Result<sql::Connection> connect(const fs::path& file) {
  auto connection = sql::Connection::open(file, sql::Connection::Access::write);
  if (!connection) return connection;
  if (Status status = connection->run(kSettings); !status) return fail(std::move(status.error()));
  return connection;
}

Status make_tables(const fs::path& file, const FileKind& kind, std::initializer_list<const char*> tables) {
  if (Status status = sql::make_private(file); !status) return status;
  auto connection = connect(file);
  if (!connection) return fail(std::move(connection.error()));
  auto transaction = sql::Transaction::begin(*connection);
  if (!transaction) return fail(std::move(transaction.error()));
  const std::string stamp =
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kind.application_id, kind.version());
  if (Status status = connection->run(stamp.c_str()); !status) return status;
  for (const char* sql : tables) {
    if (Status status = connection->run(sql); !status) return status;
  }
  return transaction->commit();
}

/// It comes under its name with its tables in it, so that an empty one has lost what it held.
Status make(const fs::path& file, const FileKind& kind, std::initializer_list<const char*> tables) {
  const fs::path unfinished = file.string() + ".making";
  const fs::path its_journal = unfinished.string() + "-journal";
  std::error_code error;
  for (const fs::path& left : {unfinished, its_journal}) fs::remove(left, error);
  Status status = make_tables(unfinished, kind, tables);
  if (status) fs::rename(unfinished, file, error);
  if (status && error) status = fail(Errc::io, "{} cannot be made: {}", file.string(), error.message());
  if (status) sync_directory(file.parent_path());
  for (const fs::path& left : {unfinished, its_journal}) fs::remove(left, error);
  return status;
}

/// Its format.
Result<std::int64_t> check_kind(sql::Connection& connection, const fs::path& file, const FileKind& kind) {
  const auto pages = connection.number("PRAGMA page_count");
  if (!pages) return fail(pages.error());
  if (*pages == 0) return fail(Errc::corrupt, "{} is empty", file.string());
  const auto application = connection.number("PRAGMA application_id");
  if (!application) return fail(application.error());
  auto version = connection.number("PRAGMA user_version");
  if (!version) return version;
  if (*application != kind.application_id) return fail(Errc::corrupt, "{} is no {} file", file.string(), kind.name);
  if (*version < 1) return fail(Errc::corrupt, "{} says it has format {}", file.string(), *version);
  if (*version > kind.version()) {
    return fail(Errc::invalid, "{} was written by a newer version (format {}, this program knows {}); install that one",
                file.string(), *version, kind.version());
  }
  return version;
}

Status take_steps(sql::Connection& connection, std::int64_t version, const FileKind& kind) {
  if (version == kind.version()) return {};
  auto transaction = sql::Transaction::begin(connection);
  if (!transaction) return fail(std::move(transaction.error()));
  for (const char* step : kind.steps.subspan(static_cast<std::size_t>(version - 1))) {
    if (Status status = connection.run(step); !status) return status;
  }
  const std::string stamp = fmt::format("PRAGMA user_version={}", kind.version());
  if (Status status = connection.run(stamp.c_str()); !status) return status;
  return transaction->commit();
}

}  // namespace

Result<sql::Connection> open_to_write(const fs::path& file, const FileKind& kind,
                                      std::initializer_list<const char*> tables) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    if (Status status = make(file, kind, tables); !status) return fail(std::move(status.error()));
  }
  auto connection = connect(file);
  if (!connection) return connection;
  const auto version = check_kind(*connection, file, kind);
  if (!version) return fail(version.error());
  if (Status status = take_steps(*connection, *version, kind); !status) return fail(std::move(status.error()));
  return connection;
}

}  // namespace tidegate::journal
