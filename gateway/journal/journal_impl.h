#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/journal/cursors.h"
#include "gateway/journal/dead_letters.h"
#include "gateway/journal/history/archive.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/lock.h"
#include "gateway/journal/reader.h"
#include "gateway/journal/reserve.h"
#include "gateway/journal/salvage.h"
#include "gateway/journal/seen.h"
#include "gateway/journal/tail.h"
#include "gateway/journal/writer.h"

/// The inside of a journal. Its parts: journal_file.cpp opens the file and replaces a damaged one; journal.cpp writes
/// and reads; upkeep.cpp keeps.
namespace tidegate::journal {

/// Kept free on the disk for alerts: some ten thousand transitions, with what SQLite writes around them.
constexpr std::uint64_t kReserveBytes = 4u << 20;

constexpr std::string_view kHistoryCursor = "history";

/// 0 where there is none.
std::uint64_t size_of(const std::filesystem::path& file);

struct Journal::Impl {
  Impl(const Options& opened, const Clock& gateway_clock, Metrics& metrics, DirectoryLock taken)
      : options(opened),
        clock(gateway_clock),
        damaged(metrics.counter("journal/damaged_batches", "", "Stored batches that were found damaged when read.")),
        replaced(metrics.counter("journal/replaced_files", "", "Times that a damaged journal.db was set aside.")),
        lost_batches(
            metrics.counter("journal/lost_batches", "", "Batches that could not be saved from damaged files.")),
        lost_samples(metrics.counter("journal/lost_samples", "", "Samples in them.")),
        lost_events(metrics.counter("journal/lost_events", "", "Events that could not be saved from damaged files.")),
        failures(metrics.counter("journal/append_failures", "", "Commits that failed and were tried again.")),
        retired(metrics.counter("journal/retired_batches", "", "Batches that retention removed.")),
        file_bytes(metrics.gauge("journal/file_bytes", "bytes", "Size of journal.db and its write-ahead log.")),
        used_bytes(metrics.gauge("journal/used_bytes", "bytes", "Bytes of journal.db in use.")),
        rejected(metrics.counter("journal/rejected_samples", "", "Samples not stored because storage was full.")),
        lock(std::move(taken)),
        file(options.directory / "journal.db"),
        catalogue(options.series),
        letters(metrics),
        tail(options.cache_bytes),
        readers(std::make_unique<Readers>(file)),
        archive(options, catalogue, clock, metrics) {}

  const Options options;
  const Clock& clock;
  Metric &damaged, &replaced, &lost_batches, &lost_samples, &lost_events, &failures, &retired, &file_bytes, &used_bytes,
      &rejected;
  DirectoryLock lock;
  const std::filesystem::path file;
  std::string epoch, history_epoch;
  mutable std::mutex notices_mutex;
  std::vector<std::string> notices;  ///< guarded by it
  /// Damage that readers met and nobody told yet, guarded likewise.
  struct Untold {
    std::uint64_t batches = 0;
    Seq first{}, last{};
    void add(const Untold& more);
  };
  mutable Untold untold;
  mutable std::atomic<bool> alerts_damaged{false};  ///< the next maintain() mends them
  mutable Seen damage;                              ///< that readers met, each batch once
  mutable std::atomic<bool> suspicious{false};      ///< a reader met damage: the next maintain() checks every page
  Catalogue catalogue;
  Cursors cursors;
  DeadLetters letters;
  Tail tail;
  std::unique_ptr<Readers> readers;
  history::Archive archive;
  std::optional<std::string> repaired;  ///< by history, and not in the log yet; compact()'s alone

  mutable std::mutex write_mutex;  ///< guards what follows
  std::optional<Writer> writer;
  bool marked_open = false;
  Reserve reserve{options.directory / "journal.reserve", kReserveBytes};
  Timestamp last_committed{};
  Timestamp time_saved{};  ///< later than that where long nothing was committed
  Seq latest_saved{};
  std::size_t samples_since_save = 0;
  std::atomic<std::uint64_t> samples{0}, events{0}, used{0};
  std::atomic<std::int64_t> oldest{0};
  std::atomic<std::int64_t> first_unsettled{0};  ///< a seq; 0: none
  std::uint64_t restamped = 0;                   ///< batches of them, so far
  std::atomic<Micros> log_keep = options.log_keep;

  Status load(std::string& missing);
  Result<Seq> last_known(Writer& opened) const;
  Status open_file();
  void mark_open();
  Status report_missing(const std::string& what);
  Status tell(Notice notice, std::vector<AlertRecord> mended = {});
  Status report(std::string text, std::vector<AlertRecord> mended = {});
  Status resist(const std::function<Status()>& work);
  Status replace_file(const Error& why);
  Result<Batch> swap_file(const Error& why, const std::optional<Known>& known);
  Known known() const;
  /// Damage that stands in a reader's way is looked for by the next maintain().
  template <class T>
  Result<T> noted(Result<T> read) const {
    if (!read && read.error().code == Errc::corrupt) suspicious = true;
    return read;
  }
  void note_damage(std::span<const BatchPtr> batches) const;
  Result<Alerts> alerts() const;
  Status mend_alerts();
  Status tell_damage();
  Status look_for_damage();
  Status store(Batch& batch, const Catalogue::Unsaved& names);
  std::vector<Sample> reject_when_full(Batch& batch) const;
  Status check(const Batch& batch) const;
  Status save(bool newest);
  Status retire();
  Status settle();
  Status restamp(const Moment& now);
  void note_sizes();
};

}  // namespace tidegate::journal
