#pragma once

#include <filesystem>
#include <functional>
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
    Lease(Readers& home, sql::Connection connection, unsigned generation)
        : home_(&home), connection_(std::move(connection)), generation_(generation) {}
    Lease(Lease&& other) noexcept
        : home_(std::exchange(other.home_, nullptr)),
          connection_(std::move(other.connection_)),
          generation_(other.generation_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (home_ != nullptr) home_->give_back(std::move(connection_), generation_);
    }
    sql::Connection& operator*() { return connection_; }
    sql::Connection* operator->() { return &connection_; }

   private:
    Readers* home_;
    sql::Connection connection_;
    unsigned generation_;
  };

  Result<Lease> take();
  /// While `swap` puts another file in the place of this one nobody opens it; all connections from now on are to the
  /// new one, and those lent go on with the old one until they are given back.
  Status move_over(const std::function<Status()>& swap);

 private:
  void give_back(sql::Connection connection, unsigned generation);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<sql::Connection> idle_;
  unsigned generation_ = 0;
};

/// Why a gap is there.
constexpr const char* kRetention = "retention";
constexpr const char* kDamaged = "damaged";

/// The stored batches of (after, until], with a gap in place of each that is missing or damaged;
/// a damaged event costs itself only.
Result<std::vector<BatchPtr>> read_log(sql::Connection& connection, Seq after, Seq until, const ReadLimits& limits);
Result<std::vector<StoredEvent>> read_events(sql::Connection& connection, const EventQuery& query);
/// The batch that the row `key` of `meta` names; 0 where there is none.
Result<Seq> read_retired(sql::Connection& connection, const char* key);
/// As Journal::snapshot().
Result<std::vector<Sample>> read_snapshot(sql::Connection& connection, Seq seq);
/// False in a store that an older program wrote.
Result<bool> has_snapshots(sql::Connection& connection);
/// As Journal::commit_of().
Result<Commit> read_commit(sql::Connection& connection, Seq batch);
struct Alerts {
  std::vector<AlertRecord> records;  ///< that are not normal, by id
  /// For those whose record is damaged: as they were last announced, or `normal` where no event tells of them.
  std::vector<AlertRecord> mended;
};
Result<Alerts> read_alerts(sql::Connection& connection);

Result<std::vector<Journal::StoredDeadLetter>> read_dead_letters(sql::Connection& connection, std::size_t limit,
                                                                 std::optional<std::int64_t> before = {});

/// The seq of the first batch committed at or after `time`, by bisection (commit times never run backwards); next(last)
/// where there is none.
Result<Seq> first_committed(sql::Connection& connection, Timestamp time, Seq first, Seq last);

}  // namespace tidegate::journal
