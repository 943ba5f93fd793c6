#include "gateway/core/clock.h"

namespace tidegate {

std::int64_t GatewayClock::read_system(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000 + std::int64_t{time.tv_nsec} / 1'000;
}

GatewayClock::GatewayClock(Read read)
    : read_(read), offset_(read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)), corrected_at_(read(CLOCK_BOOTTIME)) {}

Timestamp GatewayClock::now() const {
  const std::int64_t now = read_(CLOCK_BOOTTIME) + offset_.load(std::memory_order_relaxed);
  std::int64_t last = last_.load(std::memory_order_relaxed);
  while (last < now && !last_.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
  }
  return Timestamp{Micros{std::max(last, now)}};
}

std::optional<Micros> GatewayClock::correct(Micros tolerance) {
  const std::int64_t boot = read_(CLOCK_BOOTTIME);
  const std::int64_t offset = offset_.load(std::memory_order_relaxed);
  const Micros difference{read_(CLOCK_REALTIME) - (boot + offset)};
  const ClockCorrection now = correction(difference, Micros{held_}, Micros{boot - corrected_at_}, tolerance);
  offset_.store(offset + now.adopt.count(), std::memory_order_relaxed);
  corrected_at_ = boot;
  held_ = now.held.count();
  return now.report;
}

}  // namespace tidegate
