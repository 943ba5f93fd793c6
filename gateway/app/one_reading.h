#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/sink.h"

namespace tidegate::app {

/// A Sink that keeps the newest sample of each series: what a source reads, for one who only looks. Any thread.
class OneReading final : public Sink {
 public:
  struct Series {
    std::string name;
    SeriesInfo info;
    std::vector<std::string> labels;
    Sample last;  ///< its time is none: nothing came
  };
  struct Said {
    SourceHealth health = SourceHealth::starting;
    std::string text;
  };

  Result<SeriesId> series(std::string_view name, const SeriesInfo& info) override;
  Result<double> label(SeriesId series, std::string_view text) override;
  Ticket push(std::span<const Sample> samples) override;
  bool wait_committed(Ticket ticket, std::stop_token stop) override;
  void report(SourceHealth health, std::string_view text) override;
  void reject(std::string_view topic, std::string_view payload, std::string_view reason) override;

  /// Waits until each series that it has asked for has a sample and it has been quiet for a while, until `end`, or
  /// until a stop is asked for (false).
  bool wait(std::chrono::steady_clock::time_point end, const std::stop_token& stop) const;

  // Copies.
  std::vector<Series> all() const;
  Said said() const;
  std::vector<std::string> refused() const;  ///< what could not be used, in words

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::vector<Series> series_;
  std::map<std::string, SeriesId, std::less<>> ids_;
  Said said_;
  std::vector<std::string> refused_;
  std::uint64_t pushed_ = 0;
  std::chrono::steady_clock::time_point last_change_ = std::chrono::steady_clock::now();
};

}  // namespace tidegate::app
