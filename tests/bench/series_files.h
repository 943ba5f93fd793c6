#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "tests/bench/labelled_series.h"

/// Series and labels as public corpora keep them.
namespace tidegate::bench {

/// "2014-04-01 00:00:00", RFC 3339, or seconds since 1970 (milliseconds, where the number is so large).
std::optional<Timestamp> time_of(std::string_view text);

/// "timestamp,value" and whatever other columns follow, with or without a header. An empty value or "nan" is NaN.
/// Errors are "FILE:LINE: what is wrong".
Result<std::vector<Reading>> parse_csv(std::string_view text, const std::string& file);

/// {"folder/file.csv": [["start", "end"], ...]}: file names relative to the folder of the data, in the order of time.
Result<std::map<std::string, std::vector<Span>>> parse_labels(std::string_view json, const std::string& file);

Result<std::string> read_text(const std::filesystem::path& path);

/// Every *.csv below a folder as its name relative to it, sorted.
Result<std::vector<std::string>> csv_files(const std::filesystem::path& folder);

/// Columns timestamp, value, anomaly_score; makes the folders above it.
Status write_scores(const std::filesystem::path& path, std::span<const Reading> readings,
                    std::span<const double> scores);

}  // namespace tidegate::bench
