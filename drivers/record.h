#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "drivers/payload.h"
#include "gateway/core/result.h"

namespace tidegate::drivers {

/// Takes records of one form apart: lines of a sensor or a file, answers of a server. One thread.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  /// The values, in order; the views are good until the next call and as long as `record` is. No value and no error: a
  /// record that says nothing, such as an empty line. Errc::invalid says what is wrong with it.
  virtual Result<std::span<const Leaf>> decode(std::string_view record) = 0;
};

/// JSON: an object, an array or one value, whose path is empty.
std::unique_ptr<RecordDecoder> json_records(PayloadLimits limits);

/// A word as a value: a number, true or false, nothing (null), NaN; else a text. Errc::invalid: not UTF-8.
Result<Reading> reading_of_word(std::string_view word);

}  // namespace tidegate::drivers
