#pragma once

#include <string>
#include <vector>

#include "dashboard/server.h"
#include "gateway/core/event.h"
#include "gateway/core/metrics.h"

namespace tidegate::dashboard {

/// Prometheus text format 0.0.4 of the gateway's own metrics, its sources, uplinks and alerts. Names and units by
/// Prometheus' conventions: base units, the unit as suffix, `_total` on counters.
std::string metrics_text(const Metrics& metrics, const GatewayView& view, const std::vector<AlertRecord>& alerts,
                         const std::string& version);

}  // namespace tidegate::dashboard
