#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/polled.h"
#include "drivers/schedule.h"
#include "gateway/core/backoff.h"

namespace tidegate::drivers {

/// A device of a polled source, and whether it answers. One thread at a time; device() of what is const in it: any.
class Watched {
 public:
  /// What the source's health is made of.
  struct State {
    bool answers = false;
    std::string trouble;  ///< what is wrong with it, each thing once; "" where nothing is
    std::string notice;
  };

  Watched(Polled polled, std::uint64_t seed);

  const std::string& name() const { return polled_.name; }
  const std::vector<Micros>& intervals() const { return polled_.intervals; }
  const PolledDevice& device() const { return *polled_.device; }
  PolledDevice& device() { return *polled_.device; }
  bool rests(Timestamp now) const { return now < until_; }
  State state() const;

  void open(Sink& sink);
  /// Reads what is due of it; false: it did not answer.
  bool read(const std::vector<std::size_t>& due, Turn& turn);

 private:
  std::string trouble() const;
  void lose(const std::vector<std::size_t>& groups, const Error& why, Turn& turn);

  Polled polled_;
  Backoff rest_, cheap_rest_;
  Timestamp until_{};
  std::string failure_;  ///< why it does not answer
  std::string refused_;  ///< the series that it may not have
  std::vector<std::string> troubles_;
};

/// Devices that are asked one after another. One thread at a time.
class PolledLine {
 public:
  /// Of the whole source.
  struct Counts {
    Metric &reads, &failed;
  };
  /// A turn that is over.
  struct Taken {
    Timestamp planned, begun, ended;
    std::uint64_t missed;  ///< turns, since the one before
  };

  /// All that is handed over outlives it.
  PolledLine(std::vector<Watched*> devices, const Clock& clock, Counts counts);

  /// Before its first turn of a run.
  void start();
  Timestamp next() const { return schedule_.next(); }
  /// Reads what is due, and pushes what was read.
  Taken take_turn(Sink& sink, const std::stop_token& stop);

  const std::vector<Watched*>& devices() const { return devices_; }

 private:
  struct Group {
    std::size_t device, number;  ///< the device's in devices_
  };

  void read_due(Sink& sink, const std::stop_token& stop);

  std::vector<Watched*> devices_;
  const Clock& clock_;
  Counts counts_;
  Schedule schedule_;
  std::vector<Group> groups_;                  ///< by their number in the schedule
  std::vector<std::vector<std::size_t>> due_;  ///< by device
  std::vector<Sample> samples_;
  std::size_t first_ = 0;
  std::uint64_t counted_ = 0;  ///< of the turns missed
};

}  // namespace tidegate::drivers
