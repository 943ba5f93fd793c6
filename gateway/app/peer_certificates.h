#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/server.h"
#include "gateway/core/metrics.h"

namespace tidegate::app {

/// Tells of the certificates of brokers and servers 30, 7 and 1 days before they end, and when they have, as the
/// dashboard's own is told of. When they end stands in the metrics. Main thread.
class PeerCertificates {
 public:
  /// What is news, a sentence each. `now`: none while nobody has set the clock.
  std::vector<std::string> look(const dashboard::GatewayView& view, const Metrics& metrics,
                                std::optional<Timestamp> now);

 private:
  std::map<std::string, int> told_;  ///< how urgently, by "source/NAME" or "uplink/NAME"
};

}  // namespace tidegate::app
