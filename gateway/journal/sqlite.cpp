#include "gateway/journal/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>

#include "gateway/journal/bytes.h"

namespace tidegate::journal::sql {
namespace {

Errc errc_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return Errc::full;
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT:  // the program's own statements break none in a file that is whole
    case SQLITE_MISMATCH:
    case SQLITE_NOTADB:
      return Errc::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::unavailable;
    case SQLITE_AUTH:
    case SQLITE_MISUSE:
      return Errc::invalid;
    default:
      return Errc::io;
  }
}

tl::unexpected<Error> failure(sqlite3* database, int code) {
  const char* file = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
  const char* what = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  return fail(errc_of(code), "{}: {} (SQLite {})", file != nullptr ? file : "journal", what,
              database != nullptr ? sqlite3_extended_errcode(database) : code);
}

/// Those that only look; without an argument, which would set what it names.
bool only_looks(std::string_view pragma, const char* argument) {
  constexpr std::array<std::string_view, 6> kLooks = {"application_id", "freelist_count", "integrity_check",
                                                      "page_count",     "page_size",      "user_version"};
  return argument == nullptr && std::find(kLooks.begin(), kLooks.end(), pragma) != kLooks.end();
}

/// A reader's statements may read and nothing else: no other PRAGMA either, so that none of them can checkpoint.
int allow_reading(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_TRANSACTION:
      return SQLITE_OK;
    case SQLITE_PRAGMA:
      return only_looks(first, second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int count_frames(void* frames, sqlite3*, const char*, int in_wal) {
  *static_cast<int*>(frames) = in_wal;
  return SQLITE_OK;
}

/// Each value by its kind and its bytes, so that no two rows are one text.
void crc_of_values(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t crc = 0;
  const auto number = [&crc](char kind, sqlite3_int64 value) {
    std::string bytes(1, kind);
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    crc = crc32c(bytes, crc);
  };
  for (int i = 0; i < count; ++i) {
    switch (sqlite3_value_type(values[i])) {
      case SQLITE_NULL:
        crc = crc32c("n", crc);
        break;
      case SQLITE_INTEGER:
        number('i', sqlite3_value_int64(values[i]));
        break;
      default: {
        const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[i]));
        const int size = sqlite3_value_bytes(values[i]);
        number('t', size);
        crc = crc32c(std::string_view(bytes != nullptr ? bytes : "", static_cast<std::size_t>(size)), crc);
      }
    }
  }
  sqlite3_result_int64(context, crc);
}

constexpr sqlite3_int64 kRewriteBytes = 64 << 10;  ///< at a time
constexpr int kMostBusy = 30;                      ///< times in a row that a copy is kept waiting
constexpr const char* kReaderSetUp = "PRAGMA query_only=1; PRAGMA mmap_size=0; PRAGMA cache_size=-256;";
/// With it SQLite opens a file that is shorter than its header says.
constexpr const char* kSalvageSetUp = "PRAGMA writable_schema=1;";

}  // namespace

Status make_private(const std::filesystem::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0) {
    return fail(Errc::io, "{} cannot be opened: {}; may this user read and write it?", file.string(),
                std::strerror(errno));
  }
  ::close(made);
  return {};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind_at(int at, std::int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }
void Statement::bind_at(int at, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), at, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}
void Statement::bind_at(int at, const Blob& blob) {
  sqlite3_bind_blob64(statement_.get(), at, blob.bytes.data() != nullptr ? blob.bytes.data() : "", blob.bytes.size(),
                      SQLITE_STATIC);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure(sqlite3_db_handle(statement_.get()), code);
}

Status Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  Status status;
  if (!row) status = fail(std::move(row.error()));
  reset();
  return status;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool Statement::null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Statement& Statement::bind_row(const Statement& row) {
  reset();
  for (int i = 0; i < sqlite3_column_count(row.statement_.get()); ++i) {
    sqlite3_bind_value(statement_.get(), i + 1, sqlite3_column_value(row.statement_.get(), i));
  }
  return *this;
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Connection> Connection::open(const std::filesystem::path& file, Access access) {
  Connection connection;
  connection.access_ = access;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database, flags, nullptr);
  connection.database_.reset(database);
  if (code != SQLITE_OK) return failure(database, code);
  sqlite3_busy_timeout(database, 2000);
  sqlite3_create_function_v2(database, "crc32c", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr,
                             crc_of_values, nullptr, nullptr, nullptr);
  // Only the writer checkpoints: two connections that do meet the WAL-reset bug of SQLite 3.7.0 to 3.51.2.
  sqlite3_wal_autocheckpoint(database, 0);
  // And it when it is told to: a start that fails closes too, and what the WAL holds may be nowhere else.
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (access != Access::write) {
    if (access == Access::salvage) {
      // While it can be read as usual: with what follows SQLite takes a schema that it failed to read for an empty one.
      static_cast<void>(twice([&] { return connection.number("SELECT count(*) FROM sqlite_schema"); }));
      if (Status status = connection.run(kSalvageSetUp); !status) return fail(std::move(status.error()));
    }
    if (Status status = connection.run(kReaderSetUp); !status) return fail(std::move(status.error()));
    sqlite3_set_authorizer(database, allow_reading, nullptr);
  } else {
    connection.wal_ = std::make_unique<Wal>();
    sqlite3_wal_hook(database, count_frames, &connection.wal_->frames);
  }
  return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  Statement statement;
  statement.statement_.reset(prepared);
  if (code == SQLITE_OK) return statement;
  auto failed = failure(database_.get(), code);
  // The statements are this program's own: one that does not fit the tables says that these are damaged.
  if (code == SQLITE_ERROR) failed.value().code = Errc::corrupt;
  return failed;
}

