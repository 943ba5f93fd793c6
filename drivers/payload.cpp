#include "drivers/payload.h"

#include <fmt/format.h>

#include <cmath>

#include "drivers/binary.h"
#include "drivers/json.h"
#include "drivers/line_protocol.h"
#include "drivers/series_name.h"
#include "gateway/core/clock.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers {
namespace {

/// measurement/tags/field, each line's values with its time.
void walk_lines(std::string_view payload, std::chrono::nanoseconds unit, Leaves& out) {
  LineReader lines(payload);
  while (lines.next()) {
    const Line& line = lines.line();
    if (!lines.status()) {
      out.broken(fmt::format("line {}, {}", line.number, lines.status().error().text));
      return;
    }
    const std::size_t begin = out.descend(level_text(line.measurement, false));
    for (const auto& tag : line.tags) out.descend(level_text(tag.value, true));
    for (const auto& [key, value] : line.fields) {
      const std::size_t mark = out.descend(level_text(key, false));
      Leaf leaf{value};
      if (line.time) leaf.time = time_of_line(*line.time, unit);
      const bool text = value.type == Reading::Type::text;
      if (!(text ? out.add_copied(value.text, leaf.time) : out.add(leaf))) return;
      out.ascend(mark);
    }
    out.ascend(begin);
  }
}

}  // namespace

Decoder::Decoder(PayloadLimits limits) : limits_(limits), leaves_(limits), json_(std::make_unique<JsonWalk>()) {}
Decoder::~Decoder() = default;

Result<std::span<const Leaf>> Decoder::decode(std::string_view payload, Format format,
                                              std::chrono::nanoseconds line_time) {
  if (payload.size() > limits_.max_bytes) {
    return fail(Errc::full, "{} bytes; at most {} are taken (max_payload)", payload.size(), limits_.max_bytes);
  }
  if (format >= Format::cbor) {  // bytes of another kind than text, or whole lines
    leaves_.clear();
    if (payload.empty()) return leaves_.finish();
    if (format == Format::cbor) walk_cbor(payload, leaves_);
    if (format == Format::msgpack) walk_msgpack(payload, leaves_);
    if (format == Format::line_protocol) walk_lines(payload, line_time, leaves_);
    return finish();
  }
  const std::string_view text = trim(payload);
  if (text.empty()) return std::span<const Leaf>{};
  const bool structured = text.front() == '{' || text.front() == '[';
  if (structured && (format == Format::json || format == Format::automatic)) {
    leaves_.clear();
    json_->walk(text, leaves_);
    return finish();
  }
  if (const Status read = decode_bare(text, format); !read) return fail(read.error());
  return std::span<const Leaf>(&bare_, 1);
}

Result<std::span<const Leaf>> Decoder::finish() {
  if (!leaves_.problem().empty()) return fail(Errc::invalid, "{}", leaves_.problem());
  return leaves_.finish();
}

/// A payload that is one value and no JSON object or array.
Status Decoder::decode_bare(std::string_view text, Format format) {
  Leaf leaf;
  if (format != Format::text && read_number(text, leaf)) {
    // A number, or a word for what is none.
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
  bare_ = leaf;
  return {};
}

std::optional<Timestamp> time_of(const Leaf& leaf, TimeFormat format, Timestamp now) {
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
  if (!time || !believable(*time, now)) return std::nullopt;
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

}  // namespace tidegate::drivers
