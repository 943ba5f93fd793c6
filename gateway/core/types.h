#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate {

using Micros = std::chrono::microseconds;
/// Wall-clock time, UTC, in microseconds: exact in a JSON number until the year 2255.
using Timestamp = std::chrono::sys_time<Micros>;

/// A series, stable across restarts: the journal owns the name table and gives ids from 0 up, without holes.
enum class SeriesId : std::uint32_t {};
/// A committed batch. Only grows, never reused; also the SSE id and the uplink's de-duplication key. The first is 1.
enum class Seq : std::int64_t {};

constexpr std::size_t index(SeriesId id) { return static_cast<std::size_t>(id); }
constexpr std::int64_t number(Seq seq) { return static_cast<std::int64_t>(seq); }
constexpr Seq next(Seq seq) { return Seq{number(seq) + 1}; }
constexpr Seq prev(Seq seq) { return Seq{number(seq) - 1}; }

/// May this value be acted upon? After OPC UA's status severity. A failed read is `bad`, never an in-band NaN.
enum class Quality : std::uint8_t { good, uncertain, bad };
/// Why a quality is not `good`.
enum class Reason : std::uint8_t {
  none,
  retained,      ///< an MQTT retained message: old news until a fresh one comes (uncertain, or bad)
  not_a_number,  ///< NaN, infinity or out of a double's range (bad)
  no_answer,     ///< the device did not answer in time (bad)
  device_fault,  ///< the device answered with an error of its own (bad)
  wrong_type,    ///< text where a number was expected, and the like (bad)
  clock          ///< the device's timestamp is not sane; the gateway's clock was used (uncertain)
};

/// One reading. 24 bytes, by value everywhere; identity is resolved once, so no string travels the hot path.
/// `value` of a boolean series is 0 or 1, of a state series its label's code; of a bad sample it has no meaning (0).
struct Sample {
  SeriesId series{};
  Quality quality = Quality::good;
  Reason reason = Reason::none;
  Timestamp time{};
  double value = 0;

  friend bool operator==(const Sample&, const Sample&) = default;
};
static_assert(sizeof(Sample) == 24);

enum class SeriesKind : std::uint8_t { number, counter, boolean, state };

using Labels = std::vector<std::pair<std::string, std::string>>;  ///< sorted by key where it matters to the reader

/// An interval of what speaks when something changes: its silence says nothing, and none is learned.
constexpr Micros kOnChange{-1};

/// What is known of a series beside its name (`device/metric`, deeper paths allowed).
struct SeriesInfo {
  SeriesKind kind = SeriesKind::number;
  std::string unit;             ///< as shown: "°C", "%", "bar"; empty where it has none
  std::string source;           ///< the name of the source in the configuration that feeds it
  Micros expected_interval{0};  ///< between two samples; 0 = not known, and learned once they are regular; or kOnChange
  Labels labels;

  friend bool operator==(const SeriesInfo&, const SeriesInfo&) = default;
};

std::string_view name(Quality);
std::string_view name(Reason);
std::string_view name(SeriesKind);

/// True for a name that may be a series: 1..255 bytes of valid UTF-8, no control characters, no empty path level,
/// none of the wildcards + # { }.
bool valid_series_name(std::string_view);

}  // namespace tidegate