Status Connection::run(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

namespace {

/// Run to its end: a statement that changes the file may do so, and fail, after its row.
template <class Value, class Read>
Result<Value> first_value(Connection& connection, std::string_view sql, const Read& read) {
  Result<Statement> statement = connection.prepare(sql);
  if (!statement) return fail(std::move(statement.error()));
  const Result<bool> row = statement->step();
  if (!row) return fail(row.error());
  Value value = *row ? read(*statement) : Value{};
  if (Status rest = *row ? statement->run() : Status{}; !rest) return fail(std::move(rest.error()));
  return value;
}

}  // namespace

Result<std::int64_t> Connection::number(std::string_view sql) {
  return first_value<std::int64_t>(*this, sql, [](const Statement& row) { return row.integer(0); });
}

Result<std::string> Connection::text(std::string_view sql) {
  return first_value<std::string>(*this, sql, [](const Statement& row) { return std::string(row.text(0)); });
}

Status Connection::check_pages() {
  const auto check = [this]() -> Status {
    const auto verdict = text("PRAGMA integrity_check(1)");  // quick_check trusts the indexes
    if (!verdict) return fail(verdict.error());
    return *verdict == "ok" ? Status{} : fail(Errc::corrupt, "{}", *verdict);
  };
  // To SQLite a page that could not be read once is as wrong as any.
  return check() ? Status{} : check();
}

std::int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(database_.get()); }

Status Connection::checkpoint(bool truncate) {
  if (access_ != Access::write) return fail(Errc::invalid, "a reader's connection does not checkpoint");
  int in_wal = 0;
  int moved = 0;
  const int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, mode, &in_wal, &moved);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  wal_->frames = in_wal - moved;
  return {};
}

Status Connection::make_whole() {
  if (Status status = checkpoint(true); !status) return status;
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return {};
}

Status Connection::rewrite_wal() {
  if (access_ != Access::write) return fail(Errc::invalid, "a reader's connection does not write");
  sqlite3_file* wal = nullptr;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&wal));
  if (wal == nullptr || wal->pMethods == nullptr) return {};
  const sqlite3_io_methods& file = *wal->pMethods;
  std::vector<char> bytes(kRewriteBytes);
  sqlite3_int64 size = 0;
  int code = file.xFileSize(wal, &size);
  for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += kRewriteBytes) {
    const int much = static_cast<int>(std::min(kRewriteBytes, size - at));
    code = file.xRead(wal, bytes.data(), much, at);
    if (code == SQLITE_OK) code = file.xWrite(wal, bytes.data(), much, at);
  }
  if (code == SQLITE_OK) code = file.xSync(wal, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

Status Connection::copy_into(Connection& to, int pages,
                             const std::function<Status(std::uint64_t done, std::uint64_t of)>& step) {
  struct Finish {
    void operator()(sqlite3_backup* copy) const { sqlite3_backup_finish(copy); }
  };
  std::unique_ptr<sqlite3_backup, Finish> copy(
      sqlite3_backup_init(to.database_.get(), "main", database_.get(), "main"));
  if (!copy) return failure(to.database_.get(), sqlite3_errcode(to.database_.get()));
  int code = SQLITE_OK;
  for (int busy = 0; code != SQLITE_DONE;) {
    code = sqlite3_backup_step(copy.get(), pages);
    busy = code == SQLITE_BUSY ? busy + 1 : 0;  // each has waited for the writer as long as any reader does
    if (code != SQLITE_OK && code != SQLITE_DONE && (code != SQLITE_BUSY || busy == kMostBusy)) {
      return fail(errc_of(code), "{} cannot be copied: {} (SQLite {})", sqlite3_db_filename(database_.get(), "main"),
                  sqlite3_errstr(code), code);
    }
    const auto of = static_cast<std::uint64_t>(sqlite3_backup_pagecount(copy.get()));
    if (Status status = step(of - static_cast<std::uint64_t>(sqlite3_backup_remaining(copy.get())), of); !status) {
      return status;
    }
  }
  copy.reset();
  return to.run("PRAGMA journal_mode=DELETE");
}

int Connection::wal_frames() const {
  assert(wal_ != nullptr);
  return wal_->frames;
}

Result<Transaction> Transaction::begin(Connection& connection) {
  if (Status status = connection.run("BEGIN IMMEDIATE"); !status) return fail(std::move(status.error()));
  return Transaction(connection);
}

Result<Transaction> Transaction::snapshot(Connection& connection) {
  if (Status status = connection.run("BEGIN"); !status) return fail(std::move(status.error()));
  return Transaction(connection);
}

Transaction::~Transaction() {
  // A failed commit may have rolled back by itself; then this one has nothing to do.
  if (connection_ != nullptr) static_cast<void>(connection_->run("ROLLBACK"));
}

Status Transaction::commit() {
  Status status = connection_->run("COMMIT");
  if (status) connection_ = nullptr;
  return status;
}

}  // namespace tidegate::journal::sql
