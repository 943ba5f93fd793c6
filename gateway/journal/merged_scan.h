#pragma once

#include <deque>
#include <queue>
#include <tuple>
#include <vector>

#include "gateway/journal/scan.h"

namespace tidegate::journal {

/// The samples of several series in one order of time; of one moment in order of `places`. It reads as it is asked to:
/// of each series no more is in memory than Scan has. One thread.
class MergedScan {
 public:
  /// Of series by their places, in [from, to).
  MergedScan(StoreView& view, std::span<const std::size_t> places, Timestamp from, Timestamp to,
             std::stop_token stop = {});

  struct Portion {
    std::size_t input = 0;            ///< which of `places`
    std::span<const Sample> samples;  ///< in order of time, with any number in place of `series`; none: that was all
  };
  /// Good until the next call. Errors as of Scan.
  Result<Portion> next();

 private:
  struct Head {
    Timestamp time;
    std::size_t input;
    bool operator>(const Head& other) const { return std::tie(time, input) > std::tie(other.time, other.input); }
  };
  Status put_back(std::size_t input);

  std::deque<Scan> scans_;
  std::vector<std::span<const Sample>> read_;  ///< of each series, what was not handed out yet
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
  std::optional<std::size_t> handed_out_;
  std::size_t begun_ = 0;
};

}  // namespace tidegate::journal
