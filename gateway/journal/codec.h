#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal {

/// The most samples that one batch may hold: what bounds the memory that any stored bytes can ask for.
constexpr std::size_t kMaxBatchSamples = 1u << 20;

/// A batch's samples as bytes: columns (series, time, quality and reason, value), compressed, with a version and a
/// checksum; the grammar is in docs/journal-format.md. Lossless to the bit, order kept. At most kMaxBatchSamples.
std::string encode(std::span<const Sample> samples);
/// Errc::corrupt for any byte string that encode() did not make; never reads outside it, never allocates more than
/// its own header justifies.
Result<std::vector<Sample>> decode(std::string_view bytes);
/// The same into a vector whose capacity is used again (cleared first; empty after an error).
Status decode(std::string_view bytes, std::vector<Sample>& samples);

}  // namespace tidegate::journal
