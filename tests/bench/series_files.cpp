#include "tests/bench/series_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/core/time_text.h"

namespace tidegate::bench {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\"";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A number, or NaN where there is none.
std::optional<double> value_of(std::string_view text) {
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  return number_of(text);
}

/// Columns 1 and 2 of a line.
std::optional<std::pair<std::string_view, std::string_view>> columns(std::string_view line) {
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(comma + 1);
  return std::pair(trimmed(line.substr(0, comma)), trimmed(rest.substr(0, rest.find(','))));
}

Result<Span> span_of(const nlohmann::json& pair, const std::string& file, const std::string& series) {
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
    return fail(Errc::invalid, R"({}: "{}": a window is a list of two times, its start and its end)", file, series);
  const auto start = time_of(pair[0].get<std::string>()), end = time_of(pair[1].get<std::string>());
  if (!start || !end || *end < *start)
    return fail(Errc::invalid, R"({}: "{}": {} is no window of two times, the earlier first)", file, series,
                pair.dump());
  return Span{*start, *end};
}

}  // namespace

std::optional<Timestamp> time_of(std::string_view text) {
  if (const auto seconds = number_of(text)) {
    constexpr double kFarthest = 4e11;  // beyond it they are milliseconds
    const double micros = *seconds * (std::abs(*seconds) > kFarthest / 4 ? 1e3 : 1e6);
    if (!(std::abs(micros) < 9e18)) return std::nullopt;
    return Timestamp{Micros{static_cast<std::int64_t>(std::llround(micros))}};
  }
  return parse_time(text, Timestamp{});
}

Result<std::vector<Reading>> parse_csv(std::string_view text, const std::string& file) {
  std::vector<Reading> readings;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    const auto cells = columns(line);
    if (!cells) return fail(Errc::invalid, "{}:{}: expected timestamp,value", file, number);
    const auto time = time_of(cells->first);
    const auto value = value_of(cells->second);
    if (number == 1 && !time && !value) continue;  // the header
    if (!time)
      return fail(Errc::invalid, "{}:{}: '{}' is no time: write 2014-04-01 00:00:00, RFC 3339 or seconds since 1970",
                  file, number, cells->first);
    if (!value) return fail(Errc::invalid, "{}:{}: '{}' is no number", file, number, cells->second);
    readings.push_back({*time, *value});
  }
  return readings;
}

Result<std::map<std::string, std::vector<Span>>> parse_labels(std::string_view json, const std::string& file) {
  nlohmann::json root;
  std::size_t line = 1;
  try {
    root = nlohmann::json::parse(json);
  } catch (const nlohmann::json::parse_error& error) {
    const auto until = json.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, json.size()));
    line += static_cast<std::size_t>(std::count(json.begin(), until, '\n'));
  }
  if (!root.is_object())
    return fail(Errc::invalid, R"({}:{}: expected JSON like {{"file.csv": [["start", "end"]]}})", file, line);
  std::map<std::string, std::vector<Span>> labels;
  for (const auto& [series, list] : root.items()) {
    if (!list.is_array()) return fail(Errc::invalid, R"({}: "{}": expected a list of windows)", file, series);
    std::vector<Span>& spans = labels[series];
    for (const auto& pair : list) {
      const auto span = span_of(pair, file, series);
      if (!span) return fail(span.error());
      if (!spans.empty() && span->start <= spans.back().end)
        return fail(Errc::invalid, R"({}: "{}": {} begins before the window before it has ended)", file, series,
                    pair.dump());
      spans.push_back(*span);
    }
  }
  return labels;
}

Result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return fail(Errc::io, "{}: cannot be read", path.string());
  return text;
}

Result<std::vector<std::string>> csv_files(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator each(folder, error), end;
  if (error) return fail(Errc::not_found, "{}: {}", folder.string(), error.message());
  std::vector<std::string> names;
  for (; each != end; each.increment(error)) {
    if (error) return fail(Errc::io, "{}: {}", folder.string(), error.message());
    if (each->is_regular_file() && each->path().extension() == ".csv")
      names.push_back(each->path().lexically_relative(folder).generic_string());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) return fail(Errc::not_found, "{}: there is no .csv file in it", folder.string());
  return names;
}

Status write_scores(const std::filesystem::path& path, std::span<const Reading> readings,
                    std::span<const double> scores) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << "timestamp,value,anomaly_score\n";
  for (std::size_t i = 0; i < readings.size(); ++i) {
    std::string time = rfc3339(readings[i].time);
    time[10] = ' ';
    time.pop_back();
    file << fmt::format("{},{},{:.9f}\n", time, readings[i].value, scores[i]);
  }
  file.close();
  if (!file) return fail(Errc::io, "{}: cannot be written", path.string());
  return {};
}

}  // namespace tidegate::bench
