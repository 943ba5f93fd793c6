#pragma once

#include <filesystem>

#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// Opens a history file for writing, and makes `tables` in a new one, beside those of its names (rollback_file.h).
Result<sql::Connection> open_to_write(const std::filesystem::path& file, const char* tables);

/// What the file holds is on disk for good then. A commit whose last sync failed shows in the file too, though its
/// rollback journal may come back with a power cut, and with it what was before.
Status confirm(sql::Connection& connection);

/// Errc::not_found where retention has taken it.
Result<sql::Connection> open_to_read(const std::filesystem::path& file);
/// The same past a schema that cannot be read, and of a file that is shorter than it was: as far as it goes.
Result<sql::Connection> open_to_salvage(const std::filesystem::path& file);
/// What a commit that was cut off has left in a file is taken back, as its next writer would: a reader cannot. An error
/// that is no damage: it is still to be done.
Status take_back_cut_off_commit(const std::filesystem::path& file);
/// The same for one who does not own the directory. Errc::unavailable where a commit that was cut off has to be taken
/// back first: that is writing.
Result<sql::Connection> open_as_guest(const std::filesystem::path& file);

}  // namespace tidegate::journal::history
