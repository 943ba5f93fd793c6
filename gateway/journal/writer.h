#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "gateway/journal/cursors.h"
#include "gateway/journal/dead_letters.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

struct Times {
  Timestamp first, last;
};
/// Of a batch's samples; when it was committed where it has none.
Times times_of(const Batch& batch);

/// The one connection that writes and checkpoints. Not thread-safe: the journal's write lock guards it. A call that
/// fails has changed nothing; after an I/O error the next call opens the connection anew, since what a failed fsync
/// left in the caches is unknown.
class Writer {
 public:
  static Result<Writer> open(const std::filesystem::path& file);

  /// The ends of what is stored and what only the disk knows, as found at open.
  struct Found {
    std::string epoch, history_epoch;
    Seq first{1}, last{0};
    Timestamp last_committed{};
    Timestamp time{};  ///< that was saved
    std::string lost;  ///< likewise
  };
  const Found& found() const { return found_; }

  /// While nobody has set the clock: its Moment::ahead, by which the batch is found and mended when somebody does.
  using Unset = std::optional<Micros>;
  static Unset unset(const Moment& now) { return now.settled ? Unset() : now.ahead; }

  /// One transaction; `batch` has its seq, next(last).
  Status append(const Batch& batch, const Catalogue::Unsaved& names, Unset unset);

  /// What maintain() saves, one transaction.
  struct Upkeep {
    Cursors::Positions cursors;
    std::vector<DeadLetters::Change> letters;  ///< new ones get their id
    std::size_t max_letters = 0;
    std::optional<std::string> latest;  ///< the newest samples, encoded, as of the last batch
    std::optional<Timestamp> time;
    std::optional<std::string> lost;  ///< batches whose loss is told, as Seen::text() has them
    bool empty() const { return cursors.empty() && letters.empty() && !latest && !time && !lost; }
  };
  Status save(Upkeep& upkeep);

  struct Limits {
    Timestamp oldest;  ///< batches committed before it go
    Seq released;      ///< batches up to it are needed by nobody; they go when
    Timestamp recent;  ///< they were committed before this
    Seq remembered;    ///< the newest samples are saved up to here: of what is later a start reads the batches
    std::uint64_t max_bytes;
    bool drop_oldest;  ///< batches, beyond max_bytes
    std::size_t max_events;
    std::uint64_t max_snapshot_bytes;
  };
  /// One bounded step of retention.
  Status retire(const Limits& limits);
  /// The oldest stored batch, after retire().
  Seq first() const { return first_; }

  /// Batches of this start of the machine that were committed while nobody had set the clock, and are not mended.
  struct Unsettled {
    Seq first{0}, last{0};  ///< 0: none
  };
  Unsettled unsettled() const { return unsettled_; }
  /// A bounded step of mending them, the newest first, so that a crash in between leaves them in order of their times:
  /// what the gateway's clock stamped gets the time that it had by the clock of `now`. Gives those that changed,
  /// without their events and alerts.
  Result<std::vector<Batch>> restamp(const Moment& now);
  /// Is there a word in the file of unset batches, of whatever start of the machine?
  bool tells_of_unset() const { return tells_of_unset_; }
  /// They are mended, or will never be. With the newest samples, which knew them by their old times.
  Status settle(const std::string& latest);

  Status checkpoint_if_due();
  /// All into the file itself, so that nothing of the WAL's bytes is met again.
  Status empty_wal() { return checkpoint(true); }
  /// Reads every page; Errc::corrupt where one is damaged.
  Status verify();
  /// Moves all into the file itself and closes: `closed` is called when it is whole without its WAL, or never.
  void close(const std::function<void()>& closed = [] {});
  /// For a log of which a part may be missing that nobody can name: from the next append on, and with it.
  void begin_epoch();
  /// Closes without a checkpoint; the next call opens whatever file is there by then, and finds its ends.
  void abandon();

