#include "drivers/mqtt/sparkplug/payload.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "drivers/mqtt/sparkplug/payload.pb.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::sparkplug {
namespace {

namespace wire = tidegate::sparkplug::wire;
namespace io = google::protobuf::io;

/// Datatypes of the specification, section 6.4.16.
enum Datatype : std::uint32_t {
  kInt8 = 1,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat,
  kDouble,
  kBoolean,
  kString,
  kDateTime,
  kText
};

/// How many metrics there are, without making one.
std::size_t count_metrics(std::string_view payload) {
  constexpr std::uint32_t kMetrics = (2 << 3) | 2;
  io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(payload.data()), static_cast<int>(payload.size()));
  std::size_t count = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    std::uint32_t size = 0;
    if ((tag & 7) == 2) {
      if (!in.ReadVarint32(&size) || !in.Skip(static_cast<int>(size & 0x7fffffffu))) break;
      if (tag == kMetrics) ++count;
    } else if ((tag & 7) == 0) {
      std::uint64_t ignored = 0;
      if (!in.ReadVarint64(&ignored)) break;
    } else if ((tag & 7) == 1 || (tag & 7) == 5) {
      if (!in.Skip((tag & 7) == 1 ? 8 : 4)) break;
    } else {
      break;  // what else there is, the parser refuses or passes over
    }
  }
  return count;
}

bool is_one_of(std::string_view key, std::span<const std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void read_properties(const wire::PropertySet& properties, Metric& metric) {
  constexpr std::array<std::string_view, 6> kUnits = {"engUnit",          "engUnits",          "EngUnit",
                                                      "Engineering Unit", "Engineering Units", "unit"};
  constexpr std::array<std::string_view, 2> kQuality = {"Quality", "quality"};
  for (int i = 0; i < std::min(properties.keys_size(), properties.values_size()); ++i) {
    const std::string& key = properties.keys(i);
    const wire::PropertyValue& value = properties.values(i);
    if (value.has_string_value() && is_one_of(key, kUnits) && valid_utf8(value.string_value()))
      metric.unit = value.string_value();
    if (is_one_of(key, kQuality) && value.has_int_value())
      metric.quality = static_cast<std::int32_t>(value.int_value());
    if (is_one_of(key, kQuality) && value.has_long_value())
      metric.quality = static_cast<std::int64_t>(value.long_value());
  }
}

void read_value(const wire::Metric& from, Metric& metric) {
  using Holds = Metric::Holds;
  switch (from.value_case()) {
    case wire::Metric::kIntValue:
      metric.holds = Holds::integer;
      metric.integer = from.int_value();
      break;
    case wire::Metric::kLongValue:
      metric.holds = Holds::integer;
      metric.integer = from.long_value();
      break;
    case wire::Metric::kFloatValue:
      metric.holds = Holds::floating;
      metric.floating = static_cast<double>(from.float_value());
      break;
    case wire::Metric::kDoubleValue:
      metric.holds = Holds::floating;
      metric.floating = from.double_value();
      break;
    case wire::Metric::kBooleanValue:
      metric.holds = Holds::boolean;
      metric.integer = from.boolean_value() ? 1 : 0;
      break;
    case wire::Metric::kStringValue:
      metric.holds = Holds::text;
      metric.text = from.string_value();
      break;
    case wire::Metric::VALUE_NOT_SET:
      break;
    default:
      metric.holds = Holds::other;
  }
  if (from.is_null()) metric.holds = Holds::nothing;
}

}  // namespace

struct Decoder::Wire {
  wire::Payload payload;
};

Decoder::Decoder(std::size_t max_bytes) : max_bytes_(max_bytes), wire_(std::make_unique<Wire>()) {}
Decoder::~Decoder() = default;

