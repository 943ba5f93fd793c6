#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/reading.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::push {

/// One item of `{"samples": [{"series": "boiler1/temperature", "value": 93.5, "time": "2026-03-01T12:00:00Z"}]}`, or of
/// the list alone. The views are good until the next body is read.
struct JsonSample {
  std::string_view series;
  Reading value;
  std::optional<std::string_view> unit;
  std::optional<Timestamp> time;
  Quality quality = Quality::good;
};

/// Not thread-safe.
class JsonBody {
 public:
  JsonBody();
  ~JsonBody();
  JsonBody(const JsonBody&) = delete;
  JsonBody& operator=(const JsonBody&) = delete;

  /// Errc::invalid: it is no JSON, or another document.
  Status read(std::string_view body);
  std::size_t size() const;
  /// The next item, in order; Errc::invalid says what is wrong with it.
  Result<JsonSample> next();
  /// The item that next() gave, as text.
  std::string text() const;

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

}  // namespace tidegate::drivers::push
