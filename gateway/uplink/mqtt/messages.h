#pragma once

#include "gateway/uplink/uplink.h"

namespace tidegate::uplink::mqtt {

/// To an MQTT broker: the messages that rules ask for in their `publish`, as they are, QoS 1. It carries alerts alone.
UplinkType messages_type();

}  // namespace tidegate::uplink::mqtt
