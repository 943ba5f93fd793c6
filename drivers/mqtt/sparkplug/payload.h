#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/leaves.h"
#include "drivers/reading.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::mqtt::sparkplug {

/// A metric of a payload. The views are good until the next decode().
struct Metric {
  std::string_view name;  ///< empty where its alias stands for it
  std::optional<std::uint64_t> alias;
  std::optional<std::uint64_t> time;  ///< milliseconds since 1970
  std::uint32_t datatype = 0;         ///< 0: as at its birth
  bool historical = false;
  std::string_view unit;  ///< of its properties
  std::optional<std::int64_t> quality;
  /// What it carries, raw: what that is depends on the datatype.
  enum class Holds : std::uint8_t { nothing, integer, floating, boolean, text, other } holds = Holds::nothing;
  std::uint64_t integer = 0;
  double floating = 0;
  std::string_view text;
};

struct Message {
  std::optional<std::uint64_t> time, seq;
  std::vector<Metric> metrics;
};

inline constexpr std::size_t kMaxMetrics = 20'000;  ///< a payload
inline constexpr std::string_view kRebirth = "Node Control/Rebirth";

/// Decodes payloads. Keeps its buffers. One thread.
class Decoder {
 public:
  explicit Decoder(std::size_t max_bytes);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Good until the next. Metrics are counted before they are made.
  Result<const Message*> decode(std::string_view payload);

 private:
  struct Wire;
  const std::size_t max_bytes_;
  std::unique_ptr<Wire> wire_;
  Message message_;
};

/// What a metric of this datatype says; an error for one that has no series, in words.
Result<SeriesKind> kind_of_datatype(std::uint32_t datatype);
Reading reading_of(const Metric& metric, std::uint32_t datatype);

/// The payload of an NCMD that asks for a birth.
std::string rebirth_request(std::uint64_t time);

}  // namespace tidegate::drivers::mqtt::sparkplug
