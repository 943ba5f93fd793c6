#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/reading.h"
#include "gateway/core/types.h"

namespace tidegate::drivers {

struct PayloadLimits {
  std::size_t max_bytes = 256 * 1024;
  std::size_t max_depth = 16;    ///< objects and arrays within one another
  std::size_t max_values = 512;  ///< a message
};
/// Of a leaf's path, since a series' name has no more. A message with a longer one is refused: each of its values would
/// carry the whole name.
constexpr std::size_t kMaxPathBytes = 255;

/// One value found in a payload. The views are good until the next decode().
struct Leaf : Reading {
  std::string_view path{};  ///< keys and array positions joined with '/'; empty for a bare value
  Timestamp time{};         ///< of its own, where the format dates each value (line protocol); 0: none
};

/// What a walk over a structured payload finds, within the limits: the first thing that is wrong ends it, so that each
/// step below is false from then on. Keeps its buffers.
class Leaves {
 public:
  explicit Leaves(PayloadLimits limits) : limits_(limits) {}

  void clear();
  /// Goes below a key or a position; the mark leads back.
  std::size_t descend(std::string_view key);
  std::size_t descend(std::size_t position);
  void ascend(std::size_t mark) { path_.resize(mark); }
  /// May an object or array stand within `depth` others?
  bool nest(std::size_t depth);
  /// A value where the walk is.
  bool add(Leaf leaf);
  /// The same of a text that will not outlive the walk.
  bool add_copied(std::string_view text, Timestamp time = {});
  /// Always false.
  bool broken(std::string what);

  const std::string& problem() const { return problem_; }
  /// In the order of their finding; once the walk is over.
  std::span<const Leaf> finish();

 private:
  /// Where something stands in `paths_` or `texts_`, which may move while they grow.
  struct Place {
    std::size_t begin = 0, size = 0;
  };
  struct Text : Place {
    std::size_t leaf = 0;
  };

  PayloadLimits limits_;
  std::vector<Leaf> leaves_;
  std::vector<Place> places_;
  std::vector<Text> copied_;
  std::string paths_, texts_;
  std::string path_;  ///< of the value being walked
  std::string problem_;
};

}  // namespace tidegate::drivers
