#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/journal/catalogue.h"
#include "gateway/journal/sqlite.h"

/// The series that a history file uses, under numbers of its own: so each file can be read alone, and outlives the
/// journal whose numbers were others.
namespace tidegate::journal::history {

constexpr const char* kNameTables =
    "CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, unit TEXT NOT NULL, "
    "source TEXT NOT NULL, labels TEXT NOT NULL, crc INTEGER);"
    "CREATE TABLE label(series INTEGER, code INTEGER, text TEXT NOT NULL, crc INTEGER, PRIMARY KEY(series, code)) "
    "WITHOUT ROWID;";
/// What a file of format 1 lacks of these.
constexpr const char* kNameChecksums =
    "ALTER TABLE series ADD COLUMN crc INTEGER; ALTER TABLE label ADD COLUMN crc INTEGER;";
/// What a row of `series` holds in `crc`; of `label`: kLabelCrc (schema.h).
constexpr const char* kNameCrc = "crc32c(id, name, kind, unit, source, labels)";

/// A series without its labels. A row: id, name, kind, unit, source, labels, whether it is as it was written.
/// Errc::corrupt where it is not.
Result<Catalogue::Entry> entry_of(const sql::Statement& row);

/// The file's number of that series; made, or brought up to date, where need be. Within the caller's transaction.
Result<std::int64_t> put_series(sql::Connection& connection, const Catalogue::Entry& entry);

/// `labels` are all that it has, by code; `put` is of kPutLabel.
Status put_labels(sql::Statement& put, std::int64_t series, std::span<const std::string> labels);

/// By the file's number; `Entry::id` has no meaning.
struct AllSeries {
  std::vector<std::pair<std::int64_t, Catalogue::Entry>> sound;
  std::vector<std::string> damages;  ///< a sentence for each that is left out, for it is not as it was written
};
Result<AllSeries> all_series(sql::Connection& connection);

/// Nothing where the file has no sample of it.
Result<std::optional<std::int64_t>> find_series(sql::Connection& connection, std::string_view name);

}  // namespace tidegate::journal::history
