#include "drivers/push/remote_write.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "gateway/core/text.h"

namespace tidegate::drivers::push {
namespace {

/// The fields of a message, one after another, as protocol buffers have them on the wire.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  struct Field {
    std::uint64_t number = 0;
    Type type = Type::varint;
    std::uint64_t value = 0;  ///< of all types but bytes
    std::string_view bytes{};
  };

  /// False at the end, and where it is no message.
  bool next(Field& field) {
    std::uint64_t key = 0;
    if (rest_.empty()) return false;
    if (!varint(key)) return fails();
    field.number = key >> 3;
    field.type = static_cast<Type>(key & 7u);
    switch (field.type) {
      case Type::varint:
        return varint(field.value) || fails();
      case Type::fixed64:
        return fixed(field.value, 8) || fails();
      case Type::fixed32:
        return fixed(field.value, 4) || fails();
      case Type::bytes:
        if (!varint(field.value) || field.value > rest_.size()) return fails();
        field.bytes = rest_.substr(0, static_cast<std::size_t>(field.value));
        rest_.remove_prefix(field.bytes.size());
        return true;
      default:
        return fails();
    }
  }
  bool broken() const { return broken_; }
  std::string_view rest() const { return rest_; }

 private:
  bool fails() {
    broken_ = true;
    return false;
  }
  bool varint(std::uint64_t& value) {
    constexpr int kLongest = 64;
    value = 0;
    for (int shift = 0; shift < kLongest; shift += 7) {
      if (rest_.empty()) return false;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
      if ((byte & 0x80u) == 0) return true;
    }
    return false;
  }
  bool fixed(std::uint64_t& value, std::size_t bytes) {
    if (rest_.size() < bytes) return false;
    value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return true;
  }

  std::string_view rest_;
  bool broken_ = false;
};

using Type = Fields::Type;

}  // namespace

bool is_stale(double value) { return std::bit_cast<std::uint64_t>(value) == 0x7ff0'0000'0000'0002u; }

bool RemoteWriteReader::next() {
  constexpr std::uint64_t kSeries = 1;
  while (!broken_) {
    Fields fields(rest_);
    Fields::Field field;
    const bool there = fields.next(field);
    rest_ = fields.rest();
    broken_ = fields.broken();
    if (!there) return false;
    if (field.number != kSeries || field.type != Type::bytes) continue;
    series_ = {};
    status_ = {};
    broken_ = !take_series(field.bytes);
    if (broken_) return false;
    std::sort(series_.tags.begin(), series_.tags.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    if (status_ && series_.name.empty()) status_ = fail(Errc::invalid, "a series without a name (__name__)");
    return true;
  }
  return false;
}

/// False: it is no message.
bool RemoteWriteReader::take_series(std::string_view message) {
  constexpr std::uint64_t kLabel = 1, kSample = 2, kHistogram = 4;
  Fields fields(message);
  for (Fields::Field field; fields.next(field);) {
    if (field.type != Type::bytes) continue;
    if (field.number == kLabel && !take_label(field.bytes)) return false;
    if (field.number == kSample && !take_point(field.bytes)) return false;
    series_.histograms = series_.histograms || field.number == kHistogram;
  }
  return !fields.broken();
}

bool RemoteWriteReader::take_label(std::string_view message) {
  constexpr std::uint64_t kName = 1, kValue = 2;
  Line::Tag label;
  Fields fields(message);
  for (Fields::Field field; fields.next(field);) {
    if (field.type != Type::bytes) continue;
    if (field.number == kName) label.key = field.bytes;
    if (field.number == kValue) label.value = field.bytes;
  }
  if (fields.broken()) return false;
  if (label.key.empty() || label.key.size() > kMaxLabelBytes || label.value.size() > kMaxLabelBytes) {
    status_ = fail(Errc::invalid, "a label's name or value has no byte or more than {}", kMaxLabelBytes);
  } else if (!valid_utf8(label.key) || !valid_utf8(label.value)) {
    status_ = fail(Errc::invalid, "a label that is no text in UTF-8");
  } else if (series_.tags.size() >= kMostLabels) {
    status_ = fail(Errc::invalid, "more than {} labels", kMostLabels);
  } else if (label.key == "__name__") {
    series_.name = label.value;
  } else if (!label.value.empty()) {  // an empty one is as if it were not there
    series_.tags.push_back(label);
  }
  return true;
}

bool RemoteWriteReader::take_point(std::string_view message) {
  constexpr std::uint64_t kValue = 1, kTime = 2;
  RemoteSeries::Point point{0, 0};
  Fields fields(message);
  for (Fields::Field field; fields.next(field);) {
    if (field.number == kValue && field.type == Type::fixed64) point.value = std::bit_cast<double>(field.value);
    if (field.number == kTime && field.type == Type::varint) point.millis = static_cast<std::int64_t>(field.value);
  }
  series_.points.push_back(point);
  return !fields.broken();
}

}  // namespace tidegate::drivers::push
