#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/reading.h"
#include "gateway/core/result.h"

namespace tidegate::drivers {

/// A point of InfluxDB's line protocol: `measurement,tag=value field=1,other="text" 1772366400000000000`. The views are
/// good until the next one is read.
struct Line {
  struct Tag {
    std::string_view key, value;
    friend bool operator==(const Tag&, const Tag&) = default;
  };
  struct Field {
    std::string_view key;
    Reading value;
  };

  std::size_t number = 0;  ///< from 1, of the row that it begins in: a text may go over several
  std::string_view text;   ///< as it came, without its end; of a bad one what was passed over
  std::string_view measurement;
  std::vector<Tag> tags;  ///< by key
  std::vector<Field> fields;
  std::optional<std::int64_t> time;
};

struct LineLimits {
  std::size_t bytes = 65'536;  ///< of a line
  std::size_t tags = 64;
  std::size_t fields = 1'000;
  std::size_t key = 255;  ///< bytes of a name, a key or a tag's value
};

/// A line's time, rounded down; 1970 where it does not fit, which no clock would believe.
Timestamp time_of_line(std::int64_t count, std::chrono::nanoseconds unit);

/// Reads a body line by line, and goes on behind a bad one. Keeps its buffers: nothing is allocated for a field. What
/// is undone is `\,` `\=` and `\ ` in names, keys and tags (`\=` not in a measurement's) and `\"` and `\\` in texts;
/// any other backslash stands for itself.
class LineReader {
 public:
  explicit LineReader(std::string_view text, LineLimits limits = {}) : text_(text), limits_(limits) {}

  /// False at the end. Empty lines and comments are passed over.
  bool next();
  /// The line that next() came to. Errc::invalid says what is wrong with it and where; `number` and `text` are right.
  const Line& line() const { return line_; }
  const Status& status() const { return status_; }

 private:
  bool skip_to_point();
  void skip_row();
  Status read_line();
  Status read_tags();
  Status read_fields();
  Status read_time();
  Status expect_end();
  Result<std::string_view> read_name(std::string_view what, std::string_view ends, std::string_view escapes);
  Result<Reading> read_value();
  Result<Reading> read_text();
  Result<Reading> read_word();
  bool at(char c) const { return place_ < text_.size() && text_[place_] == c; }
  bool at_end_of_row() const;
  template <class... Args>
  auto wrong(fmt::format_string<Args...> format, Args&&... args) const;

  std::string_view text_;
  LineLimits limits_;
  std::size_t place_ = 0, begin_ = 0;
  std::size_t rows_ = 1;     ///< the one that `counted_` is in
  std::size_t counted_ = 0;  ///< up to here the rows are counted
  std::string undone_;       ///< what escapes were undone in; never moves while a line is read
  Line line_;
  Status status_;
};

}  // namespace tidegate::drivers
