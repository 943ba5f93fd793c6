#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/journal/journal.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// Read-only connections, lent to one thread at a time and kept for the next. Any thread.
class Readers {
 public:
  explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}

  class Lease {
   public:
    Lease(Readers& home, sql::Connection connection) : home_(&home), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept
        : home_(std::exchange(other.home_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (home_ != nullptr) home_->give_back(std::move(connection_));
    }
    sql::Connection& operator*() { return connection_; }
    sql::Connection* operator->() { return &connection_; }

   private:
    Readers* home_;
    sql::Connection connection_;
  };

  Result<Lease> take();

 private:
  void give_back(sql::Connection connection);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<sql::Connection> idle_;
};

/// The stored batches of (after, until], with a gap in place of each that is missing or damaged.
Result<std::vector<BatchPtr>> read_log(sql::Connection& connection, Seq after, Seq until, const ReadLimits& limits);
Result<std::vector<StoredEvent>> read_events(sql::Connection& connection, const EventQuery& query);
Result<Seq> read_alerts_retired(sql::Connection& connection);
/// Errc::corrupt where one cannot be read.
Result<std::vector<AlertRecord>> read_alerts(sql::Connection& connection);

Result<std::vector<Journal::StoredDeadLetter>> read_dead_letters(sql::Connection& connection, std::size_t limit);

/// The seq of the first batch committed at or after `time`, by bisection (commit times never run backwards); next(last)
/// where there is none.
Result<Seq> first_committed(sql::Connection& connection, Timestamp time, Seq first, Seq last);

}  // namespace tidegate::journal
