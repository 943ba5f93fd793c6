#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gateway/journal/bytes.h"

namespace tidegate::journal {

/// A column of numbers in the smallest of three encodings: one constant, a varint each, or blocks of 128 with a common
/// minimum and bit width ("frame of reference"). The grammar is in docs/journal-format.md.
void put_column(std::string& out, std::span<const std::uint64_t> values);
/// Fills all of `values`; false where the bytes are not such a column.
bool take_column(ByteReader& in, std::span<std::uint64_t> values);

/// A column of 64-bit patterns as eight planes of bytes, lowest first; a plane of zeros takes no space.
void put_planes(std::string& out, std::span<const std::uint64_t> values);
bool take_planes(ByteReader& in, std::span<std::uint64_t> values);

}  // namespace tidegate::journal
