#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>

namespace tidegate::rules {

/// How unlikely a size is, by the largest sizes in the blocks of time before it: of these block maxima the top
/// twentieth is taken for the tail of a Pareto distribution (B. M. Hill, *A Simple General Approach to Inference About
/// the Tail of a Distribution*, 1975), whose index is not known but has a gamma distribution that they shape. So what
/// leaps now and then has a long tail, plain noise a short one, and of few blocks little is claimed. A float a block.
class Tail {
 public:
  static constexpr std::size_t kBlocks = 672;  ///< so many it remembers
  static constexpr std::size_t kLeastBlocks = 48;

  Tail() { kept_.fill(kNothing); }

  /// The largest size in the block that has ended, not negative.
  void push(double largest) { put(static_cast<float>(std::min(largest, 1e38))); }
  /// In that block there was none.
  void skip() { put(kNothing); }

  /// Takes the kept blocks for what score() goes by. A size up to `least` is as good as none.
  void fit(double least) {
    std::array<float, kBlocks> sizes;
    std::size_t blocks = 0, count = 0;
    for (const float size : kept_) {
      blocks += size >= 0 ? 1 : 0;
      if (static_cast<double>(size) > least) sizes[count++] = size;
    }
    is_known_ = blocks >= kLeastBlocks;
    if (!is_known_) return;
    const std::size_t top = std::min(std::max<std::size_t>(blocks / 20, 4), count);
    const auto end = sizes.begin() + static_cast<std::ptrdiff_t>(top);
    std::nth_element(sizes.begin(), end, sizes.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>());
    limit_ = top > 0 ? static_cast<double>(*std::min_element(sizes.begin(), end)) : least;
    logs_ = kPriorLogs;
    for (auto size = sizes.begin(); size != end; ++size) logs_ += std::log(static_cast<double>(*size) / limit_);
    shape_ = static_cast<double>(top) + kPriorCount;
    above_ = std::log10(static_cast<double>(blocks + 1) / static_cast<double>(top + 1));
  }

  bool is_known() const { return is_known_; }
  /// -log10 of the probability that a block holds so large a size; 0 for all that is not in the top twentieth.
  double score(double size) const {
    if (!(size > limit_) || !is_known_) return 0;
    return above_ + shape_ * std::log10(1 + std::log(std::min(size, 1e38) / limit_) / logs_);
  }
  /// In the newest `blocks` blocks.
  double largest(std::size_t blocks) const {
    float largest = 0;
    for (std::size_t i = 1; i <= blocks; ++i) largest = std::max(largest, kept_[(next_ + kBlocks - i) % kBlocks]);
    return static_cast<double>(largest);
  }

 private:
  static constexpr float kNothing = -1;
  /// As if so many sizes had been seen beyond the limit, by so much together.
  static constexpr double kPriorCount = 4, kPriorLogs = 4 * 0.3;

  void put(float size) {
    kept_[next_] = size;
    next_ = (next_ + 1) % kBlocks;
  }

  std::array<float, kBlocks> kept_;
  std::size_t next_ = 0;
  double limit_ = 0, logs_ = kPriorLogs, shape_ = kPriorCount, above_ = 0;
  bool is_known_ = false;
};

}  // namespace tidegate::rules
