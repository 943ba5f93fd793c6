#include "drivers/file/recording.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::file {
namespace {

constexpr std::size_t kPiece = 4 * 1024;  // of a run in memory
constexpr std::size_t kScan = 1u << 20;

std::optional<Quality> quality_of(std::string_view text) {
  for (const Quality quality : {Quality::good, Quality::uncertain, Quality::bad}) {
    if (text == name(quality)) return quality;
  }
  return std::nullopt;
}

}  // namespace

RowReader::RowReader(Options::Format format, std::size_t max_line) {
  constexpr std::size_t kMostValues = 1000;
  if (format == Options::Format::jsonl) {
    json_ = json_records({max_line, 4, kMostValues});
  } else {
    csv_ = std::make_unique<CsvRecords>(std::vector<std::string>(), ',');
  }
}

Status RowReader::take_header(std::string_view line) {
  if (!csv_) return {};
  CsvRow row(',');
  const auto cells = row.split(line);
  if (!cells) return fail(cells.error());
  std::vector<std::string> columns;
  for (const std::string_view cell : *cells) columns.emplace_back(trim(cell));
  for (const std::string_view needed : {"series", "time", "value"}) {
    if (std::find(columns.begin(), columns.end(), needed) == columns.end())
      return fail(Errc::invalid, "its first line names no column '{}', as `tidegate export --format csv` writes it",
                  needed);
  }
  csv_->name_columns(std::move(columns));
  return {};
}

Result<Row> RowReader::read(std::string_view line) {
  const auto leaves = csv_ ? csv_->decode(line) : json_->decode(line);
  if (!leaves) return fail(leaves.error());
  Row row;
  bool timed = false;
  Reading label;
  for (const Leaf& leaf : *leaves) {
    const bool text = leaf.type == Leaf::Type::text;
    if (leaf.path == "series" && text) row.series = leaf.text;
    if (leaf.path == "value") row.value = leaf;
    if (leaf.path == "label" && leaf.type != Leaf::Type::null) label = leaf;
    if (leaf.path == "time" && text) {
      if (const auto time = parse_rfc3339(leaf.text)) {
        row.time = *time;
        timed = true;
      }
    }
    if (leaf.path == "quality" && text) {
      const auto quality = quality_of(leaf.text);
      if (!quality) return fail(Errc::invalid, "'{}' is no quality", printable(leaf.text, 64));
      row.quality = *quality;
    }
  }
  if (!valid_series_name(row.series)) return fail(Errc::invalid, "a row that names no series");
  if (!timed) return fail(Errc::invalid, "a row without a time such as 2026-03-01T12:00:00.250Z");
  if (label.type != Reading::Type::null) row.value = label;
  const bool value = row.value.type == Reading::Type::number || row.value.type == Reading::Type::text ||
                     row.value.type == Reading::Type::boolean;
  if (row.quality == Quality::bad) row.value = {};
  if (!value && row.quality != Quality::bad) return fail(Errc::invalid, "a row without a value");
  return row;
}

/// A stretch of the file whose rows are in order of time, and the piece of it that is in memory.
struct Recording::Run {
  std::uint64_t begin, end;  ///< in the file
  Timestamp last;            ///< while it is found
  std::uint64_t place = 0;   ///< of what is read next
  std::string bytes{};
  std::size_t used = 0;  ///< of bytes
  Row row{};
  std::size_t series = 0;
  std::string line{}, text{};  ///< the row's
};

Recording::Recording(int file, Options::Format format, std::size_t max_line)
    : file_(file), max_line_(max_line), reader_(format, max_line) {}
Recording::~Recording() { ::close(file_); }

Result<std::unique_ptr<Recording>> Recording::open(const std::filesystem::path& path, Options::Format format,
                                                   std::size_t max_line, const std::stop_token& stop) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(Errc::unavailable, "{}: {}", path.string(), std::strerror(errno));
  std::unique_ptr<Recording> recording(new Recording(file, format, max_line));
  if (Status looked = recording->look(path, format, stop); !looked) return fail(looked.error());
  if (recording->rows_ == 0) {
    const std::string& why = recording->problem_;
    return fail(Errc::invalid, "{}: no row of a recording in it{}", path.string(), why.empty() ? "" : ": " + why);
  }
  recording->rewind();
  return recording;
}

