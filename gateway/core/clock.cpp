#include "gateway/core/clock.h"

#include <sys/timex.h>

#include <fstream>
#include <utility>

namespace tidegate {
namespace {

#if !defined(__x86_64__) && !defined(__i386__)
/// One whose battery has run out begins anew in 1970 or 2000.
bool has_sane_rtc() {
  for (const char* rtc : {"/sys/class/rtc/rtc0/since_epoch", "/sys/class/rtc/rtc1/since_epoch"}) {
    std::int64_t seconds = 0;
    std::ifstream(rtc) >> seconds;
    if (Timestamp{std::chrono::seconds(seconds)} >= kClockIsSet) return true;
  }
  return false;
}

bool is_synchronised() {
  timex asked{};  // it changes nothing
  return adjtimex(&asked) >= 0 && (asked.status & STA_UNSYNC) == 0;
}
#endif

}  // namespace

std::string_view in_words(ClockState state) {
  switch (state) {
    case ClockState::unset:
      return "nobody has set the clock yet: until somebody does, for at most 10 minutes from the machine's start, "
             "samples "
             "wait before they go upstream or into history";
    case ClockState::given_up:
      return "nobody has set the clock, and it is waited for no longer: its time is used as it is";
    case ClockState::set:
      break;
  }
  return "the clock is set";
}

void restamp(std::span<Sample> samples, Timestamp from, Timestamp to, Micros by) {
  for (Sample& sample : samples) {
    if (sample.time >= from && sample.time <= to) sample.time += by;
  }
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

std::int64_t GatewayClock::read_system(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000 + std::int64_t{time.tv_nsec} / 1'000;
}

/// A virtual machine has its host's time, and often neither a clock of its own nor a network to ask.
bool GatewayClock::is_kept() {
#if defined(__x86_64__) || defined(__i386__)
  return true;
#else
  return is_synchronised() || has_sane_rtc();
#endif
}

GatewayClock::GatewayClock(Read read, Kept kept)
    : read_(read),
      kept_(kept),
      offset_(read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)),
      corrected_at_(read(CLOCK_BOOTTIME)) {
  state_ = look(Timestamp{Micros{read(CLOCK_REALTIME)}}, corrected_at_);
}

ClockState GatewayClock::look(Timestamp system, std::int64_t boot) const {
  return state_ == ClockState::set ? ClockState::set : clock_state(system, Micros{boot}, kept_());
}

/// The state first: who sees the clock set sees the time that it was set to.
Moment GatewayClock::moment() const {
  const bool settled = state_.load() != ClockState::unset;
  const std::int64_t offset = offset_.load();
  const std::int64_t now = read_(CLOCK_BOOTTIME) + offset;
  std::int64_t last = last_.load(std::memory_order_relaxed);
  while (last < now && !last_.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
  }
  return {Timestamp{Micros{std::max(last, now)}}, Micros{offset}, settled};
}

Micros GatewayClock::begin_after(Timestamp left_off) {
  const Timestamp system = now();
  const Micros ahead = beginning(system, left_off, state_ == ClockState::set) - system;
  offset_.fetch_add(ahead.count());
  held_ = -ahead.count();  // correct() knows it, and has nothing to tell
  return ahead;
}

std::optional<Micros> GatewayClock::correct(Micros tolerance) {
  const std::int64_t boot = read_(CLOCK_BOOTTIME);
  const Timestamp system{Micros{read_(CLOCK_REALTIME)}};
  const ClockState state = look(system, boot);
  const auto by = follow(system, boot, state, tolerance);
  state_ = state;
  return by;
}

std::optional<Micros> GatewayClock::follow(Timestamp system, std::int64_t boot, ClockState state, Micros tolerance) {
  const std::int64_t offset = offset_.load();
  const Timestamp ours{Micros{boot + offset}};
  const Micros elapsed{boot - std::exchange(corrected_at_, boot)};
  if (system < ours && (system < kClockIsSet || state == ClockState::unset)) return std::nullopt;
  const ClockCorrection now = correction(system - ours, Micros{held_}, elapsed, tolerance);
  offset_ = offset + now.adopt.count();
  held_ = now.held.count();
  return now.report;
}

Micros local_less_utc(Timestamp at) {
  const auto seconds =
      static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return Micros{0};
  return std::chrono::seconds(local.tm_gmtoff);
}

}  // namespace tidegate
