#pragma once

#include <deque>
#include <string>
#include <vector>

#include "drivers/options.h"
#include "drivers/record.h"

namespace tidegate::drivers::serial {

/// Sentences of NMEA 0183: `$GPHDT,274.07,T*03`. A value's path is its sentence without the talker, and its name:
/// hdt/heading. Speeds are metres a second, depths and heights metres, angles degrees, positions decimal degrees, north
/// and east positive. Sentences that are not known, and proprietary ones, say nothing.
class NmeaRecords final : public RecordDecoder {
 public:
  static constexpr std::size_t kMostFields = 100;
  /// `checksums`: a sentence without one is refused.
  explicit NmeaRecords(bool checksums) : checksums_(checksums) {}
  Result<std::span<const Leaf>> decode(std::string_view record) override;

 private:
  class Sentence;

  const bool checksums_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> names_;  ///< of transducers; they never move
  std::vector<Leaf> leaves_;
};

/// Units of the values, by path.
Units nmea_units();

}  // namespace tidegate::drivers::serial
