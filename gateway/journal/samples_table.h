#pragma once

#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/journal/store_view.h"

struct sqlite3;

namespace tidegate::journal {

/// Makes a view's samples a table of an SQLite connection, which nobody needs to create:
///   samples(series TEXT, time TEXT, value REAL, quality TEXT, label TEXT, reason TEXT HIDDEN, unix REAL HIDDEN)
/// `time` is RFC 3339 with six digits, which sorts as the times do and which SQLite's date functions take; `unix` the
/// same in seconds. `value` is NULL where quality is bad; `label` is a state's text. What asks for a series (=, IN,
/// GLOB, LIKE) or a time (=, <, <=, >, >=, BETWEEN) is answered from the chunks concerned alone, and no order need be
/// made that they are in already. A time is compared with whatever parse_time() reads, or with seconds since 1970. The
/// view must outlive the connection. The connection's thread.
Status add_samples_table(sqlite3* database, StoreView& view, Timestamp now, std::stop_token stop);

}  // namespace tidegate::journal
