#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/journal/scan.h"
#include "gateway/journal/store_view.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

/// What `query` and `export` share: which samples are asked for, and how one is written.
namespace tidegate::tools {

struct Range {
  Timestamp from, to;
};
/// [from, to) of two texts as parse_time() reads them; an empty one gives what `otherwise` says.
Result<Range> parse_range(const std::string& from, const std::string& to, Timestamp now, Range otherwise);

/// The series that patterns name; Errc::not_found with the nearest name where there is none.
Result<std::vector<std::size_t>> find_series(const journal::StoreView& view, const std::vector<std::string>& patterns);

inline constexpr std::array<std::string_view, 5> kSampleColumns = {"series", "time", "value", "quality", "label"};
Status write_sample(const journal::Catalogue::Entry& series, const Sample& sample, Rows& rows);
/// Rows of them: in order of series, then of time. `count` is told of them as they go.
Status write_samples(journal::StoreView& view, journal::Selection selection, Rows& rows, std::stop_token stop,
                     const std::function<void(std::size_t samples)>& count);

/// kDone, or kDamaged with a word on standard error where something could not be read.
int verdict(const journal::Reading& reading);

}  // namespace tidegate::tools
