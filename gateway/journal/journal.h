#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/metrics.h"
#include "gateway/core/result.h"
#include "gateway/core/sink.h"
#include "gateway/core/types.h"
#include "gateway/journal/catalogue.h"

namespace tidegate::journal {

using BatchPtr = std::shared_ptr<const Batch>;

/// What gives way when storage is full. Alerts and events never do.
enum class WhenFull : std::uint8_t {
  drop_oldest,  ///< the oldest samples
  thin,         ///< nine in ten of the oldest samples; their minutes, hours and days stay exact
  reject        ///< new samples
};

struct Options {
  std::filesystem::path directory;                 ///< holds journal.db and history/; made with mode 0700 where missing
  Micros retention = std::chrono::hours(24 * 30);  ///< samples older than this go
  Micros rollup_retention = std::chrono::hours(24 * 3653);     ///< and their hours and days after this
  std::uint64_t max_bytes = 256u << 20;                        ///< of journal.db; the oldest batches go beyond it
  std::uint64_t max_history_bytes = std::uint64_t{768} << 20;  ///< of history/; the oldest days go beyond it
  WhenFull when_full = WhenFull::drop_oldest;
  Micros log_keep = std::chrono::hours(1);  ///< batches younger than this stay in the log, for recovery and readers
  std::size_t max_events = 200'000;         ///< the oldest events go beyond it; metrics never push events out
  std::uint64_t max_snapshot_bytes = 16u << 20;  ///< of the samples in snapshots; the oldest snapshot's go beyond it
  std::size_t max_dead_letters = 1'000;
  std::size_t cache_bytes = 4u << 20;  ///< of the newest batches kept in memory for readers
  Catalogue::Limits series;
  /// Called now and then while a damaged file is read into a new one, which may take seconds.
  std::function<void()> still_at_work = [] {};
};

struct ReadLimits {
  std::size_t max_batches = 256;
  std::size_t max_samples = 65'536;  ///< at least one batch is returned however large
};

/// A point of a down-sampled history: all good and uncertain samples of one bucket.
struct Bucket {
  Timestamp first_time{}, last_time{};
  double min = 0, max = 0, sum = 0, first = 0, last = 0;
  std::uint32_t count = 0;  ///< of usable samples; 0 with bad > 0: only failed reads
  std::uint32_t bad = 0;
};
struct SeriesHistory {
  SeriesId series{};
  std::vector<Bucket> buckets;  ///< in order of time; empty stretches have none
};

struct StoredEvent {
  Seq seq{};
  int ordinal = 0;       ///< within the batch
  bool damaged = false;  ///< it was there, and what it told cannot be read
  Event event;
};
struct EventQuery {
  Seq after{};  ///< only later batches
  struct Place {
    Seq seq{INT64_MAX};
    int ordinal = 0;
  };
  Place before{};  ///< only earlier events
  std::size_t limit = 1000;
  bool newest_first = false;
  bool alerts_only = false;     ///< of_alerts()
  bool snapshots_only = false;  ///< Snapshot
  bool damaged_too = false;     ///< else they are left out
};

/// When a batch was committed.
struct Commit {
  Seq seq;
  Timestamp time;
};

struct Stats {
  std::uint64_t samples, events;  ///< stored now
  std::uint64_t file_bytes;       ///< journal.db and its WAL
  std::uint64_t used_bytes;       ///< of journal.db, free pages not counted
  std::uint64_t history_bytes;    ///< of history/
  Seq first, last;                ///< batches held; last = 0 while empty
  Timestamp oldest;               ///< batch of the log, or sample of history
};

/// The log: the one strong noun in the middle. SQLite in WAL mode with synchronous=FULL; one writer connection, used by
/// append() and maintain(), which alone checkpoints; readers have read-only connections of their own. History is made
/// of it by compact(), a reader with a cursor like any other.
/// Threads: maintain() by the pump; compact() by one thread; all else by any thread, append() by the pump as a rule.
/// Failure: a call that fails has changed nothing; the caller holds its batch and calls again.
class Journal {
 public:
  /// Takes a lock on the directory (Errc::conflict when another process has it). Damage, here or later, costs what is
  /// damaged: the file becomes *.corrupt-<time>, what can be read of it goes into a new one, whose newest batch is a
  /// Notice of what is lost. Seq counts on; the epoch stays where the last seq is certain, as it always is in a run.
  static Result<std::unique_ptr<Journal>> open(const Options& options, const Clock& clock, Metrics& metrics);
  ~Journal();  ///< saves cursors and latest values, checkpoints, closes

  /// Random, made with the file: with it, (epoch, seq) is unique for ever.
  const std::string& epoch() const;
  Catalogue& catalogue();
  const Catalogue& catalogue() const;

