#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <vector>

#include "gateway/journal/journal.h"

namespace tidegate::journal {

/// What readers get without the disk: the log's ends, its newest batches, every series' newest sample. Any thread;
/// publish() and retire() by the writer.
class Tail {
 public:
  explicit Tail(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void restore(Seq first, Seq last, std::span<const Sample> latest);
  void publish(const BatchPtr& batch);
  /// A batch that has other times now, and a later commit.
  void restamp(const Batch& batch);
  /// Batches before `first` are gone.
  void retire(Seq first);

  struct Ends {
    Seq first, last;
  };
  Ends ends() const;
  bool wait(Seq after, Micros timeout, std::stop_token stop) const;
  /// The oldest batch in memory, or next(last).
  Seq oldest_cached() const;
  /// The batches after `after`, when the first of them is in memory; else none.
  std::vector<BatchPtr> after(Seq after, const ReadLimits& limits) const;
  std::vector<Sample> latest(std::size_t series) const;

 private:
  void note(const Sample& sample);
  Seq oldest() const;

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any published_;
  Seq first_{1};
  Seq last_{0};
  std::deque<BatchPtr> batches_;
  std::size_t bytes_ = 0;
  std::vector<Sample> latest_;
};

}  // namespace tidegate::journal
