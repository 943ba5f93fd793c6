#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/sink.h"
#include "gateway/core/types.h"

namespace tidegate {

/// The only queue: many producers (drivers, the API), one consumer (the pump). A ring of samples, bounded by count, and
/// the few events beside them, bounded too. Nothing blocks a producer: at the bound the oldest samples give way and are
/// counted, so that a slow disk never stops a driver. A push gives way whole (what of it is still here), so that the
/// fate of its last sample is the fate of all. A push larger than the ring keeps its newest part.
class Intake {
 public:
  explicit Intake(std::size_t max_samples, std::size_t max_events = 4096);

  /// Any thread. Returns the ticket of the last sample.
  Ticket push(std::span<const Sample> samples);
  /// Any thread. False when the events' bound is reached: the caller tells its user.
  bool post(Event event);

  static constexpr Micros kForEver = std::chrono::years(100);

  struct Taken {
    std::vector<Sample> samples;  ///< in order of arrival
    std::vector<Event> events;
    bool awaited = false;  ///< somebody waits in wait_committed(): commit now
    Ticket last{};         ///< every ticket up to this one is in `samples`, was taken before, or was dropped
    Ticket newest{};       ///< the last one given by then; `last` where nothing more waits
  };
  /// The pump only. Waits up to `wait` for anything, then takes at most `max` samples and all events into `out`
  /// (cleared first; its capacity is reused).
  void take(Taken& out, std::size_t max, Micros wait, std::stop_token stop);

  /// The pump only: everything up to `ticket` is on disk.
  void committed(Ticket ticket);
  /// The pump only: what was taken up to `ticket` and is not committed never will be. Counted as dropped.
  void give_up(Ticket ticket);
  /// Any thread. True once `ticket` is committed; false when asked to stop, when the sample was dropped or when
  /// `at_most` has passed.
  bool wait_committed(Ticket ticket, std::stop_token stop, Micros at_most = kForEver);

  struct Stats {
    std::size_t depth;  ///< samples waiting now
    std::size_t capacity;
    std::uint64_t accepted;  ///< samples ever pushed
    std::uint64_t dropped;   ///< of these, given up at the bound
    std::uint64_t events_refused;
  };
  Stats stats() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::condition_variable_any committed_changed_;
  struct Range {
    std::uint64_t first, last;  ///< tickets, both included
  };
  bool was_dropped(std::uint64_t ticket) const;
  void drop_oldest(std::size_t at_least);
  void record_dropped(std::uint64_t first, std::uint64_t last);
  void store(std::span<const Sample> samples);

  std::vector<Sample> ring_;
  std::vector<std::uint8_t> starts_;  ///< beside ring_: 1 = the first sample of a push
  std::size_t head_ = 0;              ///< the oldest sample
  std::size_t count_ = 0;
  std::size_t max_events_;
  std::vector<Event> events_;
  std::uint64_t accepted_ = 0;
  std::uint64_t dropped_ = 0;
  std::deque<Range> dropped_ranges_;     ///< the newest of them, ascending, adjacent ones joined
  std::uint64_t forgotten_through_ = 0;  ///< a ticket up to here counts as dropped: its range may be forgotten
  std::uint64_t events_refused_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t awaited_ = 0;  ///< the highest ticket that somebody waits for
  bool consumer_waits_ = false;
};

}  // namespace tidegate
