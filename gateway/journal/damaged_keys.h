#pragma once

#include <algorithm>
#include <cstdint>

namespace tidegate::journal {

/// The first number behind `at`, which cannot be read from, that can: at most `to` + 1. `readable(number)` tries. One
/// by one, since sound rows may lie between damaged pages; after thousands in a row in strides that double, and back
/// to the last stride's beginning by halves: a hole in the numbers may be of any size.
template <class Readable>
std::int64_t behind_damage(std::int64_t at, std::int64_t to, const Readable& readable) {
  constexpr std::int64_t kOneByOne = 4'096;
  std::int64_t stride = 1;
  for (std::int64_t tried = 1; at < to; ++tried) {
    std::int64_t bad = at;
    at += std::min(stride, to - at);
    if (readable(at)) {
      while (at - bad > 1) {
        const std::int64_t middle = bad + (at - bad) / 2;
        (readable(middle) ? at : bad) = middle;
      }
      return at;
    }
    if (tried >= kOneByOne) stride *= 2;
  }
  return to + 1;
}

}  // namespace tidegate::journal
