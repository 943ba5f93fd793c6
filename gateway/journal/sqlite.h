#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/core/result.h"

struct sqlite3;
struct sqlite3_stmt;

/// The thin wrapper of SQLite: its header stays in sqlite.cpp. A connection and its statements belong to one thread at
/// a time.
namespace tidegate::journal::sql {

/// Bytes to bind, rather than text.
struct Blob {
  std::string_view bytes;
};

/// Asks once more after an I/O error: what a disk refuses a single time is not lost.
template <class Ask>
auto twice(const Ask& ask) {
  auto answer = ask();
  if (!answer && answer.error().code == Errc::io) answer = ask();
  return answer;
}

/// Makes the file, where it is missing, so that only its owner reads it. SQLite gives what it keeps beside a database
/// the same mode, so this comes before SQLite sees the file.
Status make_private(const std::filesystem::path& file);

/// A prepared statement. Bound text and blobs are not copied: they must live until the statement is reset.
class Statement {
 public:
  Statement() = default;

  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int at = 0;
    (bind_at(++at, values), ...);
    return *this;
  }
  /// True: a row is there to be read; false: no more.
  Result<bool> step();
  /// For statements without rows: runs it to its end and resets it.
  Status run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  ///< or a blob; good until the next step
  bool null(int column) const;

  /// Binds the row that `row` stands on, column by column: from one file to another.
  Statement& bind_row(const Statement& row);

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void bind_at(int at, std::int64_t value);
  void bind_at(int at, std::string_view text);
  void bind_at(int at, const std::string& text) { bind_at(at, std::string_view(text)); }
  void bind_at(int at, const char* text) { bind_at(at, std::string_view(text)); }
  void bind_at(int at, const Blob& blob);
  template <class Value>
  void bind_at(int at, const std::optional<Value>& value) {
    if (value) bind_at(at, *value);  // else it stays NULL
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Statements may use `crc32c(...)`: CRC-32C of the values, of each a letter for its kind ("n" NULL, "i" integer, "t"
/// text or blob), then 8 bytes, little-endian, the integer or the length, then the bytes.
class Connection {
 public:
  enum class Access {
    write,   ///< the one writer, which alone checkpoints
    read,    ///< cannot write, checkpoint or run a PRAGMA that changes anything, not even by mistake
    salvage  ///< the same of a damaged file: one that is shorter than its header says is read as far as it goes
  };

  static Result<Connection> open(const std::filesystem::path& file, Access access);

  Result<Statement> prepare(std::string_view sql);
  /// One or more statements without parameters; rows are ignored.
  Status run(const char* sql);
  /// The first column of the first row, or 0 where there is none.
  Result<std::int64_t> number(std::string_view sql);
  Result<std::string> text(std::string_view sql);
  /// Reads every page, and whether indexes say what their tables do; Errc::corrupt says what SQLite finds wrong, twice
  /// in a row.
  Status check_pages();

  /// The rowid of the last insert.
  std::int64_t last_id() const;

  /// Moves the WAL's pages into the database as far as readers allow; `truncate` waits for them a moment and empties
  /// the file. Refused on a reader's connection.
  Status checkpoint(bool truncate);
  /// With a checkpoint that truncates, after which the WAL goes when the connection closes. Only then: whatever ends
  /// without it leaves the WAL as it is.
  Status make_whole();
  /// Writes the WAL's bytes once more, and syncs them. After a failed sync Linux takes what was not written for
  /// written: it is read back until the power goes and then missing, and with it all that was synced after it. Writer
  /// only.
  Status rewrite_wal();
  /// Copies every page into `to`, an empty file's connection, `pages` at a time and without a lock in between, and says
  /// how far it is. Where the file is changed meanwhile it begins anew, but for a reader's snapshot, which stays as it
  /// is. A file so copied needs no WAL to be whole.
  Status copy_into(Connection& to, int pages, const std::function<Status(std::uint64_t done, std::uint64_t of)>& step);

  /// Frames in the WAL after the last commit.
  int wal_frames() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Wal {
    int frames = 0;
  };

  std::unique_ptr<Wal> wal_;  ///< outlives the database, whose hook writes to it
  std::unique_ptr<sqlite3, Close> database_;
  Access access_ = Access::read;
};

/// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  /// For a reader: all its statements see one state of the file.
  static Result<Transaction> snapshot(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace tidegate::journal::sql
