#include "drivers/mqtt/payload.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "gateway/core/clock.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::mqtt {
namespace {

namespace ondemand = simdjson::ondemand;

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

enum class Read : std::uint8_t { number, not_a_number, no };

/// A whole text as a number. Out of a double's range and the words for NaN and infinity are "not a number", which is a
/// reading (a bad one), not garbage.
Read read_number(std::string_view text, double& value) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || error == std::errc::invalid_argument) return Read::no;
  if (error == std::errc::result_out_of_range) {
    const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    value = 0;
    return tiny ? Read::number : Read::not_a_number;
  }
  return std::isfinite(value) ? Read::number : Read::not_a_number;
}

}  // namespace

/// simdjson's parser and the walk over a document. On-demand parsing is lazy, so leaves are collected first: a document
/// that breaks in its middle gives none.
struct Decoder::Json {
  /// Where a leaf's path stands in `paths`, which may move while it grows.
  struct Place {
    std::size_t begin, size;
  };

  ondemand::parser parser;
  std::vector<char> buffer;  ///< the payload with simdjson's padding behind it
  std::string paths;
  std::string path;  ///< of the value being walked
  std::vector<Place> places;
  std::string problem;

  bool walk(ondemand::value value, std::size_t depth, const PayloadLimits& limits, std::vector<Leaf>& out);
  bool walk_object(ondemand::value& value, std::size_t depth, const PayloadLimits& limits, std::vector<Leaf>& out);
  bool walk_array(ondemand::value& value, std::size_t depth, const PayloadLimits& limits, std::vector<Leaf>& out);
  bool scalar(ondemand::value& value, Leaf& leaf);
  bool number(ondemand::value& value, Leaf& leaf);
  bool word_beyond_json(ondemand::value& value, Leaf& leaf);
  bool add(Leaf leaf, const PayloadLimits& limits, std::vector<Leaf>& out);
  std::size_t descend(std::string_view level);
  bool broken(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }
  bool broken(simdjson::error_code error) {
    return broken(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  }
};

std::size_t Decoder::Json::descend(std::string_view level) {
  const std::size_t mark = path.size();
  if (mark > 0) path += '/';
  path += level;
  return mark;
}

bool Decoder::Json::add(Leaf leaf, const PayloadLimits& limits, std::vector<Leaf>& out) {
  if (out.size() >= limits.max_values)
    return broken(fmt::format("more than {} values in one message", limits.max_values));
  if (path.size() > kMaxPathBytes) return broken(fmt::format("a value's name is longer than {} bytes", kMaxPathBytes));
  places.push_back({paths.size(), path.size()});
  paths += path;
  out.push_back(leaf);
  return true;
}

bool Decoder::Json::walk_object(ondemand::value& value, std::size_t depth, const PayloadLimits& limits,
                                std::vector<Leaf>& out) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return broken(error);
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    if (const auto error = std::move(item).get(field)) return broken(error);
    if (const auto error = field.unescaped_key().get(key)) return broken(error);
    const std::size_t mark = descend(key);
    if (!walk(field.value(), depth + 1, limits, out)) return false;
    path.resize(mark);
  }
  return true;
}

bool Decoder::Json::walk_array(ondemand::value& value, std::size_t depth, const PayloadLimits& limits,
                               std::vector<Leaf>& out) {
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return broken(error);
  std::size_t position = 0;
  for (auto item : array) {
    ondemand::value element;
    // NOLINTNEXTLINE(performance-move-const-arg): get() takes rvalues only
    if (const auto error = std::move(item).get(element)) return broken(error);
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), position++).ptr;
    const std::size_t mark = descend({digits.data(), static_cast<std::size_t>(end - digits.data())});
    if (!walk(element, depth + 1, limits, out)) return false;
    path.resize(mark);
  }
  return true;
}

