#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// A SELECT over a table with an integer key, which passes damaged pages: "... WHERE id >= ? AND id <= ? ORDER BY id".
class KeyedRows {
 public:
  KeyedRows(sql::Connection& from, const std::string& select, const char* key) {
    const auto prepare = [&](const std::string& sql) { return sql::twice([&] { return from.prepare(sql); }); };
    auto scan = prepare(fmt::format("{} WHERE {} >= ? AND {} <= ? ORDER BY {}", select, key, key, key));
    auto one = prepare(fmt::format("{} WHERE {} = ?", select, key));
    if (!scan || !one) return;
    scan_ = std::move(*scan);
    one_ = std::move(*one);
    usable_ = true;
  }

  /// Gives every row of [from, to] that can be read to `take`; ends early where `take` says false, with its key, or
  /// fails as `take` does. The next call begins after the key that is returned.
  template <class Take>
  Result<std::int64_t> read(std::int64_t from, std::int64_t to, const Take& take) {
    if (!usable_) return to;
    std::int64_t at = from;  ///< everything before was read or cannot be
    while (at <= to) {
      scan_.bind(at, to);
      Result<bool> row = scan_.step();
      for (; row && *row; row = scan_.step()) {
        const std::int64_t key = scan_.integer(0);
        if (key < at || key > to) continue;  // the tree is out of order
        const Result<bool> more = take(scan_);
        if (!more) return fail(more.error());
        if (!*more) return key;
        at = key + 1;
      }
      if (row) return to;
      const std::int64_t until = std::min(to, at + kSingles - 1);
      for (; at <= until; ++at) {
        const Result<bool> there = sql::twice([&] { return one_.bind(at).step(); });
        if (!there || !*there) continue;
        const Result<bool> more = take(one_);
        if (!more) return fail(more.error());
        if (!*more) return at;
      }
    }
    return to;
  }

 private:
  /// A stretch that cannot be scanned is looked up number by number so far, before the scan is tried again.
  static constexpr std::int64_t kSingles = 64;

  sql::Statement scan_, one_;
  bool usable_ = false;
};

}  // namespace tidegate::journal
