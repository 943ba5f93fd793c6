#pragma once

#include <filesystem>
#include <string>

#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// A connection for writing with this program's settings and tables: makes them in a new file, migrates an older one.
/// Errc::corrupt for damage; Errc::invalid for a file that is not ours to touch: of a newer program, or of another
/// kind.
Result<sql::Connection> open_database(const std::filesystem::path& file);

/// An empty journal in memory.
Result<sql::Connection> open_empty();

/// Under which history knows this log: its first epoch, for one that goes on behind all that history has of it.
Result<std::string> history_epoch(sql::Connection& log);

/// What a row's column `crc` holds. Rows that an older program wrote have none.
inline constexpr const char* kBatchCrc =
    "crc32c(seq, committed, first_time, last_time, samples, samples_before, events, unset)";
inline constexpr const char* kSeriesCrc = "crc32c(id, name, kind, unit, source, expected_interval, labels)";
inline constexpr const char* kLabelCrc = "crc32c(series, code, text)";
inline constexpr const char* kPutLabel = "INSERT OR REPLACE INTO label VALUES(?1,?2,?3, crc32c(?1,?2,?3))";
/// SQL for "the row is as it was written", as far as it can be told.
std::string sound_by(const char* crc);
/// The same where the file, a log or one of history, may be of version 1, which a reader does not change.
std::string sound_by(sql::Connection& reader, const char* crc);

inline constexpr const char* kPutEvent = "INSERT INTO event VALUES(?1,?2,?3,?4,?5, crc32c(?1,?2,?3,?4,?5))";
/// Of a row of `event`, so that is_sound_event() can tell whether it is as it was written. What version 2 wrote has a
/// checksum of the JSON's bytes alone.
inline constexpr const char* kEventColumns = "json, crc, crc32c(id, seq, ordinal, alert, json)";
bool is_sound_event(const sql::Statement& row, int at);

/// 16 hex digits.
std::string random_epoch();

/// Every page of a small file, or of any that was suspected while it was in use; a large one's damage is found as it
/// is read, batch by batch.
Status check_pages(sql::Connection& connection, const std::filesystem::path& file);

/// Every page, whatever the size: a few milliseconds a megabyte.
Status check_every_page(sql::Connection& connection, const std::filesystem::path& file);

/// Remembers over a restart that the file has shown damage.
void suspect(const std::filesystem::path& file);

void forget_suspicion(const std::filesystem::path& file);

}  // namespace tidegate::journal
