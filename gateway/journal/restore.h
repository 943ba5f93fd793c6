#pragma once

#include <string>
#include <vector>

#include "gateway/journal/catalogue.h"
#include "gateway/journal/cursors.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// What the journal keeps in memory, as stored.
struct Restored {
  std::vector<Catalogue::Entry> series;
  Cursors::Positions cursors;
  std::vector<Sample> latest;  ///< the newest samples: those saved last, and what was appended since
  Seq latest_saved{};          ///< the last batch of that save
};
/// Errc::corrupt where any of it cannot be read.
Result<std::vector<Catalogue::Entry>> read_series(sql::Connection& connection);
Result<Restored> restore(sql::Connection& connection, Seq first, Seq last);

/// The newest samples as stored: those that there are, as a batch's bytes.
std::string encode_latest(std::vector<Sample> latest);

}  // namespace tidegate::journal
