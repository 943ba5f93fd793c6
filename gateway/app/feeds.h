#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/core/types.h"

namespace tidegate::app {

/// Which of the sources that run feeds which series, so that none is fed by two. Any thread.
class Feeds {
 public:
  /// One source from its making to its end.
  using Feeder = std::uint32_t;

  /// Within `turn` of its coming a source is expected to feed what it fed in the run before.
  explicit Feeds(Micros turn = std::chrono::minutes(10)) : turn_(turn) {}

  Feeder join(const std::string& source);
  /// Its series are anybody's.
  void leave(Feeder feeder);
  /// Empty: this feeder feeds it from now on, or its source did before; else the name of the source that does. One that
  /// has left is let go on, and gets nothing by it.
  std::string claim(SeriesId series, Feeder feeder);
  /// Nobody feeds the series yet, and a source of this name came lately.
  bool waits_for(SeriesId series, std::string_view source) const;

 private:
  struct Source {
    std::string name;
    std::chrono::steady_clock::time_point since;
  };
  const std::chrono::microseconds turn_;
  mutable std::mutex mutex_;
  Feeder next_ = 0;
  std::unordered_map<Feeder, Source> sources_;
  std::unordered_map<std::uint32_t, Feeder> fed_by_;  ///< by series
};

}  // namespace tidegate::app
