#pragma once

#include <span>
#include <stop_token>
#include <string_view>

#include "gateway/core/event.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate {

/// The running number of a sample taken in; larger than every ticket given before.
enum class Ticket : std::uint64_t {};

/// What could not be used, with its reason: kept in a bounded table and shown, so that nothing is lost silently.
struct DeadLetter {
  Timestamp time{};
  std::string source;
  std::string topic;    ///< where it came from: an MQTT topic, a register, a URL
  std::string payload;  ///< as received; cut to DeadLetter::kMaxPayload
  std::string reason;
  static constexpr std::size_t kMaxPayload = 4096;
};

/// What a driver sees of the gateway. Every method may be called from any thread; none throws.
class Sink {
 public:
  virtual ~Sink() = default;

  /// The id of a series, made on first sight. Resolve once and keep it: this is a look-up by name. Fails with
  /// Errc::full when the source or the gateway has as many series as it may have, and with Errc::invalid for a name
  /// that is none. An existing series takes over a changed unit, kind or labels.
  virtual Result<SeriesId> series(std::string_view name, const SeriesInfo& info) = 0;

  /// The same of a series whose point says by a `report` of its own which readings become samples: its source's
  /// `report` is not for it.
  virtual Result<SeriesId> series_with_report(std::string_view name, const SeriesInfo& info) {
    return series(name, info);
  }

  /// The code of a state series' label, made on first sight. Fails with Errc::full beyond 256 labels a series.
  virtual Result<double> label(SeriesId series, std::string_view text) = 0;

  /// Takes the samples in, never blocks. At the queue's bound the oldest samples are dropped and counted.
  virtual Ticket push(std::span<const Sample> samples) = 0;

  /// Waits until everything up to `ticket` is on disk (for `ack: committed`). False: asked to stop, or it was dropped.
  virtual bool wait_committed(Ticket ticket, std::stop_token stop) = 0;

  /// The source's health in plain words; journaled and shown when it differs from the last.
  virtual void report(SourceHealth health, std::string_view text) = 0;

  /// Something arrived that cannot be used.
  virtual void reject(std::string_view topic, std::string_view payload, std::string_view reason) = 0;
};

}  // namespace tidegate
