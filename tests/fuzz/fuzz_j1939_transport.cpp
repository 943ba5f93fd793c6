// Frames of a J1939 bus, one after another. The first byte says whether one sender alone is listened to; then each
// frame is 12 bytes: what it is, its sender, its destination, how long after the one before (in 10 ms), its data.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "drivers/can/decoder.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

namespace tidegate::drivers::can {
namespace {

using fuzz::must;

constexpr std::uint32_t kDm1 = 0xFECA, kProprietary = 0xEF00;
constexpr std::size_t kRecord = 12;

Frame frame_of(const std::uint8_t* record) {
  constexpr std::array<std::uint32_t, 4> kIds = {0x18EC0000, 0x18EB0000, 0x18EC0000, 0x18FE0000};
  const std::uint8_t what = record[0];
  Frame frame{kIds[what % 4] | std::uint32_t{record[2]} << 8u | record[1], (what & 0x80u) == 0};
  frame.size = (what & 0x40u) == 0 ? 8 : (what >> 2u) % 9u;
  std::copy_n(record + 4, frame.size, frame.bytes.begin());
  return frame;
}

/// What was sent, as the standard has it: the newest packet of each number since the newest announcement.
class Model {
 public:
  explicit Model(std::optional<std::uint32_t> sender) : sender_(sender) {}

  /// Whether it announces a message that is wanted.
  bool take(const Frame& frame) {
    if (!frame.extended) return false;
    const auto ends = frame.id & 0xFFFFu;
    const auto data = frame.data();
    if (frame.id >> 16u == 0x18EB && !data.empty()) {
      std::copy(data.begin() + 1, data.end(), packets_[ends][data[0]].begin());
    }
    if (frame.id >> 16u != 0x18EC || data.size() < 8 || (data[0] != 16 && data[0] != 32)) return false;
    packets_[ends].clear();
    size_[ends] = data[1] | std::size_t{data[2]} << 8u;
    const std::uint32_t group = data[5] | std::uint32_t{data[6]} << 8u | std::uint32_t{data[7]} << 16u;
    return (group == kDm1 || (group & ~0xFFu) == kProprietary) && (!sender_ || *sender_ == (ends & 0xFFu));
  }
  void check(const Frame& last, const Transport::Message& whole) {
    const auto ends = last.id & 0xFFFFu;
    must((whole.id & 0xFFu) == (ends & 0xFFu));
    must(whole.data.size() >= Transport::kLeastBytes && whole.data.size() <= Transport::kMostBytes);
    must(whole.data.size() == size_[ends]);
    for (std::size_t i = 0; i < whole.data.size(); ++i) {
      const auto packet = packets_[ends].find(static_cast<std::uint8_t>(i / 7 + 1));
      must(packet != packets_[ends].end() && packet->second[i % 7] == whole.data[i]);
    }
  }

 private:
  const std::optional<std::uint32_t> sender_;
  std::map<std::uint32_t, std::map<std::uint8_t, std::array<std::uint8_t, 7>>> packets_;
  std::map<std::uint32_t, std::size_t> size_;
};

constexpr const char* kDbc = R"(
BO_ 2566834942 DM1: 14 Engine
 SG_ Lamp : 4|2@1+ (1,0) [0|0] "" X
 SG_ Second : 64|5@1+ (1,0) [0|0] "" X
BO_ 2565800190 Proprietary: 16 Engine
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" X
 SG_ Value m1 : 103|32@0+ (1,0) [0|0] "" X
)";

}  // namespace
}  // namespace tidegate::drivers::can

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::drivers::can;
  if (size == 0) return 0;
  const auto sender = bytes[0] % 2 == 0 ? std::nullopt : std::optional<std::uint32_t>{bytes[0] / 2};
  Transport transport({kDm1, kProprietary}, sender);
  Model model(sender);
  static const Dbc dbc = parse_dbc(kDbc).value();
  Decoder decoder(dbc, Options{"f", Micros{0}, std::chrono::seconds(1), true, sender});
  fuzz::StrictSink sink;
  must(decoder.open(sink).has_value());
  Timestamp now{std::chrono::seconds(1'772'366'400)};
  std::vector<Transport::Loss> lost;
  std::vector<Sample> samples;
  std::size_t announced = 0, whole = 0;
  for (std::size_t at = 1; at + kRecord <= size; at += kRecord) {
    now += std::chrono::milliseconds(10) * bytes[at + 3];
    const Frame frame = frame_of(bytes + at);
    announced += model.take(frame) ? 1 : 0;
    if (const auto message = transport.take(frame, now, lost)) {
      model.check(frame, *message);
      ++whole;
    }
    must(transport.sessions() <= Transport::kMostSessions);
    must(announced == whole + lost.size() + transport.sessions());
    transport.expire(now, lost);
    decoder.take(frame, now, sink, samples);
    decoder.look_for_silence(now, samples);
    if (!samples.empty()) sink.push(samples);
    samples.clear();
    must(valid_utf8(decoder.trouble()));
  }
  transport.lose_all(lost);
  must(announced == whole + lost.size() && transport.sessions() == 0);
  for (const Transport::Loss& loss : lost) must(!loss.why.empty() && valid_utf8(loss.why));
  must(decoder.take_lost() <= lost.size());
  return 0;
}
