#pragma once

#include <string>
#include <string_view>

#include "gateway/core/result.h"

namespace tidegate::tools {

/// Standard output (or a file that is open), written in large pieces.
class Output {
 public:
  explicit Output(int file = 1) : file_(file) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Status write(std::string_view text);
  /// At the end: what was not flushed is not written.
  Status flush();

 private:
  int file_;
  std::string waiting_;
};

/// What a tool returns that has written its answer: kDone, or what kept it from being written whole.
Result<int> finish(Status written, Output& output);
/// A whole answer, on standard output.
Status print(std::string_view text);

}  // namespace tidegate::tools
