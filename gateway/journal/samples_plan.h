#pragma once

#include <span>

#include "gateway/journal/scan.h"

struct sqlite3_value;

namespace tidegate::journal {

// What a plan of SQLite's for the table `samples` uses, one letter an argument; times by their operator.
constexpr char kIs = 's', kIn = 'i', kGlob = 'g', kLike = 'l';
constexpr char kAt = '=', kAfter = '>', kFrom = ']', kBefore = '<', kUntil = '[';

/// What the arguments of a plan, a letter each, leave of all samples.
Result<Selection> narrow(const StoreView& view, Timestamp now, const char* plan, std::span<sqlite3_value*> values);

}  // namespace tidegate::journal
