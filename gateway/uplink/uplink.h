#pragma once

#include <memory>
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

/// What goes upstream in one message: the announced events of one batch, or its samples; never both, because alerts go
/// before metrics.
enum class Lane : std::uint8_t { alerts, samples };

/// A far end. Owned and called by one Runner thread. Connects by itself when it must.
class Uplink {
 public:
  virtual ~Uplink() = default;
  /// Sends the batches in order. Ok only when the far end holds every one of them (PUBACK, 2xx); on an error the
  /// caller sends all of them again later, so the far end sees each at least once, with its id `gateway/epoch/seq`.
  /// Errc::invalid: the far end will never take one of them. Errc::interrupted: it was there and went away while they
  /// were on their way, which may be its way to refuse one.
  virtual Status send(Lane lane, std::span<const journal::BatchPtr> batches, std::stop_token stop) = 0;
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

const std::vector<UplinkType>& types();
const UplinkType* find_type(std::string_view name);
config::Shape uplink_shape();

}  // namespace tidegate::uplink
