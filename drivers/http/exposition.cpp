#include "drivers/http/exposition.h"

#include <algorithm>
#include <charconv>

#include "gateway/core/text.h"

namespace tidegate::drivers::http {
namespace {

constexpr std::string_view kBlank = " \t";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

void skip_blank(std::string_view& line) { line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size())); }

std::string_view take_name(std::string_view& line) {
  const auto end = std::find_if_not(line.begin(), line.end(), is_name_character);
  const std::string_view name = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  line.remove_prefix(name.size());
  return !name.empty() && name.front() >= '0' && name.front() <= '9' ? std::string_view() : name;
}

std::string_view take_word(std::string_view& line) {
  skip_blank(line);
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  skip_blank(line);
  return word;
}

/// From behind the opening quote to behind the closing one, appended to `into`.
bool take_quoted(std::string_view& line, std::string& into) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      line.remove_prefix(i + 1);
      return true;
    }
    if (line[i] != '\\') {
      into += line[i];
      continue;
    }
    if (++i == line.size()) return false;
    if (line[i] != 'n' && line[i] != '"' && line[i] != '\\') into += '\\';
    into += line[i] == 'n' ? '\n' : line[i];
  }
  return false;
}

std::string_view without(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : std::string_view();
}

}  // namespace

bool ExpositionReader::next() {
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    skip_blank(line);
    if (line.starts_with('#')) take_comment(line.substr(1));
    if (line.empty() || line.starts_with('#')) continue;
    metric_.text = line;
    status_ = take_sample(line);
    return true;
  }
  return false;
}

/// Of comments only `# TYPE name type` says something that is used here.
void ExpositionReader::take_comment(std::string_view line) {
  if (take_word(line) != "TYPE") return;
  const std::string_view name = take_word(line);
  const std::string_view type = take_word(line);
  types_[name] = type == "counter"     ? Type::counter
                 : type == "histogram" ? Type::histogram
                 : type == "summary"   ? Type::summary
                                       : Type::other;
}

Status ExpositionReader::take_sample(std::string_view line) {
  if (line.size() > kMaxLineBytes) return fail(Errc::invalid, "a line of more than {} bytes", kMaxLineBytes);
  const std::string_view whole = line;
  metric_.labels.clear();
  metric_.time.reset();
  metric_.name = take_name(line);
  if (metric_.name.empty()) return fail(Errc::invalid, "a line that begins with no metric's name");
  skip_blank(line);
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    if (Status taken = take_labels(line); !taken) return taken;
  }
  metric_.identity = whole.substr(0, whole.size() - line.size());
  metric_.kind = kind_of_name();
  return take_value(line);
}

Status ExpositionReader::take_labels(std::string_view& line) {
  undone_.clear();
  undone_.reserve(line.size());
  while (true) {
    skip_blank(line);
    if (line.starts_with('}')) break;
    const std::string_view name = take_name(line);
    skip_blank(line);
    if (name.empty() || !line.starts_with('=')) return fail(Errc::invalid, "a label without a name");
    line.remove_prefix(1);
    skip_blank(line);
    const std::size_t begin = undone_.size();
    if (!line.starts_with('"')) return fail(Errc::invalid, "the label '{}' has no value in quotes", name);
    line.remove_prefix(1);
    if (!take_quoted(line, undone_)) return fail(Errc::invalid, "the label '{}' has no end", name);
    const std::string_view value = std::string_view(undone_).substr(begin);
    if (!valid_utf8(value)) return fail(Errc::invalid, "the label '{}' is no text in UTF-8", name);
    if (metric_.labels.size() >= kMostLabels) return fail(Errc::invalid, "more than {} labels", kMostLabels);
    if (!value.empty()) metric_.labels.push_back({name, value});
    skip_blank(line);
    if (line.starts_with(',')) {
      line.remove_prefix(1);
    } else if (!line.starts_with('}')) {
      return fail(Errc::invalid, "neither a comma nor an end behind the label '{}'", name);
    }
  }
  line.remove_prefix(1);
  return {};
}

Status ExpositionReader::take_value(std::string_view line) {
  const std::string_view value = take_word(line);
  metric_.value = {};
  if (!read_number(value, metric_.value)) return fail(Errc::invalid, "'{}' is no number", printable(value, 64));
  const std::string_view time = take_word(line);
  if (time.empty()) return {};
  std::int64_t millis = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), millis);
  constexpr std::int64_t kLatest = INT64_MAX / 1000;
  if (error != std::errc{} || end != time.data() + time.size() || millis > kLatest || millis < -kLatest)
    return fail(Errc::invalid, "'{}' is no time in milliseconds", printable(time, 64));
  if (!line.empty()) return fail(Errc::invalid, "something stands behind the time");
  metric_.time = Timestamp{std::chrono::milliseconds(millis)};
  return {};
}

SeriesKind ExpositionReader::kind_of_name() const {
  const auto type_of = [&](std::string_view name) {
    const auto found = name.empty() ? types_.end() : types_.find(name);
    return found == types_.end() ? Type::other : found->second;
  };
  const std::string_view name = metric_.name;
  bool counter = type_of(name) == Type::counter || type_of(without(name, "_total")) == Type::counter;
  for (const std::string_view part : {"_bucket", "_count", "_sum"}) {
    const Type whole = type_of(without(name, part));
    counter = counter || whole == Type::histogram || whole == Type::summary;
  }
  return counter ? SeriesKind::counter : SeriesKind::number;
}

}  // namespace tidegate::drivers::http
