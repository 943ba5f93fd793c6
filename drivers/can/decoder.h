#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "drivers/can/bus.h"
#include "drivers/can/dbc.h"
#include "drivers/can/transport.h"
#include "drivers/point.h"

namespace tidegate::drivers::can {

struct Options {
  std::string prefix;
  Micros every;         ///< at most one sample of a signal each so long; 0: every message
  Micros silent_after;  ///< of a message
  bool j1939 = false;
  std::optional<std::uint32_t> sender;  ///< J1939: this one's alone
  struct SignalOptions {
    std::string signal;  ///< MESSAGE/SIGNAL
    std::string name;
    ValueOptions value;
  };
  std::vector<SignalOptions> signals;  ///< with options of their own
};

/// Frames to samples, by a DBC's messages. One thread, no clock and no socket of its own.
class Decoder {
 public:
  Decoder(Dbc dbc, const Options& options);

  /// Asks for the series of all signals. What failed.
  Status open(Sink& sink);
  /// Samples of a frame's signals, and of the J1939 group of several frames that it makes whole; nothing of what no
  /// message describes.
  void take(const Frame& frame, Timestamp now, Sink& sink, std::vector<Sample>& samples);
  /// A bad sample for each signal of a message that has fallen silent; gives up groups whose next frame is overdue. To
  /// be called when all frames that have come were taken.
  void look_for_silence(Timestamp now, std::vector<Sample>& samples);
  void lose_all(Timestamp now, std::vector<Sample>& samples);
  /// From now on silence counts.
  void begin(Timestamp now);
  /// Which messages are silent or did not come whole, and what else is wrong; "" where nothing is.
  std::string trouble() const;
  /// How many groups of several frames did not come whole since it was asked last.
  std::uint64_t take_lost() { return std::exchange(lost_, 0); }
  std::size_t signals() const;

 private:
  struct Watched {
    Signal signal;
    Point point;
    Timestamp told{};  ///< the newest sample
    std::string trouble{};
  };
  struct Heard {
    std::string name;
    std::vector<Watched> signals;
    const Signal* selector = nullptr;
    Timestamp last{};  ///< when it came
    bool silent = false;
    std::string loss{};  ///< of the last, which did not come whole
  };
  static Transport transport_for(const Dbc& dbc, const Options& options);
  std::uint64_t key_of(std::uint32_t id, bool extended) const;
  std::int64_t turn_of(Timestamp time) const;
  void take_message(Heard& heard, std::span<const std::uint8_t> data, Timestamp now, Sink& sink,
                    std::vector<Sample>& samples);
  void take_signal(Watched& watched, std::span<const std::uint8_t> data, Timestamp now, Sink& sink,
                   std::vector<Sample>& samples);
  void tell_losses();

  const Options options_;
  Transport transport_;
  std::map<std::uint64_t, Heard> messages_;
  std::vector<Transport::Loss> losses_;
  std::uint64_t lost_ = 0;
};

}  // namespace tidegate::drivers::can
