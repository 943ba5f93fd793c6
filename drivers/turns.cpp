#include "drivers/turns.h"

#include <fmt/format.h>

#include "gateway/core/seconds.h"

namespace tidegate::drivers {
namespace {

Micros unless_step(Micros time) { return time < kClockStep ? time : Micros{0}; }

std::string path(const Context& context, std::string_view name) {
  return fmt::format("source/{}/{}", context.source, name);
}

}  // namespace

TurnMeter::TurnMeter(const Context& context)
    : lateness_(context.metrics.gauge(path(context, "turn_lateness"), "s",
                                      "The most that a turn began late, of the last minute or two.")),
      time_(context.metrics.gauge(path(context, "turn_time"), "s",
                                  "The longest that a turn took, of the last minute or two.")),
      missed_(context.metrics.counter(path(context, "missed_turns"), "",
                                      "Turns that came while the one before was still being read.")) {}

void TurnMeter::add(Timestamp planned, Timestamp begun, Timestamp ended, std::uint64_t missed) {
  late_.add(ended, unless_step(begun - planned));
  long_.add(ended, unless_step(ended - begun));
  lateness_.set(seconds(late_.value()));
  time_.set(seconds(long_.value()));
  missed_.add(static_cast<double>(missed));
  measured_ = true;
}

std::optional<Turns> TurnMeter::turns() const {
  if (!measured_) return std::nullopt;
  return Turns{lateness_.value(), time_.value(), static_cast<std::uint64_t>(missed_.value())};
}

}  // namespace tidegate::drivers
