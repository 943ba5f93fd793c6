#include "drivers/gpio/debounce.h"

namespace tidegate::drivers::gpio {

void Debounce::begin(bool active) {
  active_ = active;
  since_.reset();
}

std::optional<Debounce::Change> Debounce::edge(bool active, Timestamp at) {
  std::optional<Change> change = settle(at);
  if (active == active_) {
    since_.reset();
  } else if (quiet_ == Micros{0}) {
    active_ = active;
    change = Change{active, at};
  } else if (!since_) {
    since_ = at;
  }
  return change;
}

std::optional<Debounce::Change> Debounce::settle(Timestamp now) {
  if (!since_ || now - *since_ < quiet_) return std::nullopt;
  active_ = !active_;
  return Change{active_, *std::exchange(since_, std::nullopt)};
}

std::optional<Timestamp> Debounce::due() const { return since_ ? std::optional(*since_ + quiet_) : std::nullopt; }

}  // namespace tidegate::drivers::gpio