bool Decoder::Json::walk(ondemand::value value, std::size_t depth, const PayloadLimits& limits,
                         std::vector<Leaf>& out) {
  ondemand::json_type type{};
  Leaf leaf;
  if (value.type().get(type) != simdjson::SUCCESS) {
    return word_beyond_json(value, leaf) ? add(leaf, limits, out)
                                         : broken("not valid JSON: a value is neither text nor number");
  }
  if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
    if (depth >= limits.max_depth) return broken(fmt::format("nested deeper than {} levels", limits.max_depth));
    return type == ondemand::json_type::object ? walk_object(value, depth, limits, out)
                                               : walk_array(value, depth, limits, out);
  }
  switch (type) {
    case ondemand::json_type::number:
      return number(value, leaf) && add(leaf, limits, out);
    default:
      return scalar(value, leaf) && add(leaf, limits, out);
  }
}

bool Decoder::Json::number(ondemand::value& value, Leaf& leaf) {
  leaf.type = Leaf::Type::number;
  if (value.get_double().get(leaf.number) == simdjson::SUCCESS) return true;
  // simdjson refuses what a double cannot hold (1e400), which is a number all the same; -Infinity begins like one too.
  return word_beyond_json(value, leaf) || broken("not valid JSON: a number is malformed");
}

/// NaN and the infinities as Python and JavaScript programs write them, and numbers beyond a double.
bool Decoder::Json::word_beyond_json(ondemand::value& value, Leaf& leaf) {
  const std::string_view token = trim(value.raw_json_token());
  const Read read = read_number(token, leaf.number);
  if (read == Read::no || token.empty() || token.front() == '+' || token.front() == '.') return false;
  leaf.type = read == Read::number ? Leaf::Type::number : Leaf::Type::not_a_number;
  return true;
}

bool Decoder::Json::scalar(ondemand::value& value, Leaf& leaf) {
  const std::string_view token = trim(value.raw_json_token());
  if (token.front() == '"') {
    leaf.type = Leaf::Type::text;
    const auto error = value.get_string().get(leaf.text);
    return error ? broken(error) : true;
  }
  if (token.front() == 'n') {
    // "nan" begins like "null".
    bool null = false;
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
    return word_beyond_json(value, leaf) || broken("not valid JSON: a word that is none of true, false, null");
  }
  bool truth = false;
  if (const auto error = value.get_bool().get(truth)) return broken(error);
  leaf.type = Leaf::Type::boolean;
  leaf.number = truth ? 1 : 0;
  return true;
}

Decoder::Decoder(PayloadLimits limits) : limits_(limits), json_(std::make_unique<Json>()) {}
Decoder::~Decoder() = default;

Result<std::span<const Leaf>> Decoder::decode(std::string_view payload, Format format) {
  leaves_.clear();
  if (payload.size() > limits_.max_bytes) {
    return fail(Errc::full, "{} bytes; at most {} are taken (max_payload)", payload.size(), limits_.max_bytes);
  }
  const std::string_view text = trim(payload);
  if (text.empty()) return std::span<const Leaf>{};
  const bool structured = text.front() == '{' || text.front() == '[';
  const bool json = format == Format::json || (format == Format::automatic && structured);
  const Status decoded = json && structured ? decode_json(text) : decode_bare(text, format);
  if (!decoded) return fail(decoded.error());
  return std::span<const Leaf>(leaves_);
}

Status Decoder::decode_json(std::string_view payload) {
  Json& json = *json_;
  json.paths.clear();
  json.path.clear();
  json.places.clear();
  json.problem.clear();
  if (json.buffer.size() < payload.size() + simdjson::SIMDJSON_PADDING) {
    json.buffer.resize(payload.size() + simdjson::SIMDJSON_PADDING);
  }
  std::memcpy(json.buffer.data(), payload.data(), payload.size());
  // The padding is read as text where a number stands at the very end of a broken document: let it always be the same.
  std::memset(json.buffer.data() + payload.size(), ' ', simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  ondemand::value root;
  if (const auto error = json.parser.iterate(json.buffer.data(), payload.size(), json.buffer.size()).get(document)) {
    return fail(Errc::invalid, "not valid JSON: {}", simdjson::error_message(error));
  }
  if (const auto error = document.get_value().get(root)) {
    return fail(Errc::invalid, "not valid JSON: {}", simdjson::error_message(error));
  }
  const bool walked = json.walk(root, 0, limits_, leaves_);
  if (walked && document.current_location().error() == simdjson::SUCCESS)
    json.problem = "not valid JSON: something stands behind the end";
  if (!json.problem.empty()) {
    leaves_.clear();
    return fail(Errc::invalid, "{}", json.problem);
  }
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaves_[i].path = std::string_view(json.paths).substr(json.places[i].begin, json.places[i].size);
  }
  return {};
}

