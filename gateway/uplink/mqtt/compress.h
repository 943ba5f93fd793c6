#pragma once

#include <string>
#include <string_view>

namespace tidegate::uplink::mqtt {

enum class Compression : unsigned char { none, gzip, zstd };

/// RFC 1952 or RFC 8878; the text itself for `none`.
std::string compress(std::string text, Compression how);

}  // namespace tidegate::uplink::mqtt
