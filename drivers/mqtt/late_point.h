#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/point.h"

namespace tidegate::drivers::mqtt {

/// A point that a message brings to light. One whose series is refused asks for it again each minute: room may have
/// been made.
class LatePoint {
 public:
  LatePoint(std::string series, ValueOptions options) : point_(std::move(series), std::move(options)) {}

  const std::string& series() const { return point_.series(); }
  const ValueOptions& options() const { return point_.options(); }

  /// True where it has its series; what is in the way goes to Sink::reject.
  bool open(Sink& sink, SeriesKind natural, Micros every, Timestamp now, std::string_view topic) {
    if (point_.is_open()) return true;
    if (refused_ && now - *refused_ < std::chrono::minutes(1)) return false;
    const Status opened = point_.open(sink, natural, every);
    if (opened) return true;
    refused_ = now;
    sink.reject(topic, "", opened.error().text);
    return false;
  }
  bool is_open() const { return point_.is_open(); }
  std::string take(Sink& sink, const Reading& reading, Timestamp time, Quality quality, Reason reason,
                   std::vector<Sample>& samples) {
    return point_.take(sink, reading, time, quality, reason, samples);
  }
  void lose(Timestamp time, std::vector<Sample>& samples) { point_.lose(Reason::no_answer, time, samples); }

 private:
  Point point_;
  std::optional<Timestamp> refused_;
};

/// Takes a reading of a device that may be away: what is said for it then is its last word, what was kept is none.
inline std::string take_of_device(LatePoint& point, Sink& sink, const Reading& reading, Timestamp time, bool retained,
                                  bool offline, std::vector<Sample>& samples) {
  if (offline && retained) {
    point.lose(time, samples);
    return "";
  }
  const Quality quality = offline || retained ? Quality::uncertain : Quality::good;
  const Reason reason = offline ? Reason::no_answer : retained ? Reason::retained : Reason::none;
  return point.take(sink, reading, time, quality, reason, samples);
}

}  // namespace tidegate::drivers::mqtt
