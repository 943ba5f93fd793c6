#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/journal/sqlite.h"
#include "gateway/state/state.h"

/// The file itself: its tables, its seals, and what is done about damage.
namespace tidegate::state {

/// SHA-256 in hex. Of a configuration it is over its texts; of a deed over the seal of the one before it and its own
/// columns, so that no line can be changed or taken out of the middle without its followers showing it. Whoever may
/// write the file can make them all anew: it shows damage and carelessness, not a determined forger.
std::string seal_of(std::string_view bytes);
std::string seal_of(std::string_view before, Timestamp time, const Deed& deed);

/// The deed that tells of a configuration, which it is about: who brought it, and in its detail why and with what note.
inline constexpr const char* kConfigurationDeed = "configuration";
std::string detail_of(std::string_view why, std::string_view note);
std::string note_of(std::string_view why, std::string_view detail);

/// For writing; `damage` tells of what was set aside and lost, or stays empty.
Result<journal::sql::Connection> open_to_write(const std::filesystem::path& file, Timestamp now, std::string& damage);
/// For one who does not own the directory. Errc::not_found where there is none, Errc::unavailable where a commit that
/// was cut off has to be taken back first.
Result<journal::sql::Connection> open_as_guest(const std::filesystem::path& file);

}  // namespace tidegate::state
