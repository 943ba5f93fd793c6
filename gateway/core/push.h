#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/sink.h"

namespace tidegate {

/// A body of samples that a program has sent.
struct Push {
  enum class Format : std::uint8_t {
    json,
    lines,
    prometheus,  ///< remote write, unpacked
    document     ///< any JSON, read as the source says
  };

  std::string_view body;
  Format format = Format::json;
  std::chrono::nanoseconds unit{1};  ///< of the times in lines
  std::string_view from;             ///< who sent it, for the dead letters
  static constexpr std::size_t kMostSamples = 16'384;
};

/// What came of it. Good lines are taken though others are refused.
struct Pushed {
  struct Refusal {
    std::size_t at;  ///< the line, the sample or the series, from 1
    std::string reason;
  };
  static constexpr std::size_t kMostTold = 10;

  std::size_t samples = 0;    ///< taken in, and in the queue
  Ticket ticket{};            ///< of the last of them
  std::size_t refused = 0;    ///< lines or samples that gave nothing, or not all that stands in them
  std::vector<Refusal> told;  ///< the first of these
};

/// Where bodies come in. Any thread, one call at a time.
class Inlet {
 public:
  virtual ~Inlet() = default;
  /// Errc::invalid: nothing of it can be read; Errc::full: it has more than kMostSamples, and nothing is taken;
  /// Errc::unavailable: not now.
  virtual Result<Pushed> take(const Push& push) = 0;
};

}  // namespace tidegate
