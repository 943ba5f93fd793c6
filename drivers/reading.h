#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/pattern.h"
#include "gateway/core/sink.h"

namespace tidegate::drivers {

/// A value as it came, before it is known what its series takes. The text is somebody else's.
struct Reading {
  enum class Type : std::uint8_t { number, boolean, text, null, not_a_number };
  Type type = Type::null;
  double number = 0;  ///< of a number; 0 or 1 of a boolean
  std::string_view text{};
};

/// What it looks like.
SeriesKind kind_of(Reading::Type type);
/// Lowers a sample's quality; one that is bad stays as it is.
void mark(Sample& sample, Quality quality, Reason reason);
/// on, off, true, false, yes, no, 1, 0 in any case; nothing else is guessed.
std::optional<bool> boolean_word(std::string_view text);
/// A whole text as a number, into `reading`; false: it is none. Out of a double's range and the words for NaN and
/// infinity are "not a number", which is a reading (a bad one), not garbage.
bool read_number(std::string_view text, Reading& reading);
bool any_matches(const std::vector<Pattern>& patterns, std::string_view name);

/// A series that a driver feeds with readings. One thread at a time.
class Feed {
 public:
  /// Asks for the series, or tells what has changed of it. Fails as Sink::series does. `own_report`: as of
  /// Sink::series_with_report.
  Status open(Sink& sink, std::string_view name, const SeriesInfo& info, bool own_report = false);
  bool is_open() const { return open_; }
  SeriesId id() const { return id_; }  ///< once it is open

  /// A number is shown as number * factor + offset.
  struct Scale {
    double factor = 1, offset = 0;
  };
  struct Conversion {
    bool gives_sample = true;
    std::string problem{};  ///< why what came is to be shown among the refused, if it is
  };
  /// What the reading is in this series: the sample's series, value and quality. Once it is open.
  Conversion convert(Sink& sink, const Reading& reading, const Scale& scale, Sample& sample);

 private:
  Conversion convert_to_state(Sink& sink, const Reading& reading, Sample& sample);

  bool open_ = false;
  SeriesKind kind_ = SeriesKind::number;
  SeriesId id_{};
  std::string state_;  ///< the last label and its code: a state rarely changes
  double code_ = 0;
};

}  // namespace tidegate::drivers
