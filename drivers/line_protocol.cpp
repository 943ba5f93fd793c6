#include "drivers/line_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::optional<bool> boolean_of(std::string_view word) {
  for (const std::string_view yes : {"t", "T", "true", "True", "TRUE"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"f", "F", "false", "False", "FALSE"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

/// The whole text, or nothing.
template <class Integer>
std::optional<Integer> integer_of(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// As std::from_chars reads it, without its words for what is no number; beyond a double's range it is none, or 0.
std::optional<Reading> number_of(std::string_view text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  if (text.size() <= sign || !(digit(text[sign]) || text[sign] == '.')) return std::nullopt;
  Reading reading{Reading::Type::number};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), reading.number);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error != std::errc::result_out_of_range) return reading;
  const bool tiny = text.find("e-") != text.npos || text.find("E-") != text.npos;
  return Reading{tiny ? Reading::Type::number : Reading::Type::not_a_number};
}

}  // namespace

Timestamp time_of_line(std::int64_t count, std::chrono::nanoseconds unit) {
  constexpr std::int64_t kNanos = 1'000;
  if (unit.count() < kNanos) return Timestamp{std::chrono::floor<Micros>(std::chrono::nanoseconds(count))};
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(count, unit.count() / kNanos, &micros)) return Timestamp{};
  return Timestamp{Micros{micros}};
}

template <class... Args>
auto LineReader::wrong(fmt::format_string<Args...> format, Args&&... args) const {
  return fail(Errc::invalid, "column {}: {}", place_ - begin_ + 1, fmt::format(format, std::forward<Args>(args)...));
}

bool LineReader::at_end_of_row() const {
  if (place_ >= text_.size() || text_[place_] == '\n') return true;
  return text_[place_] == '\r' && (place_ + 1 == text_.size() || text_[place_ + 1] == '\n');
}

void LineReader::skip_row() { place_ = std::min(text_.find('\n', place_), text_.size()); }

bool LineReader::skip_to_point() {
  while (place_ < text_.size()) {
    while (at(' ') || at('\t') || at('\r') || at('\n')) ++place_;
    if (!at('#')) return place_ < text_.size();
    skip_row();
  }
  return false;
}

bool LineReader::next() {
  if (!skip_to_point()) return false;
  begin_ = place_;
  const auto from = text_.begin() + static_cast<std::ptrdiff_t>(counted_);
  rows_ += static_cast<std::size_t>(std::count(from, text_.begin() + static_cast<std::ptrdiff_t>(begin_), '\n'));
  counted_ = begin_;
  line_.number = rows_;
  line_.tags.clear();
  line_.fields.clear();
  line_.time.reset();
  status_ = read_line();
  if (!status_) skip_row();
  line_.text = text_.substr(begin_, place_ - begin_);
  if (status_ && line_.text.size() > limits_.bytes) {
    status_ = fail(Errc::invalid, "the line has {} bytes; at most {} are taken", line_.text.size(), limits_.bytes);
  }
  if (status_ && !valid_utf8(line_.text)) status_ = fail(Errc::invalid, "the line is not UTF-8");
  return true;
}

Status LineReader::read_line() {
  undone_.clear();
  undone_.reserve(text_.size());
  auto measurement = read_name("measurement", ", ", ", ");
  if (!measurement) return fail(std::move(measurement.error()));
  line_.measurement = *measurement;
  if (auto read = read_tags(); !read) return read;
  if (!at(' ')) return wrong("there are no fields; a line is 'measurement,tag=value field=1'");
  while (at(' ')) ++place_;
  if (auto read = read_fields(); !read) return read;
  if (auto read = read_time(); !read) return read;
  return expect_end();
}

/// A name up to one of `ends`, with its escapes undone.
Result<std::string_view> LineReader::read_name(std::string_view what, std::string_view ends, std::string_view escapes) {
  const std::size_t begin = place_, mark = undone_.size();
  bool escaped = false;
  while (place_ < text_.size() && ends.find(text_[place_]) == ends.npos && !control(text_[place_])) {
    const bool escape =
        text_[place_] == '\\' && place_ + 1 < text_.size() && escapes.find(text_[place_ + 1]) != escapes.npos;
    if (escape && !escaped) undone_.append(text_, begin, place_ - begin);
    escaped = escaped || escape;
    if (escape) ++place_;
    if (escaped) undone_ += text_[place_];
    ++place_;
  }
  const auto name = escaped ? std::string_view(undone_).substr(mark) : text_.substr(begin, place_ - begin);
  if (name.empty()) return wrong("a {} is missing", what);
  if (name.size() > limits_.key) return wrong("a {} of {} bytes; at most {} are taken", what, name.size(), limits_.key);
  if (place_ < text_.size() && control(text_[place_]) && !at_end_of_row()) {
    return wrong("a {} has a control character", what);
  }
  return name;
}

