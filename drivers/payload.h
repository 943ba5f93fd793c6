#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "drivers/leaves.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers {

enum class Format : std::uint8_t {
  automatic,  ///< a number, else JSON, else a text state
  number,
  json,
  text,
  cbor,
  msgpack,
  line_protocol
};

enum class TimeFormat : std::uint8_t {
  automatic,  ///< text is RFC 3339; a number is milliseconds from 10^11 on, seconds below
  seconds,
  milliseconds,
  rfc3339
};

class JsonWalk;

/// Turns payloads into leaves. Keeps its buffers: nothing is allocated once they have grown to the payloads' size. Not
/// thread-safe.
class Decoder {
 public:
  explicit Decoder(PayloadLimits limits);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// The leaves of a payload, in order; it is taken in whole or not at all. No leaf for an empty payload (it only
  /// deletes a retained message). A failure's text says what is wrong with the payload. `line_time`: the unit of the
  /// times in line protocol.
  Result<std::span<const Leaf>> decode(std::string_view payload, Format format,
                                       std::chrono::nanoseconds line_time = std::chrono::nanoseconds(1));

 private:
  Result<std::span<const Leaf>> finish();
  Status decode_bare(std::string_view text, Format format);

  PayloadLimits limits_;
  Leaves leaves_;
  Leaf bare_;  ///< a payload that is one value needs no walk
  std::unique_ptr<JsonWalk> json_;
};

/// The time that a leaf holds, if it is one and sane: from 2000-01-01 to five minutes ahead of `now`. Where `now`
/// itself lies before 2020 (a box without a clock of its own, not yet synchronised), no future is too far.
std::optional<Timestamp> time_of(const Leaf& leaf, TimeFormat format, Timestamp now);

/// RFC 6901 as a path of leaves: "/battery/voltage" is "battery/voltage", ~1 and ~0 are / and ~.
Result<std::string> path_of_pointer(std::string_view pointer);

}  // namespace tidegate::drivers
