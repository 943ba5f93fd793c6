#include "drivers/csv_record.h"

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::drivers {

/// From behind the opening quote to behind the closing one.
bool CsvRow::quoted(std::string_view row, std::size_t& place) {
  const std::size_t begin = undone_.size();
  while (place < row.size()) {
    const char c = row[place++];
    if (c == '"' && (place == row.size() || row[place] != '"')) {
      cells_.push_back(std::string_view(undone_).substr(begin));
      return true;
    }
    if (c == '"') ++place;
    undone_ += c;
  }
  return false;
}

Result<std::span<const std::string_view>> CsvRow::split(std::string_view row) {
  cells_.clear();
  undone_.clear();
  undone_.reserve(row.size());
  std::size_t place = 0;
  while (true) {
    if (cells_.size() >= kMostCells) return fail(Errc::invalid, "more than {} cells in a row", kMostCells);
    if (place < row.size() && row[place] == '"') {
      ++place;
      if (!quoted(row, place)) return fail(Errc::invalid, "cell {} has a quote without its end", cells_.size() + 1);
      if (place < row.size() && row[place] != separator_)
        return fail(Errc::invalid, "something stands behind the quotes of cell {}", cells_.size());
    } else {
      const std::size_t end = std::min(row.find(separator_, place), row.size());
      cells_.push_back(row.substr(place, end - place));
      place = end;
    }
    if (place >= row.size()) return std::span<const std::string_view>(cells_);
    ++place;
  }
}

std::string_view CsvRecords::name_of(std::size_t cell) const {
  return cell < columns_.size() ? columns_[cell] : numbers_[cell];
}

Result<std::span<const Leaf>> CsvRecords::decode(std::string_view record) {
  leaves_.clear();
  if (trim(record).empty()) return std::span<const Leaf>{};
  const auto cells = row_.split(record);
  if (!cells) return fail(cells.error());
  while (numbers_.size() < cells->size()) numbers_.push_back(std::to_string(numbers_.size() + 1));
  for (std::size_t i = 0; i < cells->size(); ++i) {
    const std::string_view name = name_of(i);
    if (name.empty()) continue;
    const auto reading = reading_of_word((*cells)[i]);
    if (!reading) return fail(Errc::invalid, "column {}: {}", name, reading.error().text);
    leaves_.push_back(Leaf{*reading, name});
  }
  return std::span<const Leaf>(leaves_);
}

}  // namespace tidegate::drivers
