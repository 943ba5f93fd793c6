// What a serial device says, in every format: cut into lines in pieces as they may come, and read. The first byte says
// which format and pieces.

#include <cstdint>

#include "drivers/field_points.h"
#include "drivers/serial/lines.h"
#include "drivers/serial/options.h"
#include "tests/fuzz/strict_sink.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers;

constexpr std::size_t kMostBytes = 200;

std::vector<std::string> lines_of(std::string_view bytes, std::size_t piece) {
  serial::LineCutter cutter("", kMostBytes);
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    cutter.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (std::string_view line; cutter.next(line);) lines.emplace_back(line);
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::vector<std::string> lines = lines_of(stream, size);
  fuzz::must(lines == lines_of(stream, 1 + bytes[0] / 5));

  serial::Format format;
  format.kind = static_cast<serial::Format::Kind>(bytes[0] % 5);
  format.columns = {"a", "", "s"};
  format.pattern = {"a(?P<a>[^,]*),(?P<s>.*)", "b(?P<b>\\S+)?"};
  const auto decoder = serial::make_decoder(format);
  FieldsRule rule;
  rule.states = {*Pattern::parse("s")};
  FieldPoints points(
      rule, [](std::string_view field) { return "fuzz/" + std::string(field); }, std::chrono::seconds(1));
  fuzz::StrictSink sink;
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  std::vector<Sample> samples;
  for (const std::string& line : lines) {
    fuzz::must(!line.empty() && line.size() <= kMostBytes);
    const auto leaves = decoder->decode(line);
    if (!leaves) {
      fuzz::must(!leaves.error().text.empty());
    } else {
      points.take(sink, {*leaves, now, false}, samples);
    }
  }
  points.lose(Reason::no_answer, now, samples);
  if (!samples.empty()) sink.push(samples);
  return 0;
}
