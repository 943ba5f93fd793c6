#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/record.h"

namespace tidegate::drivers {

/// Rows of cells as RFC 4180 has them: a cell in double quotes may hold separators, and "" for a quote.
class CsvRow {
 public:
  static constexpr std::size_t kMostCells = 1000;
  explicit CsvRow(char separator) : separator_(separator) {}
  /// The cells; good until the next call and as long as `row` is. Errc::invalid: too many, or a quote without its end.
  Result<std::span<const std::string_view>> split(std::string_view row);

 private:
  bool quoted(std::string_view row, std::size_t& place);

  char separator_;
  std::string undone_;  ///< what quotes were undone in; never moves while a row is split
  std::vector<std::string_view> cells_;
};

/// Rows whose cells are called by `columns`, in order; "" leaves one out. A cell beyond them is called by its number,
/// from 1.
class CsvRecords final : public RecordDecoder {
 public:
  CsvRecords(std::vector<std::string> columns, char separator) : columns_(std::move(columns)), row_(separator) {}
  void name_columns(std::vector<std::string> columns) { columns_ = std::move(columns); }
  Result<std::span<const Leaf>> decode(std::string_view record) override;

 private:
  std::string_view name_of(std::size_t cell) const;

  std::vector<std::string> columns_;
  std::vector<std::string> numbers_;  ///< as names of columns that have none
  CsvRow row_;
  std::vector<Leaf> leaves_;
};

}  // namespace tidegate::drivers
