#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "gateway/journal/damaged_keys.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// A SELECT over a table with an integer key, which passes damaged pages: "... WHERE id >= ? AND id <= ? ORDER BY id".
class KeyedRows {
 public:
  KeyedRows(sql::Connection& from, const std::string& select, const char* key) {
    auto scan = sql::twice(
        [&] { return from.prepare(fmt::format("{} WHERE {} >= ? AND {} <= ? ORDER BY {}", select, key, key, key)); });
    if (!scan) return;
    scan_ = std::move(*scan);
    usable_ = true;
  }

  /// Gives every row of [from, to] that can be read to `take`; ends early where `take` says false, with its key, or
  /// fails as `take` does. The next call begins after the key that is returned.
  template <class Take>
  Result<std::int64_t> read(std::int64_t from, std::int64_t to, const Take& take) {
    to = std::min(to, std::numeric_limits<std::int64_t>::max() - 1);
    if (!usable_) return to;
    bool again = true;  // what the disk refuses is asked for twice
    for (std::int64_t at = from; at <= to;) {
      scan_.bind(at, to);
      Result<bool> row = scan_.step();
      for (; row && *row; row = scan_.step()) {
        const std::int64_t key = scan_.integer(0);
        if (key < at || key > to) continue;  // the tree is out of order
        const Result<bool> more = take(scan_);
        if (!more) return fail(more.error());
        if (!*more) return key;
        at = key + 1;
        again = true;
      }
      if (row) return to;
      if (!std::exchange(again, false)) at = behind_damage(at, to, [&](std::int64_t key) { return readable(key, to); });
    }
    return to;
  }

 private:
  bool readable(std::int64_t key, std::int64_t to) {
    return sql::twice([&] { return scan_.bind(key, to).step(); }).has_value();
  }

  sql::Statement scan_;
  bool usable_ = false;
};

}  // namespace tidegate::journal
