#pragma once

#include <cstdint>
#include <functional>
#include <string>
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

}  // namespace tidegate::journal
