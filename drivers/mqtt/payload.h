#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::mqtt {

enum class Format : std::uint8_t {
  automatic,  ///< a number, else JSON, else a text state
  number,
  json,
  text
};

enum class TimeFormat : std::uint8_t {
  automatic,  ///< text is RFC 3339; a number is milliseconds from 10^11 on, seconds below
  seconds,
  milliseconds,
  rfc3339
};

struct PayloadLimits {
  std::size_t max_bytes = 256 * 1024;
  std::size_t max_depth = 16;    ///< JSON objects and arrays within one another
  std::size_t max_values = 512;  ///< a message
};
/// Of a leaf's path, since a series' name has no more. A message with a longer one is refused: each of its values would
/// carry the whole name.
constexpr std::size_t kMaxPathBytes = 255;

/// One value found in a payload. The views are good until the next decode().
struct Leaf {
  enum class Type : std::uint8_t { number, boolean, text, null, not_a_number };
  Type type = Type::null;
  double number = 0;      ///< of a number; 0 or 1 of a boolean
  std::string_view path;  ///< JSON keys and array indices joined with '/'; empty for a bare value
  std::string_view text;  ///< of a text
};

/// Turns payloads into leaves. Keeps its buffers: nothing is allocated once they have grown to the payloads' size. Not
/// thread-safe.
class Decoder {
 public:
  explicit Decoder(PayloadLimits limits);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// The leaves of a payload, in order; JSON is taken in whole or not at all. No leaf for an empty payload (it only
  /// deletes a retained message). A failure's text says what is wrong with the payload.
  Result<std::span<const Leaf>> decode(std::string_view payload, Format format);

 private:
  struct Json;
  Status decode_json(std::string_view payload);
  Status decode_bare(std::string_view text, Format format);

  PayloadLimits limits_;
  std::unique_ptr<Json> json_;
  std::vector<Leaf> leaves_;
};

/// The time that a leaf holds, if it is one and sane: from 2000-01-01 to five minutes ahead of `now`. Where `now`
/// itself lies before 2020 (a box without a clock of its own, not yet synchronised), no future is too far.
std::optional<Timestamp> time_of(const Leaf& leaf, TimeFormat format, Timestamp now);

/// RFC 6901 as a path of leaves: "/battery/voltage" is "battery/voltage", ~1 and ~0 are / and ~.
Result<std::string> path_of_pointer(std::string_view pointer);

/// on, off, true, false, yes, no, 1, 0 in any case; nothing else is guessed.
std::optional<bool> boolean_word(std::string_view text);

}  // namespace tidegate::drivers::mqtt