  /// All or nothing, durable on return: samples, events, alert records, new names and labels.
  /// Sets seq and committed (never before the last batch's, even where the clock went back over a restart), and gives
  /// the batch as its readers will see it: `batch` is taken when it succeeds, and left as it was when it fails, to be
  /// tried again. Errc::full: the disk; Errc::io: the next call makes the connection anew; Errc::corrupt: a new file is
  /// damaged as well, and there is no use in trying again; Errc::invalid: a batch that can never be stored.
  Result<BatchPtr> append(Batch& batch);
  Result<BatchPtr> append(Batch&& batch) { return append(batch); }  ///< for one that nobody would try again
  /// Saves cursors and dead letters; retention; checkpoint. Once the clock is set, gives samples that the gateway
  /// stamped before, since the machine's start, the times that they really had, and tells of it. A bounded piece of
  /// work (a few ms) a call; the pump calls it when idle and each second.
  Status maintain();

  /// Batches stay in the log for at least this long (and Options::log_keep), while its bound in bytes allows: what a
  /// start reads back for the rules' windows.
  void keep_log_for(Micros time);
  /// A round of compaction from the log into history, where one is due (or there is anything, with `at_once`); else
  /// the rolling up of a day that is over; and the retention of history. True: there may be more to do now. Seconds of
  /// work, without the write lock: for a thread of low priority.
  Result<bool> compact(std::stop_token stop, bool at_once = false);

  /// The batches after `after`, in order: the newest from memory, older ones from disk. What retention removed or
  /// damage took is one Batch with `gap` set and the gap's last seq as its own. Empty: nothing newer.
  Result<std::vector<BatchPtr>> read(Seq after, const ReadLimits& limits = {}) const;
  /// The newest batch of which the times stand: what comes later was committed while nobody had set the machine's
  /// clock, for ten minutes at most. Who takes samples elsewhere waits for it, and asks before it reads.
  Seq settled() const;
  /// Waits until there is a batch after `after`; false on time-out or stop.
  bool wait(Seq after, Micros timeout, std::stop_token stop) const;
  Seq last() const;
  /// Until when it is known that somebody was here: the last commit, or the time that is kept on disk each five minutes
  /// without one. Epoch 0: never yet.
  Timestamp left_off() const;
  Seq first() const;  ///< the oldest held; next(last()) while empty

  /// Durable named cursors. A new cursor begins at `last()` of the moment it is first asked for, or at the oldest batch
  /// held when `from_start`.
  Result<Seq> position(std::string_view cursor, bool from_start = true);
  /// Never backwards (then it does nothing); Errc::not_found before position(). Durable with the next maintain: after a
  /// crash a reader may see a batch again, never miss one.
  Status advance(std::string_view cursor, Seq to);

  /// The sample with the newest time of every series, by id (`time` epoch 0: none yet). Kept over restarts.
  std::vector<Sample> latest() const;
  /// All alert records that are not `normal`, by id. One that is damaged is as it was last announced, and written anew
  /// by the next maintain().
  Result<std::vector<AlertRecord>> alerts() const;
  Result<std::vector<StoredEvent>> events(const EventQuery& query) const;
  /// Retention removed every alert event of the batches up to this one, and none of those behind it; 0: none so far.
  /// Ask after events(), so that what goes in between is not missed.
  Result<Seq> alerts_retired() const;
  /// The same of snapshots.
  Result<Seq> snapshots_retired() const;
  /// Of the batch that holds it, in the order in which they were encoded; Errc::not_found where its samples had to make
  /// room, Errc::corrupt where they cannot be read.
  Result<std::vector<Sample>> snapshot(Seq seq) const;

  /// Buckets of equal width over [from, to), at most `max_points` a series, from history and the log. Where rollups
  /// serve (buckets of two minutes and more) they begin at whole minutes, hours or days.
  Result<std::vector<SeriesHistory>> history(std::span<const SeriesId> series, Timestamp from, Timestamp to,
                                             std::size_t max_points) const;
  /// The seq before the first batch committed at or after `time`: where to start reading for a look back.
  Result<Seq> before(Timestamp time) const;
  /// Of the batch, or of the first behind it that is held; Errc::not_found where none is.
  Result<Commit> commit_of(Seq batch) const;

  /// Kept in memory until the next maintain; bounded; repeated (source, topic, reason) within a minute are
  /// counted on the first letter, not stored again.
  void dead_letter(DeadLetter letter);
  struct StoredDeadLetter {
    std::int64_t id;  ///< 0: not saved yet
    std::uint64_t times;
    DeadLetter letter;
  };
  /// Newest first, those that are not saved yet too; only saved ones before an id where it is given.
  Result<std::vector<StoredDeadLetter>> dead_letters(std::size_t limit, std::optional<std::int64_t> before = {}) const;

  Stats stats() const;
  /// Damage that was met since open, in words; each is a Notice in the log already.
  std::vector<std::string> notices() const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::journal
