#pragma once

#include "gateway/uplink/uplink.h"

namespace tidegate::uplink::mqtt {

/// To an MQTT broker: a JSON message a batch (docs/uplink-format.md), QoS 1; a batch counts as held by the far end once
/// its PUBACK has come.
UplinkType type();

}  // namespace tidegate::uplink::mqtt