Status LineReader::read_tags() {
  while (at(',')) {
    ++place_;
    if (line_.tags.size() == limits_.tags) return wrong("more than {} tags", limits_.tags);
    auto key = read_name("tag's key", "=, ", "=, ");
    if (!key) return fail(std::move(key.error()));
    if (!at('=')) return wrong("the tag '{}' has no value", printable(*key, 64));
    ++place_;
    auto value = read_name("tag's value", "=, ", "=, ");
    if (!value) return fail(std::move(value.error()));
    if (at('=')) return wrong("the tag '{}' has a '=' in its value; write \\=", printable(*key, 64));
    line_.tags.push_back({*key, *value});
  }
  std::sort(line_.tags.begin(), line_.tags.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  const auto twice = std::adjacent_find(line_.tags.begin(), line_.tags.end(),
                                        [](const auto& a, const auto& b) { return a.key == b.key; });
  if (twice != line_.tags.end()) return wrong("the tag '{}' stands twice", printable(twice->key, 64));
  return {};
}

Status LineReader::read_fields() {
  while (true) {
    if (line_.fields.size() == limits_.fields) return wrong("more than {} fields", limits_.fields);
    auto key = read_name("field's key", "=, ", "=, ");
    if (!key) return fail(std::move(key.error()));
    if (!at('=')) return wrong("the field '{}' has no value", printable(*key, 64));
    ++place_;
    auto value = read_value();
    if (!value) return fail(std::move(value.error()));
    line_.fields.push_back({*key, *value});
    if (!at(',')) return {};
    ++place_;
  }
}

Result<Reading> LineReader::read_value() { return at('"') ? read_text() : read_word(); }

/// Between double quotes; may go over several rows.
Result<Reading> LineReader::read_text() {
  const std::size_t mark = undone_.size();
  std::size_t end = place_ + 1;
  bool escaped = false;
  for (; end < text_.size() && text_[end] != '"'; ++end) {
    const bool escape =
        text_[end] == '\\' && end + 1 < text_.size() && (text_[end + 1] == '"' || text_[end + 1] == '\\');
    if (escape && !escaped) undone_.append(text_, place_ + 1, end - place_ - 1);
    escaped = escaped || escape;
    if (escape) ++end;
    if (escaped) undone_ += text_[end];
  }
  if (end >= text_.size()) return wrong("a text has no closing quote");  // from here on the rows are read anew
  const auto text = escaped ? std::string_view(undone_).substr(mark) : text_.substr(place_ + 1, end - place_ - 1);
  place_ = end + 1;
  return Reading{Reading::Type::text, 0, text};
}

Result<Reading> LineReader::read_word() {
  const std::size_t begin = place_;
  std::size_t end = begin;
  while (end < text_.size() && text_[end] != ',' && text_[end] != ' ' && !control(text_[end])) ++end;
  const std::string_view word = text_.substr(begin, end - begin);
  std::optional<Reading> reading;
  if (const auto truth = boolean_of(word)) {
    reading = Reading{Reading::Type::boolean, *truth ? 1.0 : 0.0};
  } else if (word.ends_with('i')) {
    if (const auto value = integer_of<std::int64_t>(word.substr(0, word.size() - 1)))
      reading = Reading{Reading::Type::number, static_cast<double>(*value)};
  } else if (word.ends_with('u')) {
    if (const auto value = integer_of<std::uint64_t>(word.substr(0, word.size() - 1)))
      reading = Reading{Reading::Type::number, static_cast<double>(*value)};
  } else {
    reading = number_of(word);
  }
  if (!reading) {
    return wrong("'{}' is no value: a number (20.5, 20i, 20u), true or false, or a text in double quotes",
                 printable(word, 64));
  }
  place_ = end;
  return *reading;
}

Status LineReader::read_time() {
  if (!at(' ')) return {};
  while (at(' ')) ++place_;
  if (at_end_of_row()) return {};
  std::size_t end = place_;
  while (end < text_.size() && text_[end] != ' ' && !control(text_[end])) ++end;
  const std::string_view word = text_.substr(place_, end - place_);
  line_.time = integer_of<std::int64_t>(word);
  if (!line_.time) return wrong("'{}' is no time: a whole number since 1970", printable(word, 64));
  place_ = end;
  while (at(' ')) ++place_;
  return {};
}

Status LineReader::expect_end() {
  if (at_end_of_row()) return {};
  return wrong("something stands behind the {}", line_.time ? "time" : "fields");
}

}  // namespace tidegate::drivers
