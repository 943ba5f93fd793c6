#pragma once

#include "drivers/snmp/session.h"

struct snmp_pdu;

namespace tidegate::drivers::snmp {

/// What the library has read of a response, as ours. Of what it has read of somebody's bytes nothing is believed.
Answer decode(const snmp_pdu& pdu);

}  // namespace tidegate::drivers::snmp
