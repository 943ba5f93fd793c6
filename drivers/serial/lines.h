#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::drivers::serial {

/// Cuts a stream of bytes into lines. After reset() it has not seen where a line begins, and leaves out what comes up
/// to the first end; a line that is too long is left out, and counted. One thread.
class LineCutter {
 public:
  /// `end`: of a line; empty: CR or LF. `most`: bytes of a line.
  LineCutter(std::string end, std::size_t most) : end_(std::move(end)), most_(most) {}

  void reset(bool in_the_middle);
  void feed(std::string_view bytes);
  /// The next whole line that is not empty; false: none yet. The view is good until feed().
  bool next(std::string_view& line);
  std::size_t too_long() const { return too_long_; }  ///< lines, in all

 private:
  std::size_t find_end(std::size_t from) const;

  const std::string end_;
  const std::size_t most_;
  std::string bytes_;
  std::size_t begin_ = 0;    ///< of what is not cut yet
  std::size_t scanned_ = 0;  ///< there is no end up to here
  bool skipping_ = false;    ///< up to the next end
  std::size_t too_long_ = 0;
};

}  // namespace tidegate::drivers::serial
