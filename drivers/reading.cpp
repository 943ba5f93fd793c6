#include "drivers/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

constexpr std::size_t kMaxStateBytes = 255;

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

/// No tenth is exact in binary: 61 times 0.1 is 6.1000000000000005, and by ten it is the 6.1 that the device shows.
double scaled(double value, double factor) {
  const double parts = std::round(1 / factor);
  return parts > 1 && 1 / parts == factor ? value / parts : value * factor;
}

}  // namespace

SeriesKind kind_of(Reading::Type type) {
  switch (type) {
    case Reading::Type::boolean:
      return SeriesKind::boolean;
    case Reading::Type::text:
      return SeriesKind::state;
    default:
      return SeriesKind::number;
  }
}

void mark(Sample& sample, Quality quality, Reason reason) {
  if (sample.quality == Quality::bad) return;
  sample.quality = quality;
  sample.reason = reason;
  if (quality == Quality::bad) sample.value = 0;
}

std::optional<bool> boolean_word(std::string_view text) {
  for (const std::string_view word : {"on", "true", "yes", "1"}) {
    if (equal_ignoring_case(text, word)) return true;
  }
  for (const std::string_view word : {"off", "false", "no", "0"}) {
    if (equal_ignoring_case(text, word)) return false;
  }
  return std::nullopt;
}

bool read_number(std::string_view text, Reading& reading) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || error == std::errc::invalid_argument) return false;
  bool number = std::isfinite(value);
  if (error == std::errc::result_out_of_range) {
    number = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;  // too small
    value = 0;
  }
  reading.type = number ? Reading::Type::number : Reading::Type::not_a_number;
  reading.number = number ? value : 0;
  return true;
}

bool any_matches(const std::vector<Pattern>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& pattern) { return pattern.matches(name); });
}

Status Feed::open(Sink& sink, std::string_view name, const SeriesInfo& info, bool own_report) {
  const auto id = own_report ? sink.series_with_report(name, info) : sink.series(name, info);
  if (!id) return fail(id.error());
  open_ = true;
  kind_ = info.kind;
  id_ = *id;
  return {};
}

Feed::Conversion Feed::convert_to_state(Sink& sink, const Reading& reading, Sample& sample) {
  std::string made;
  if (reading.type == Reading::Type::number) made = number_text(reading.number);
  if (reading.type == Reading::Type::boolean) made = reading.number != 0 ? "true" : "false";
  const std::string_view text = reading.type == Reading::Type::text ? reading.text : std::string_view(made);
  if (text.empty() || text.size() > kMaxStateBytes) {
    return {false, fmt::format("a state is a text of 1 to {} bytes", kMaxStateBytes)};
  }
  if (state_ != text) {
    const auto code = sink.label(id_, text);
    if (!code) return {false, code.error().text};
    state_ = text;
    code_ = *code;
  }
  sample.value = code_;
  return {};
}

Feed::Conversion Feed::convert(Sink& sink, const Reading& reading, const Scale& scale, Sample& sample) {
  sample.series = id_;
  double value = reading.number;
  if (reading.type == Reading::Type::not_a_number) {
    mark(sample, Quality::bad, Reason::not_a_number);
    return {};
  }
  if (reading.type == Reading::Type::null) {
    mark(sample, Quality::bad, Reason::device_fault);  // the device says that it has no value
    return {};
  }
  if (kind_ == SeriesKind::state) return convert_to_state(sink, reading, sample);
  if (reading.type == Reading::Type::text) {
    const auto word = kind_ == SeriesKind::boolean ? boolean_word(reading.text) : std::nullopt;
    if (word) {
      value = *word ? 1 : 0;
    } else if (kind_ == SeriesKind::boolean || !parse_number(reading.text, value)) {
      mark(sample, Quality::bad, Reason::wrong_type);
      return {true, fmt::format("'{}' is no {}", printable(reading.text, 64),
                                kind_ == SeriesKind::boolean ? "yes or no" : "number")};
    }
  }
  if (kind_ == SeriesKind::boolean) {
    sample.value = value != 0 ? 1 : 0;
    return {};
  }
  sample.value = scaled(value, scale.factor) + scale.offset;
  if (!std::isfinite(sample.value)) mark(sample, Quality::bad, Reason::not_a_number);
  return {};
}

}  // namespace tidegate::drivers