/// All of it, line by line: which runs and series there are.
Status Recording::look(const std::filesystem::path& path, Options::Format format, const std::stop_token& stop) {
  std::string bytes;
  std::uint64_t place = 0;  // of bytes in the file
  bool header = format == Options::Format::csv;
  for (bool more = true; more && !stop.stop_requested();) {
    const std::size_t rest = bytes.size();
    bytes.resize(rest + kScan);
    const ssize_t size = ::pread(file_, bytes.data() + rest, kScan, static_cast<off_t>(place + rest));
    if (size < 0) return fail(Errc::unavailable, "{}: {}", path.string(), std::strerror(errno));
    bytes.resize(rest + static_cast<std::size_t>(size));
    more = size > 0;
    if (!more && !bytes.empty()) bytes += '\n';  // the last line may lack its end
    std::size_t begin = 0;
    for (std::size_t end; (end = bytes.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::string_view line = trim(std::string_view(bytes).substr(begin, end - begin));
      if (line.empty()) continue;
      if (std::exchange(header, false)) {
        if (Status fine = reader_.take_header(line); !fine)
          return fail(Errc::invalid, "{}: {}", path.string(), fine.error().text);
        continue;
      }
      if (line.size() > max_line_) {
        refuse(line, "longer than max_line");
      } else if (const auto row = reader_.read(line)) {
        add(*row, place + begin, place + end);
        if (runs_.size() > kMostRuns)
          return fail(Errc::invalid, "{}: its rows go to and fro in time; sort them by time, or by series and time",
                      path.string());
      } else {
        refuse(line, row.error().text);
      }
    }
    if (begin == 0 && bytes.size() > max_line_ + kScan)
      return fail(Errc::invalid, "{}: a line without an end", path.string());
    bytes.erase(0, begin);
    place += begin;
  }
  return stop.stop_requested() ? Status(fail(Errc::stopped, "stopped")) : Status();
}

void Recording::add(const Row& row, std::uint64_t begin, std::uint64_t end) {
  auto found = by_name_.find(row.series);
  if (found == by_name_.end()) {
    found = by_name_.emplace(row.series, series_.size()).first;
    series_.push_back({std::string(row.series)});
  }
  Series& series = series_[found->second];
  ++series.rows;
  if (row.value.type == Reading::Type::text) series.kind = SeriesKind::state;
  if (runs_.empty() || row.time < runs_.back().last) runs_.push_back({begin, end, row.time});
  Run& run = runs_.back();
  if (row.time > run.last && row.time > last_) step_ = row.time - run.last;
  run.end = end;
  run.last = row.time;
  first_ = std::min(first_, row.time);
  last_ = std::max(last_, row.time);
  ++rows_;
}

void Recording::refuse(std::string_view line, const std::string& reason) {
  if (refused_++ == 0) problem_ = fmt::format("'{}': {}", printable(line, 64), reason);
}

void Recording::rewind() {
  heap_.clear();
  given_.reset();
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    Run& run = runs_[i];
    run.place = run.begin;
    run.bytes.clear();
    run.used = 0;
    if (const auto there = advance(i); there && *there) heap_.push_back(i);
  }
  const auto later = [this](std::size_t a, std::size_t b) { return runs_[a].row.time > runs_[b].row.time; };
  std::make_heap(heap_.begin(), heap_.end(), later);
}

/// To the run's next row; false at its end.
Result<bool> Recording::advance(std::size_t which) {
  Run& run = runs_[which];
  while (true) {
    const std::size_t end = run.bytes.find('\n', run.used);
    const bool at_end = run.place >= run.end;
    if (end != std::string::npos || (at_end && run.used < run.bytes.size())) {
      const std::size_t stop = std::min(end, run.bytes.size());
      run.line.assign(trim(std::string_view(run.bytes).substr(run.used, stop - run.used)));
      run.used = std::min(stop + 1, run.bytes.size());
      const auto row = reader_.read(run.line);
      if (!row) continue;  // refused and counted already
      run.row = *row;
      run.series = by_name_.find(row->series)->second;
      run.row.series = series_[run.series].name;
      run.text.assign(row->value.text);  // the reader is that of all runs
      run.row.value.text = run.text;
      return true;
    }
    if (at_end) return false;
    run.bytes.erase(0, run.used);
    run.used = 0;
    const std::size_t rest = run.bytes.size();
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, run.end - run.place));
    run.bytes.resize(rest + wanted);
    const ssize_t size = ::pread(file_, run.bytes.data() + rest, wanted, static_cast<off_t>(run.place));
    run.bytes.resize(rest + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (size <= 0) return fail(Errc::io, "the recording has changed while it was replayed");
    run.place += static_cast<std::uint64_t>(size);
  }
}

Result<bool> Recording::next(Entry& entry) {
  const auto later = [this](std::size_t a, std::size_t b) { return runs_[a].row.time > runs_[b].row.time; };
  if (given_) {
    const auto there = advance(*given_);
    if (!there) return fail(there.error());
    if (*there) {
      heap_.push_back(*given_);
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
    given_.reset();
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  given_ = heap_.back();
  heap_.pop_back();
  entry = {runs_[*given_].series, runs_[*given_].row};
  return true;
}

}  // namespace tidegate::drivers::file
