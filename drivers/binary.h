#pragma once

#include <string_view>

#include "drivers/leaves.h"

namespace tidegate::drivers {

/// One item of CBOR (RFC 8949) or MessagePack. What is wrong is in `out`. Byte strings and extensions are no values and
/// are left out. Texts of leaves stand in the payload. Neither takes memory that the payload does not fill, nor a
/// deeper stack than its depth is allowed.
void walk_cbor(std::string_view payload, Leaves& out);
void walk_msgpack(std::string_view payload, Leaves& out);

}  // namespace tidegate::drivers
