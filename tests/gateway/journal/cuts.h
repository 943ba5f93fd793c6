#pragma once

#include <cstddef>
#include <random>
#include <set>

namespace tidegate::journal {

/// To which sizes a file of `size` bytes is cut off: its ends, the last bytes of its first pages, where a table's first
/// row ends, and a place of each seed: a page's border, a sector's, or anywhere. Seeds that meet count once.
inline std::set<std::size_t> cuts(std::size_t size, std::size_t page, int seeds) {
  std::set<std::size_t> sizes{0, 1, 511, 512, size - 1, size - 512};
  for (std::size_t end = page; end < size && end <= 8 * page; end += page) sizes.insert(end - 6);
  for (int seed = 0; seed < seeds; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const std::size_t unit = seed % 4 == 0 ? page : seed % 4 == 1 ? 512 : 1;
    sizes.insert(random() % (size / unit) * unit);
  }
  return sizes;
}

}  // namespace tidegate::journal