Result<const Message*> Decoder::decode(std::string_view payload) {
  if (payload.size() > max_bytes_)
    return fail(Errc::full, "{} bytes; at most {} are taken (max_payload)", payload.size(), max_bytes_);
  if (count_metrics(payload) > kMaxMetrics) return fail(Errc::full, "more than {} metrics in one message", kMaxMetrics);
  if (!wire_->payload.ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return fail(Errc::invalid, "no Sparkplug B payload");
  const wire::Payload& from = wire_->payload;
  message_.time = from.has_timestamp() ? std::optional(from.timestamp()) : std::nullopt;
  message_.seq = from.has_seq() ? std::optional(from.seq()) : std::nullopt;
  message_.metrics.clear();
  for (const wire::Metric& one : from.metrics()) {
    Metric& metric = message_.metrics.emplace_back();
    if (!valid_utf8(one.name()) || (one.has_string_value() && !valid_utf8(one.string_value())))
      return fail(Errc::invalid, "a name or a text is not UTF-8");
    metric.name = one.name();
    if (one.has_alias()) metric.alias = one.alias();
    if (one.has_timestamp()) metric.time = one.timestamp();
    metric.datatype = one.datatype();
    metric.historical = one.is_historical();
    if (one.has_properties()) read_properties(one.properties(), metric);
    read_value(one, metric);
  }
  return &message_;
}

Result<SeriesKind> kind_of_datatype(std::uint32_t datatype) {
  constexpr std::array<const char*, 23> kOthers = {"DateTime",
                                                   "",
                                                   "UUID",
                                                   "DataSet",
                                                   "Bytes",
                                                   "File",
                                                   "Template",
                                                   "PropertySet",
                                                   "PropertySetList",
                                                   "Int8Array",
                                                   "Int16Array",
                                                   "Int32Array",
                                                   "Int64Array",
                                                   "UInt8Array",
                                                   "UInt16Array",
                                                   "UInt32Array",
                                                   "UInt64Array",
                                                   "FloatArray",
                                                   "DoubleArray",
                                                   "BooleanArray",
                                                   "StringArray",
                                                   "DateTimeArray"};
  if (datatype >= kInt8 && datatype <= kDouble) return SeriesKind::number;
  if (datatype == kBoolean) return SeriesKind::boolean;
  if (datatype == kString || datatype == kText) return SeriesKind::state;
  const std::size_t at = datatype - kDateTime;
  const char* name = datatype >= kDateTime && at < kOthers.size() && kOthers[at] != nullptr ? kOthers[at] : "unknown";
  return fail(Errc::invalid, "a metric of the datatype {} ({}) has no series", datatype, name);
}

Reading reading_of(const Metric& metric, std::uint32_t datatype) {
  using Holds = Metric::Holds;
  switch (metric.holds) {
    case Holds::nothing:
      return {};
    case Holds::boolean:
      return {Reading::Type::boolean, static_cast<double>(metric.integer)};
    case Holds::text:
      return {Reading::Type::text, 0, metric.text};
    case Holds::floating:
      if (!std::isfinite(metric.floating)) return {Reading::Type::not_a_number};
      return {Reading::Type::number, metric.floating};
    case Holds::other:
      return {Reading::Type::text, 0, "a structure"};
    case Holds::integer:
      break;
  }
  // Signed ones come in two's complement, in whichever of the two fields.
  const std::uint64_t raw = metric.integer;
  switch (datatype) {
    case kInt8:
      return {Reading::Type::number, static_cast<double>(static_cast<std::int8_t>(raw))};
    case kInt16:
      return {Reading::Type::number, static_cast<double>(static_cast<std::int16_t>(raw))};
    case kInt32:
      return {Reading::Type::number, static_cast<double>(static_cast<std::int32_t>(raw))};
    case kInt64:
      return {Reading::Type::number, static_cast<double>(static_cast<std::int64_t>(raw))};
    default:
      return {Reading::Type::number, static_cast<double>(raw)};
  }
}

std::string rebirth_request(std::uint64_t time) {
  wire::Payload payload;
  payload.set_timestamp(time);
  wire::Metric& metric = *payload.add_metrics();
  metric.set_name(std::string(kRebirth));
  metric.set_timestamp(time);
  metric.set_datatype(kBoolean);
  metric.set_boolean_value(true);
  return payload.SerializeAsString();
}

}  // namespace tidegate::drivers::mqtt::sparkplug
