#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/console.h"
#include "gateway/tools/output.h"

namespace tidegate::tools {

using journal::Value;

enum class Format {
  table,  ///< for people; columns as wide as the first thousand rows need
  csv,    ///< RFC 4180, with a header
  json,   ///< one array of objects
  jsonl   ///< an object a line
};

/// Writes an answer row by row, in bounded memory.
class Rows {
 public:
  static std::unique_ptr<Rows> make(Format format, Output& output);
  explicit Rows(Output& output) : output_(output) {}
  virtual ~Rows() = default;

  virtual Status columns(std::span<const std::string_view> names) = 0;  ///< first, once
  virtual Status row(std::span<const Value> cells) = 0;
  virtual Status end() = 0;

 protected:
  Output& output_;
};

}  // namespace tidegate::tools
