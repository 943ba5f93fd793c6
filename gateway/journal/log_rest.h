#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/journal/chunk_reader.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// The rest of the log: what compaction has not taken over yet, by series. Read when first asked for, and where it is
/// more than should be in memory, for a stretch of series at a time: so ask in order of series. One thread.
class LogRest {
 public:
  static constexpr std::size_t kMostSamples = 2u << 20;  ///< in memory; 48 MB

  /// The batches of (after, last]. `places` gives each of the log's series its place; the answers are by place.
  LogRest(sql::Connection& log, Seq after, Seq last, std::vector<std::size_t> places, Reading& reading,
          std::size_t most_samples = kMostSamples);

  /// In order of time, of equal times in order of the log, with series 0; good until the next call. Errc::unavailable
  /// where retention has meanwhile taken what is asked for.
  Result<std::span<const Sample>> of(std::size_t place);

 private:
  using Take = std::function<void(std::size_t place, const Sample& sample)>;
  Status for_each(const Take& take, Reading& reading);
  Status count();
  Status load(std::size_t place);

  sql::Connection& log_;
  const Seq after_, last_;
  const std::vector<std::size_t> places_;
  Reading& reading_;
  const std::size_t most_samples_;
  std::vector<std::size_t> counts_;  ///< samples of each place, once known
  std::size_t first_ = 0, end_ = 0;  ///< the places that are in memory
  std::vector<std::size_t> starts_;  ///< where each of these begins in `samples_`, and the end
  std::vector<Sample> samples_;
};

}  // namespace tidegate::journal