  // For what writes a whole file at once: puts within a transaction, and where the numbers go on from.
  Status transaction(const std::function<Status()>& work) { return guarded(work); }
  Status put_names(const Catalogue::Unsaved& names);
  Status put_batch(const Batch& batch, std::int64_t events, std::int64_t samples_before, Unset unset);
  void continue_after(Seq last, std::int64_t samples_total);
  void continue_events(std::int64_t last, std::uint64_t bytes);
  Status find_unsettled();

  /// Is there anything in the WAL that this process committed?
  bool is_in_wal() const { return connection_ && connection_->wal_frames() > 0; }
  std::uint64_t used_bytes() const { return used_bytes_; }
  std::int64_t samples_total() const { return samples_total_; }
  std::int64_t samples_retired() const { return samples_retired_; }
  std::int64_t first_event() const { return events_first_; }
  std::int64_t last_event() const { return events_last_; }
  std::uint64_t samples() const { return samples_total_ - samples_retired_; }
  std::uint64_t events() const { return events_last_ - events_first_ + 1; }
  Timestamp oldest() const { return oldest_; }
  sql::Connection& connection() { return *connection_; }

 private:
  struct Statements {
    sql::Statement series, label, batch, event, alert, no_alert, cursor, new_letter, more_letter, old_letters, meta,
        page_count, free_pages, oldest_batches, retire_batches, retire_events, snapshot;
  };

  explicit Writer(std::filesystem::path file) : file_(std::move(file)) {}
  Status connect();
  Status prepare();
  struct EndRow {
    Seq seq{0};
    Timestamp committed{};
    std::int64_t samples_before = 0, samples = 0;
  };
  Result<EndRow> end_row(const char* direction);
  Status check_beginning(const EndRow& oldest);
  Status check_event_ends();
  Status find_ends();
  /// Opens anew where the last failure asks for it; what its commit left behind goes with the next append.
  Status mend();
  Status checkpoint(bool truncate);
  Status remove_leftovers();
  Status guarded(const std::function<Status()>& work);
  Status put_epoch();
  Status put_events(const Batch& batch);
  Status count_snapshots();
  Status put_alerts(std::span<const AlertRecord> alerts);
  Status put_letters(Upkeep& upkeep);
  Status put_latest(const std::string& latest);
  Status put_unset(Seq first);
  struct Stamped;
  Result<std::vector<Stamped>> newest_unsettled();
  Status put_restamped(const Stamped& stamped);
  Status retire_old_batches(const Limits& limits);
  Status remove_batches(Seq through, std::int64_t samples);
  Status retire_old_events(const Limits& limits);
  Status end_with_batch(std::int64_t& through);
  Status mark_retired(std::int64_t through);
  Status retire_old_snapshots(const Limits& limits);
  Status measure();

  std::filesystem::path file_;
  std::optional<sql::Connection> connection_;
  std::optional<Statements> statements_;
  bool broken_ = false;     ///< the connection is to be made anew
  bool leftovers_ = false;  ///< a batch may be in the file whose commit failed; its owner comes with it again
  bool ends_known_ = true;  ///< of the file that it is made to
  bool new_epoch_ = false;  ///< that of `found_` is not in the file yet
  bool full_ = false;       ///< the disk was, at the last try
  Found found_;
  Seq first_{1}, last_{0};
  Unsettled unsettled_;
  bool tells_of_unset_ = false;
  Timestamp oldest_{};
  std::int64_t samples_total_ = 0;                   ///< ever appended
  std::int64_t samples_retired_ = 0;                 ///< of these, before the oldest batch
  std::int64_t events_first_ = 1, events_last_ = 0;  ///< ids, without holes
  std::uint64_t event_bytes_ = 0;
  std::uint64_t snapshot_bytes_ = 0;  ///< of their samples
  std::uint64_t page_bytes_ = 0;
  std::uint64_t used_bytes_ = 0;
};

}  // namespace tidegate::journal
