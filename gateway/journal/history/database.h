#pragma once

#include <filesystem>

#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// Opens a history file for writing, and makes `tables` in a new one, beside those of its names (rollback_file.h).
Result<sql::Connection> open_to_write(const std::filesystem::path& file, const char* tables);

/// What the file holds is on disk for good then. A commit whose last sync failed shows in the file too, though its
/// rollback journal may come back with a power cut, and with it what was before.
Status confirm(sql::Connection& connection);

/// Errc::not_found where retention has taken it, or the power went before there was anything in it.
Result<sql::Connection> open_to_read(const std::filesystem::path& file);
/// The same for one who does not own the directory. Errc::unavailable where a commit that was cut off has to be taken
/// back first: that is writing.
Result<sql::Connection> open_as_guest(const std::filesystem::path& file);

}  // namespace tidegate::journal::history
