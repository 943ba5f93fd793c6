#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/store_view.h"

struct sqlite3;

namespace tidegate::journal {

/// A cell of an answer; text is good until the next row.
using Value = std::variant<std::monostate, std::int64_t, double, std::string_view>;

/// SQL over a store, for a person: SQLite in memory with two tables, `samples` (samples_table.h) and
/// series(name, kind, unit, source, labels), which can be read and not written. One thread.
class Console {
 public:
  /// `now` is what '-1h' is from. The view must outlive the console.
  static Result<std::unique_ptr<Console>> open(StoreView& view, Timestamp now, std::stop_token stop);

  struct Answer {
    std::function<Status(std::span<const std::string_view>)> columns;  ///< first, once
    std::function<Status(std::span<const Value>)> row;
  };
  /// One statement. Errc::invalid: SQLite does not understand it, or it does more than read; Errc::stopped when `stop`
  /// came; else the first error of `answer`, or of reading.
  Status run(std::string_view sql, const Answer& answer);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Console(std::stop_token stop) : stop_(std::move(stop)) {}
  Status list_series(const StoreView& view);

  std::stop_token stop_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace tidegate::journal
