#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/journal/catalogue.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// Gives the rows of a small table that can be read, "SELECT ... FROM ..." in order of `key`: from both of its ends up
/// to the damage.
void each_row(sql::Connection& from, const std::string& select, const char* key,
              const std::function<void(sql::Statement&)>& take);

/// Of a damaged log, up to `most_id` at least. A name that cannot be read has a stand-in and is counted in `lost`, so
/// that every other keeps its id, and every stored sample has a name. `has_crc`: the rows have checksums.
std::vector<Catalogue::Entry> read_names(sql::Connection& log, bool has_crc, std::int64_t most_id, std::uint64_t& lost);

/// Puts what a row of `label` says among a series' states. Of one that is not as it was written the numbers may be what
/// is damaged: they are believed where they are the next ones.
void put_label(std::vector<std::string>& labels, std::int64_t code, std::string_view text, bool sound);
/// Gives the states that could not be read stand-ins, "lost <code>"; how many they are.
std::uint64_t name_lost_labels(std::vector<std::string>& labels);

}  // namespace tidegate::journal
