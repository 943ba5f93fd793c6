#include "drivers/push/json_body.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::push {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 32;

Result<Reading> reading_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return Reading{Reading::Type::number, value.get_double().value_unsafe()};
    case dom::element_type::BOOL:
      return Reading{Reading::Type::boolean, value.get_bool().value_unsafe() ? 1.0 : 0.0};
    case dom::element_type::STRING:
      return Reading{Reading::Type::text, 0, value.get_string().value_unsafe()};
    case dom::element_type::NULL_VALUE:
      return Reading{};
    default:
      return fail(Errc::invalid, "\"value\" must be a number, true or false, a text or null");
  }
}

Result<Timestamp> time_of(const dom::element& value) {
  std::int64_t micros = 0;
  if (value.get_int64().get(micros) == simdjson::SUCCESS) return Timestamp{Micros{micros}};
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (const auto time = parse_rfc3339(text)) return *time;
  }
  return fail(Errc::invalid,
              "\"time\" must be microseconds since 1970 as a whole number, or a text such as "
              "\"2026-03-01T12:00:00.250Z\"");
}

Result<std::string_view> text_of(const dom::element& value, std::string_view name) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return text;
  return fail(Errc::invalid, "\"{}\" must be a text", name);
}

Result<Quality> quality_of(const dom::element& value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    for (const Quality quality : {Quality::good, Quality::uncertain, Quality::bad}) {
      if (text == name(quality)) return quality;
    }
  }
  return fail(Errc::invalid, "\"quality\" must be \"good\", \"uncertain\" or \"bad\"");
}

template <class To, class From>
Status put(To& to, Result<From> from) {
  if (!from) return fail(std::move(from.error()));
  to = std::move(*from);
  return {};
}

Status put_field(JsonSample& sample, std::string_view key, const dom::element& value) {
  if (key == "series") return put(sample.series, text_of(value, key));
  if (key == "value") return put(sample.value, reading_of(value));
  if (key == "time") return put(sample.time, time_of(value));
  if (key == "unit") return put(sample.unit, text_of(value, key));
  if (key == "quality") return put(sample.quality, quality_of(value));
  static const std::vector<std::string> kKnown = {"series", "value", "time", "unit", "quality"};
  return fail(Errc::invalid, "unknown field '{}'{}; known are {}", printable(key, 64), did_you_mean(key, kKnown),
              fmt::join(kKnown, ", "));
}

}  // namespace

struct JsonBody::Document {
  dom::parser parser;
  dom::array samples;
  dom::array::iterator next;
  dom::element current;
  std::size_t size = 0;
};

JsonBody::JsonBody() : document_(std::make_unique<Document>()) {}
JsonBody::~JsonBody() = default;

Status JsonBody::read(std::string_view body) {
  constexpr const char* kForm = R"({"samples": [{"series": "boiler1/temperature", "value": 93.5}]})";
  document_->size = 0;
  // A depth is settled with the room for a body, which grows to that of the largest.
  if (document_->parser.capacity() < body.size()) {
    const auto error = document_->parser.allocate(body.size(), kMaxDepth);
    if (error) return fail(Errc::full, "no memory for a body of {} bytes", body.size());
  }
  dom::element root;
  if (const auto error = document_->parser.parse(body.data(), body.size()).get(root)) {
    return fail(Errc::invalid, "the body is not valid JSON: {}", simdjson::error_message(error));
  }
  dom::object object;
  if (root.get_object().get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) {
      if (key != "samples") return fail(Errc::invalid, "unknown field '{}'; send {}", printable(key, 64), kForm);
      root = value;
    }
  }
  if (root.get_array().get(document_->samples)) return fail(Errc::invalid, "the body must be like {}", kForm);
  document_->size = static_cast<std::size_t>(std::distance(document_->samples.begin(), document_->samples.end()));
  document_->next = document_->samples.begin();
  return {};
}

std::size_t JsonBody::size() const { return document_->size; }

Result<JsonSample> JsonBody::next() {
  document_->current = *document_->next;
  ++document_->next;
  dom::object object;
  if (document_->current.get_object().get(object)) return fail(Errc::invalid, "a sample must be a JSON object");
  JsonSample sample;
  bool has_value = false;
  for (const auto& [key, value] : object) {
    if (auto fine = put_field(sample, key, value); !fine) return fail(std::move(fine.error()));
    has_value = has_value || key == "value";
  }
  if (sample.series.empty()) return fail(Errc::invalid, "\"series\" must name the series");
  if (!has_value && sample.quality != Quality::bad) return fail(Errc::invalid, "\"value\" is missing");
  return sample;
}

std::string JsonBody::text() const { return simdjson::minify(document_->current); }

}  // namespace tidegate::drivers::push
