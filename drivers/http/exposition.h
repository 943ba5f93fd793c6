#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "drivers/reading.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::http {

/// A line of Prometheus' text format, version 0.0.4: `http_requests_total{method="post",code="200"} 1027
/// 1395066363000`. The views are good until the next one is read.
struct Metric {
  struct Label {
    std::string_view name, value;
    friend bool operator==(const Label&, const Label&) = default;
  };
  std::string_view text;      ///< as it came
  std::string_view identity;  ///< name and labels as they came: the same each time
  std::string_view name;
  std::vector<Label> labels;             ///< in order, but those that are empty, which is as if they were not there
  SeriesKind kind = SeriesKind::number;  ///< counter where the page says so; also of a histogram's and summary's parts
  Reading value;
  std::optional<Timestamp> time;
};

/// Reads a page line by line, and goes on behind a bad one.
class ExpositionReader {
 public:
  static constexpr std::size_t kMostLabels = 64;
  static constexpr std::size_t kMaxLineBytes = 65'536;
  explicit ExpositionReader(std::string_view page) : rest_(page) {}

  /// False at the end.
  bool next();
  /// What next() came to. Errc::invalid says what is wrong with it; `text` is right.
  const Metric& metric() const { return metric_; }
  const Status& status() const { return status_; }

 private:
  enum class Type : std::uint8_t { other, counter, histogram, summary };

  void take_comment(std::string_view line);
  Status take_sample(std::string_view line);
  Status take_labels(std::string_view& line);
  Status take_value(std::string_view line);
  SeriesKind kind_of_name() const;

  std::string_view rest_;
  std::unordered_map<std::string_view, Type> types_;
  std::string undone_;  ///< what escapes were undone in; never moves while a line is read
  Metric metric_;
  Status status_;
};

}  // namespace tidegate::drivers::http
