// What a Modbus unit's registers say, and which requests ask for them. The first byte says which of the two; then come
// the format and registers, or the limits and the points.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "drivers/modbus/decode.h"
#include "drivers/modbus/device.h"
#include "drivers/modbus/plan.h"
#include "drivers/modbus/point_options.h"
#include "gateway/config/load.h"
#include "gateway/core/text.h"

namespace {

using namespace tidegate::drivers::modbus;
using tidegate::drivers::Reading;

void must(bool holds) {
  if (!holds) std::abort();
}

class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint8_t next() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  std::uint16_t word() {
    const unsigned high = next();
    return static_cast<std::uint16_t>(high << 8 | next());
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

Format format_of(Bytes& in) {
  Format format{static_cast<Type>(in.next() % 12), static_cast<Order>(in.next() % 4)};
  format.length = static_cast<std::uint8_t>(1 + in.next() % 120);
  const std::uint8_t bits = in.next();
  if (format.type == Type::uint16 || format.type == Type::uint32) {
    const unsigned all = 16u * width(format);
    format.first_bit = static_cast<std::uint8_t>(bits % all);
    format.bits = static_cast<std::uint8_t>(in.next() % (all - format.first_bit + 1));
  }
  return format;
}

void decoding(Bytes& in) {
  const Format format = format_of(in);
  std::vector<std::uint16_t> registers;
  for (std::uint16_t i = 0; i < width(format); ++i) registers.push_back(in.word());
  std::string text;
  const Reading reading = decode(registers, format, text);
  if (reading.type == Reading::Type::text) {
    must(!reading.text.empty() && reading.text.size() <= 255 && tidegate::valid_utf8(reading.text));
  }
  if (reading.type == Reading::Type::number) must(reading.number - reading.number == 0);
  const auto written = encode(reading, format);
  if (!written) return;
  must(written->size() == registers.size());
  // What was read reads the same when it is written; but for whole numbers that a double does not hold.
  const Reading again = decode(*written, format, text);
  must(again.type == reading.type && again.number == reading.number);
}

void planning(Bytes& in) {
  const Limits limits{static_cast<std::uint16_t>(1 + in.next() % 125), static_cast<std::uint16_t>(1 + in.word() % 2000),
                      static_cast<std::uint16_t>(in.next() % 126)};
  std::vector<Span> wanted;
  while (!in.empty() && wanted.size() < 200) {
    const auto table = static_cast<Table>(in.next() % 4);
    const auto count = static_cast<std::uint16_t>(is_bits(table) ? 1 : 1 + in.next() % 120);
    wanted.push_back({table, static_cast<std::uint16_t>(in.word() % (65537u - count)), count});
  }
  std::vector<Block> blocks = plan(wanted, limits);
  std::vector<bool> covered(wanted.size());
  while (!blocks.empty()) {
    const Block block = blocks.back();
    blocks.pop_back();
    const unsigned most = is_bits(block.span.table) ? limits.bits : limits.registers;
    must(block.span.end() <= 65536 && !block.wanted.empty());
    must(block.span.count <= most || block.wanted.size() == 1 || !split(block, wanted));
    for (const std::size_t number : block.wanted) {
      must(wanted[number].table == block.span.table && wanted[number].first >= block.span.first &&
           wanted[number].end() <= block.span.end());
    }
    if (auto halves = split(block, wanted)) {
      must(halves->first.wanted.size() + halves->second.wanted.size() == block.wanted.size());
      blocks.push_back(std::move(halves->first));
      blocks.push_back(std::move(halves->second));
      continue;
    }
    for (const std::size_t number : block.wanted) {
      must(!covered[number]);
      covered[number] = true;
    }
  }
  for (const bool one : covered) must(one);
}

void profile(std::string_view text) {
  tidegate::config::Problems problems;
  tidegate::config::Node node = tidegate::config::parse(text, "profile", {}, {}, problems);
  tidegate::config::check(node, profile_shape(), problems);
  if (!problems.empty()) return;
  Settings settings{.every = std::chrono::seconds(1)};
  settings.overlay(node);
  DeviceOptions device{"d", 1, settings.limits, {}};
  for (const auto& point : node["points"].items) device.points.push_back(read_point(point, "d", settings, problems));
  if (!problems.empty()) return;
  for (const PointOptions& point : device.points) {
    must(point.span.count == width(point.format) && point.span.end() <= 65536);
    must(point.format.first_bit + point.format.bits <= 16 * width(point.format));
  }
  must(!Device(std::move(device), nullptr).intervals().empty() || node["points"].items.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  Bytes in({bytes, size});
  switch (in.next() % 3) {
    case 0:
      decoding(in);
      break;
    case 1:
      planning(in);
      break;
    default:
      profile({reinterpret_cast<const char*>(bytes) + 1, size - 1});
  }
  return 0;
}
