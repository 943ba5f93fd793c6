#pragma once

#include <cstdint>

#include "gateway/core/types.h"

namespace tidegate {

/// Waiting times between tries: doubling from `first` to `most`, each spread by ±25 % so that a fleet does not knock
/// in step. One thread.
class Backoff {
 public:
  Backoff(Micros first, Micros most, std::uint64_t seed);
  Micros next();
  /// It worked: the next wait is `first` again.
  void reset() { current_ = first_; }

 private:
  Micros first_, most_, current_;
  std::uint64_t state_;
};

}  // namespace tidegate
