#include "gateway/core/clock.h"

#include <utility>

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

Micros GatewayClock::begin_after(Timestamp left_off) {
  const Timestamp system = now();
  const Micros ahead = beginning(system, left_off) - system;
  offset_.fetch_add(ahead.count(), std::memory_order_relaxed);
  held_ = -ahead.count();  // correct() knows it, and has nothing to tell
  return ahead;
}

std::optional<Micros> GatewayClock::correct(Micros tolerance) {
  const std::int64_t boot = read_(CLOCK_BOOTTIME);
  const std::int64_t offset = offset_.load(std::memory_order_relaxed);
  const Timestamp system{Micros{read_(CLOCK_REALTIME)}}, ours{Micros{boot + offset}};
  const Micros elapsed{boot - std::exchange(corrected_at_, boot)};
  if (system < ours && system < kClockIsSet) return std::nullopt;
  const ClockCorrection now = correction(system - ours, Micros{held_}, elapsed, tolerance);
  offset_.store(offset + now.adopt.count(), std::memory_order_relaxed);
  held_ = now.held.count();
  return now.report;
}

}  // namespace tidegate
