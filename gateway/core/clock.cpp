#include "gateway/core/clock.h"

#include <time.h>

namespace tidegate {

namespace {

std::int64_t read(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000 + std::int64_t{time.tv_nsec} / 1'000;
}

}  // namespace

GatewayClock::GatewayClock() : offset_(read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)) {}

Timestamp GatewayClock::now() const {
  return Timestamp{Micros{read(CLOCK_BOOTTIME) + offset_.load(std::memory_order_relaxed)}};
}

std::optional<Micros> GatewayClock::correct(Micros tolerance) {
  const std::int64_t offset = offset_.load(std::memory_order_relaxed);
  const Micros difference{read(CLOCK_REALTIME) - (read(CLOCK_BOOTTIME) + offset)};
  const ClockCorrection now = correction(difference, Micros{reported_}, tolerance);
  offset_.store(offset + now.adopt.count(), std::memory_order_relaxed);
  reported_ = now.held.count();
  return now.report;
}

}  // namespace tidegate
