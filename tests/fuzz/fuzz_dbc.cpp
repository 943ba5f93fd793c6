// A DBC file, and a frame decoded by it. The first bytes are the frame: its length, 64 bytes, whether it is J1939.

#include <algorithm>
#include <cstdint>

#include "drivers/can/decoder.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::drivers::can;
  constexpr std::size_t kMostBytes = std::tuple_size_v<decltype(Frame::bytes)>, kHead = kMostBytes + 2;
  if (size < kHead) return 0;
  auto dbc = parse_dbc({reinterpret_cast<const char*>(bytes) + kHead, size - kHead});
  if (!dbc) {
    fuzz::must(valid_utf8(dbc.error().text) && dbc.error().text.starts_with("line "));
    return 0;
  }
  if (dbc->messages.empty()) return 0;
  Frame frame{dbc->messages[0].id, dbc->messages[0].extended};
  frame.size = bytes[0] % (kMostBytes + 1);
  std::copy_n(bytes + 1, frame.size, frame.bytes.begin());
  fuzz::StrictSink sink;
  Decoder decoder(std::move(*dbc), Options{"f", Micros{0}, std::chrono::seconds(1), (bytes[kHead - 1] & 1u) != 0});
  (void)decoder.open(sink);  // of too many series some have none
  std::vector<Sample> samples;
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  decoder.take(frame, now, sink, samples);
  decoder.look_for_silence(now + std::chrono::seconds(2), samples);
  if (!samples.empty()) sink.push(samples);
  fuzz::must(valid_utf8(decoder.trouble()));
  return 0;
}