/// A payload that is one value and no JSON object or array.
Status Decoder::decode_bare(std::string_view text, Format format) {
  Leaf leaf;
  const Read read = format == Format::text ? Read::no : read_number(text, leaf.number);
  if (read != Read::no) {
    leaf.type = read == Read::number ? Leaf::Type::number : Leaf::Type::not_a_number;
  } else if (format != Format::text && (text == "true" || text == "false")) {
    leaf.type = Leaf::Type::boolean;
    leaf.number = text == "true" ? 1 : 0;
  } else if (format != Format::text && text == "null") {
    leaf.type = Leaf::Type::null;
  } else {
    const bool quoted = format != Format::text && text.size() >= 2 && text.front() == '"' && text.back() == '"';
    if (format == Format::json && !quoted) return fail(Errc::invalid, "not valid JSON: neither an object nor a value");
    leaf.type = Leaf::Type::text;
    leaf.text = quoted ? text.substr(1, text.size() - 2) : text;
    if (!valid_utf8(leaf.text)) return fail(Errc::invalid, "neither a number nor text in UTF-8");
  }
  leaves_.push_back(leaf);
  return {};
}

std::optional<Timestamp> time_of(const Leaf& leaf, TimeFormat format, Timestamp now) {
  using namespace std::chrono;
  constexpr Timestamp kEarliest = sys_days{2000y / January / 1};
  constexpr double kLatestSeconds = 9.2e12;  // what microseconds in 64 bits hold
  std::optional<Timestamp> time;
  if (leaf.type == Leaf::Type::text && (format == TimeFormat::rfc3339 || format == TimeFormat::automatic)) {
    time = parse_rfc3339(leaf.text);
  } else {
    double number = leaf.number;
    const bool is_number =
        leaf.type == Leaf::Type::number || (leaf.type == Leaf::Type::text && parse_number(leaf.text, number));
    if (!is_number || format == TimeFormat::rfc3339) return std::nullopt;
    const bool millis =
        format == TimeFormat::milliseconds || (format == TimeFormat::automatic && std::abs(number) >= 1e11);
    const double in_seconds = millis ? number / 1000 : number;
    if (!(std::abs(in_seconds) < kLatestSeconds)) return std::nullopt;
    time = Timestamp{Micros(std::llround(millis ? number * 1e3 : number * 1e6))};
  }
  if (!time || *time < kEarliest) return std::nullopt;
  if (now >= kClockIsSet && *time > now + kMostAhead) return std::nullopt;
  return time;
}

Result<std::string> path_of_pointer(std::string_view pointer) {
  if (pointer.size() < 2 || pointer.front() != '/') {
    return fail(Errc::invalid, "is no JSON pointer; write it like /battery/voltage");
  }
  std::string path;
  for (std::size_t i = 1; i < pointer.size(); ++i) {
    if (pointer[i] != '~') {
      path += pointer[i];
      continue;
    }
    const char escaped = i + 1 < pointer.size() ? pointer[++i] : '\0';
    if (escaped != '0' && escaped != '1')
      return fail(Errc::invalid, "has a '~' that is neither ~0 (for ~) nor ~1 (for /)");
    path += escaped == '0' ? '~' : '/';
  }
  return path;
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

}  // namespace tidegate::drivers::mqtt
