#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// Which inputs have samples of one moment time after time, such as those of one poll: they are one change. The next
/// time that the same one is the first it knows how many are to come.
class Together {
 public:
  explicit Together(std::size_t inputs) : inputs_(inputs) {}

  /// One more; `pattern`: of this one, which has no samples itself.
  void add_member(std::size_t input, std::size_t pattern) {
    inputs_.resize(std::max(inputs_.size(), input + 1));
    inputs_[pattern].is_pattern = true;
  }
  void note(std::size_t input, Timestamp time) {
    if (time > moment_) begin(input, time);
    count_in(inputs_[input]);
  }
  /// Of the newest samples.
  Timestamp moment() const { return moment_; }
  /// So many inputs came together with its first one then, and not yet now.
  std::uint32_t awaited() const { return awaited_; }
  void expect_no_more() { awaited_ = 0; }

 private:
  struct Input {
    std::uint64_t moment = 0;  ///< the number of that of its newest sample; 0: nothing came yet
    std::uint64_t led = 0;     ///< the last moment whose first sample it had...
    std::uint32_t count = 0;   ///< ...and of how many inputs the newest sample is of that moment
    std::uint32_t leader = 0;  ///< which input had the first sample of `moment`
    bool is_pattern = false;
  };

  void begin(std::size_t input, Timestamp time) {
    Input& first = inputs_[input];
    const Input& then = inputs_[first.leader];
    moment_ = time;
    ++number_;
    before_ = first.moment;
    awaited_ = then.led == before_ ? then.count : 0;
    if (before_ == 0) {  // of those of which nothing came yet the first may come with it
      const auto is_new = [](const Input& one) { return one.moment == 0 && !one.is_pattern; };
      awaited_ = static_cast<std::uint32_t>(std::count_if(inputs_.begin(), inputs_.end(), is_new));
    }
    leader_ = static_cast<std::uint32_t>(input);
    first.led = number_;
    first.count = 0;
  }
  void count_in(Input& input) {
    if (input.moment == number_) return;
    if (input.moment == before_ && awaited_ > 0) --awaited_;
    Input& then = inputs_[input.leader];
    if (input.moment != 0 && then.led == input.moment) --then.count;
    input.moment = number_;
    input.leader = leader_;
    ++inputs_[leader_].count;
  }

  std::vector<Input> inputs_;
  Timestamp moment_ = Timestamp::min();
  std::uint64_t number_ = 0, before_ = 0;  ///< of it, and of that in which its first input came before
  std::uint32_t leader_ = 0;               ///< that input
  std::uint32_t awaited_ = 0;
};

}  // namespace tidegate::rules
