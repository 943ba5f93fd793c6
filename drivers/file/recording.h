#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/csv_record.h"
#include "drivers/file/options.h"
#include "drivers/record.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::file {

/// A row of what `tidegate export` writes. The views are good until the next one is read.
struct Row {
  std::string_view series;
  Timestamp time{};
  Reading value{};  ///< null: it has none, and is bad; a text is a state
  Quality quality = Quality::good;
};

/// Reads rows: CSV with the columns series, time, value, quality and label (the last two may be missing, others are
/// passed over), or JSON objects with these keys. One thread.
class RowReader {
 public:
  RowReader(Options::Format format, std::size_t max_line);
  /// Of CSV: the first line. Errc::invalid: it names no series, time and value.
  Status take_header(std::string_view line);
  Result<Row> read(std::string_view line);

 private:
  std::unique_ptr<CsvRecords> csv_;  ///< nothing: it is JSON
  std::unique_ptr<RecordDecoder> json_;
};

/// A recording in a file, in order of time. An export is sorted series by series; each stretch that is in order is a
/// run, and the runs are merged while they are read, so that memory holds a piece of each and not the file. One thread.
class Recording {
 public:
  static constexpr std::size_t kMostRuns = 20'000;
  struct Series {
    std::string name;
    SeriesKind kind = SeriesKind::number;  ///< state where one of its rows has a text
    std::uint64_t rows = 0;
  };
  struct Entry {
    std::size_t series;  ///< in series()
    Row row;
  };

  /// Reads all of it once. Errors: it cannot be read, is none, or has too many runs; stopped.
  static Result<std::unique_ptr<Recording>> open(const std::filesystem::path& path, Options::Format format,
                                                 std::size_t max_line, const std::stop_token& stop);
  ~Recording();

  const std::vector<Series>& series() const { return series_; }
  std::uint64_t rows() const { return rows_; }
  Timestamp first() const { return first_; }
  /// From the first row to where it may begin again: the last row and the step before it.
  Micros period() const { return last_ - first_ + step_; }
  std::uint64_t refused() const { return refused_; }       ///< lines that are no rows
  const std::string& problem() const { return problem_; }  ///< of the first of them

  /// To the first row again.
  void rewind();
  /// The next row by time; false at the end. Errc::io: it cannot be read any more.
  Result<bool> next(Entry& entry);

 private:
  struct Run;
  Recording(int file, Options::Format format, std::size_t max_line);
  Status look(const std::filesystem::path& path, Options::Format format, const std::stop_token& stop);
  void add(const Row& row, std::uint64_t begin, std::uint64_t end);
  void refuse(std::string_view line, const std::string& reason);
  Result<bool> advance(std::size_t run);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  const int file_;
  const std::size_t max_line_;
  RowReader reader_;
  std::vector<Series> series_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_name_;
  std::vector<Run> runs_;
  std::vector<std::size_t> heap_;     ///< runs by the time of their row
  std::optional<std::size_t> given_;  ///< the run whose row was given last
  std::uint64_t rows_ = 0, refused_ = 0;
  std::string problem_;
  Timestamp first_ = Timestamp::max(), last_ = Timestamp::min();
  Micros step_{std::chrono::seconds(1)};
};

}  // namespace tidegate::drivers::file
