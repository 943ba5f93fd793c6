#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/driver.h"

namespace tidegate::drivers {

/// What a device has at hand while it is read.
struct Turn {
  Sink& sink;
  const Clock& clock;
  std::vector<Sample>& samples;  ///< what was read; pushed together
  const std::stop_token& stop;   ///< asked between two requests, so that a long list of them ends soon
};

/// Something that is asked and answers, or does not: a unit on a bus, an agent, a URL, a sensor's file. It has groups
/// of points, each with an interval of its own. One thread at a time; throws nothing.
class PolledDevice {
 public:
  virtual ~PolledDevice() = default;

  /// Once, at the start of each run: asks for the series of its points, so that they are there before it answers. What
  /// failed, in words; the rest is read.
  virtual Status open(Sink& sink) = 0;
  /// Reads a group: a sample for each of its points, bad ones too. The text says what else is wrong, "" where nothing
  /// is: one register that is refused, a value that is none. An error: it did not answer. Then lose() is called for all
  /// that is due of it, and it is left alone for a while: for longer and longer after an Errc::timed_out, for each try
  /// costs the others that time; likewise after one that turned_away() tells of; for a few seconds at most after any
  /// other, so that what was unplugged is soon back. Each request has a time-out of its own.
  virtual Result<std::string> read(std::size_t group, Turn& turn) = 0;
  /// Asked after a read that failed: was it reached, and wants no more of this? Then for how long it asks to be left
  /// alone at least, 0 where it does not say.
  virtual std::optional<Micros> turned_away() const { return std::nullopt; }
  /// What somebody should see to although it answers, such as a certificate that ends: part of the health report, which
  /// it makes no worse. "" where nothing is.
  virtual std::string notice() const { return {}; }
  /// Adds a bad sample for each point of the group.
  virtual void lose(std::size_t group, Reason why, Turn& turn) = 0;

  /// What of it may be set; the same for as long as it lives.
  virtual std::vector<WritablePoint> writable() const { return {}; }
  /// Sets one of those, as Outlet does. Any thread, beside the others.
  virtual Status write(std::string_view series, std::string_view value, const Permission& may);
};

struct Polled {
  std::string name;               ///< in health reports; "" where the source is one device
  std::vector<Micros> intervals;  ///< of its groups
  std::unique_ptr<PolledDevice> device;
  std::string line{};  ///< what it shares with others, such as a server: those of one line wait for one another
};

/// So many lines of a source are asked at once at most, and so many threads it has.
inline constexpr std::size_t kMostLinesAtOnce = 16;

/// A source that polls devices at whole multiples of their intervals. Those of one line are asked one after another, as
/// on a serial line, each left alone for longer and longer while it does not answer, so that a dead one costs the
/// others of its line one time-out now and then. Lines do not wait for one another, unless kMostLinesAtOnce of them
/// are being asked: then the one that is longest due comes next. A source of one line has no thread but its own.
/// Health is that of all devices, told when each line has had its first turn.
///
/// Counts as source/NAME/: `reads`, `failed_reads` and, by a TurnMeter, how it keeps its turns.
/// `what`: what is read, for the health report: "3 devices, 120 points, every 1 s".
std::unique_ptr<Driver> make_polled(std::vector<Polled> devices, std::string what, const Context& context);

/// A device's groups, each with its interval as `every`: the one of this interval, made where there is none.
template <class Group>
Group& group_of(Micros every, std::vector<Group>& groups) {
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.every == every; });
  if (found != groups.end()) return *found;
  groups.emplace_back().every = every;
  return groups.back();
}
/// Those intervals, in the groups' order.
template <class Group>
std::vector<Micros> intervals_of(const std::vector<Group>& groups) {
  std::vector<Micros> all;
  for (const Group& group : groups) all.push_back(group.every);
  return all;
}

/// The reason of a sample that a failed read leaves behind.
Reason reason_of(const Error& error);

}  // namespace tidegate::drivers
