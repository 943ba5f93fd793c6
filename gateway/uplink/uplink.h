#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/clock.h"
#include "gateway/core/result.h"
#include "gateway/journal/journal.h"

namespace tidegate::uplink {

/// What goes upstream in one message: the announced events of one batch, or its samples, or those of the snapshot in
/// it; never two of them, because alerts go before metrics.
enum class Lane : std::uint8_t { alerts, samples, snapshots };

std::string_view name_of(Lane lane);

/// What goes in one message: a batch, or a part of one that is too large as a whole, or a gap. On the lane of snapshots
/// the batch has the snapshot as its one event, and its samples as its own.
struct Parcel {
  journal::BatchPtr batch;
  std::size_t first = 0;  ///< of its samples or events, by lane
  std::size_t count = 0;
  bool part = false;  ///< not all of them
};

/// What somebody should see to although all is well.
struct Notice {
  std::string text;                           ///< a certificate ends soon; else empty
  std::optional<Timestamp> certificate_ends;  ///< the far end's, where it has one and that is known
};

/// A far end. Owned and called by one Runner thread. Connects by itself when it must.
class Uplink {
 public:
  virtual ~Uplink() = default;
  /// False: nothing of that lane is for this far end, and it is never sent any.
  virtual bool carries(Lane) const { return true; }
  /// Ok while the far end can be reached. Begins to connect when it must, and waits a moment for that.
  virtual Status reach(std::stop_token stop) = 0;
  /// Of a far end that can be reached.
  virtual Notice notice() const { return {}; }
  /// False: samples of the series are not for it, but in snapshots.
  virtual bool wants(SeriesId) { return true; }
  /// Sends the parcels in order. Ok only when the far end holds every one of them (PUBACK, 2xx); on an error the
  /// caller sends all of them again later, so the far end sees each at least once, with its id `gateway/epoch/seq` (of
  /// a part `gateway/epoch/seq/first`). Errc::invalid: the far end will never take one of them. Errc::interrupted: it
  /// was there and went away while they were on their way, which may be its way to refuse one.
  virtual Status send(Lane lane, std::span<const Parcel> parcels, std::stop_token stop) = 0;
};

struct Context {
  std::string name;     ///< of its section
  std::string gateway;  ///< the gateway's name
  std::string epoch;    ///< the journal's
  const journal::Catalogue& catalogue;
};

struct UplinkType {
  std::string name;
  std::string doc;
  config::Shape options;
  std::unique_ptr<Uplink> (*make)(const config::Node& section, const Context& context, config::Problems& problems);
};

/// The type that the messages of rules may go to.
inline constexpr std::string_view kMessagesType = "mqtt_messages";

const std::vector<UplinkType>& types();
const UplinkType* find_type(std::string_view name);
config::Shape uplink_shape();

}  // namespace tidegate::uplink
