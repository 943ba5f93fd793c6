#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal {

/// A batch's samples as bytes: columns (series, time, quality and reason, value), compressed, with a version and a
/// checksum; the grammar is in docs/journal-format.md. Lossless, order kept.
std::string encode(std::span<const Sample> samples);
/// Errc::corrupt for any byte string that encode() did not make; never reads outside it, never allocates more than
/// its own header justifies.
Result<std::vector<Sample>> decode(std::string_view bytes);

}  // namespace tidegate::journal
