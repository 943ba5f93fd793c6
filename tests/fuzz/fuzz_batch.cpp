// Any bytes as a stored batch. The checksum is mended first, since behind it is where the decoder must stand alone; and
// what decodes must come back from another round of encoding.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "gateway/journal/bytes.h"
#include "gateway/journal/codec.h"

namespace {

using tidegate::Sample;
namespace journal = tidegate::journal;

constexpr std::size_t kHeader = 6;
constexpr std::size_t kChecksum = 4;

/// The bytes as one block: the length and the checksum made right, all else as it came.
std::string as_block(std::string bytes) {
  if (bytes.size() < kHeader + kChecksum) return bytes;
  const std::string payload = bytes.substr(kHeader + kChecksum);
  std::string block = bytes.substr(0, 2);
  journal::put_u32(block, static_cast<std::uint32_t>(payload.size()));
  const std::uint32_t crc = journal::crc32c(payload, journal::crc32c(block));
  journal::put_u32(block, crc);
  return block + payload;
}

void check(const std::string& bytes) {
  const auto samples = journal::decode(bytes);
  if (!samples) return;
  const auto again = journal::decode(journal::encode(*samples));
  if (!again || again->size() != samples->size()) std::abort();
  for (std::size_t i = 0; i < samples->size(); ++i) {
    const Sample& a = (*samples)[i];
    const Sample& b = (*again)[i];
    if (a.series != b.series || a.quality != b.quality || a.reason != b.reason || a.time != b.time ||
        std::memcmp(&a.value, &b.value, sizeof a.value) != 0) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 4096) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  check(text);
  check(as_block(text));
  return 0;
}
