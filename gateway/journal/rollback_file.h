#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>

#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// What tells the files of one kind from others.
struct FileKind {
  std::int64_t application_id;
  const char* name;                         ///< "history"
  std::span<const char* const> steps = {};  ///< SQL that leads from each format to the next, from 1 on

  /// The newest format that this program knows.
  constexpr std::int64_t version() const { return static_cast<std::int64_t>(steps.size()) + 1; }
};

/// Opens a file of that kind for writing, private to its owner, and makes `tables` in a new one. SQLite with a rollback
/// journal: what is appended is written once, where a write-ahead log writes it twice. Errc::corrupt: it is damaged, or
/// another program's, or empty; Errc::invalid: a newer version's. One of an older format becomes one of
/// the newest.
Result<sql::Connection> open_to_write(const std::filesystem::path& file, const FileKind& kind,
                                      std::initializer_list<const char*> tables);

}  // namespace tidegate::journal
