#pragma once

#include <string>
#include <string_view>

#include "drivers/reading.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::coap {

enum class Format : std::uint8_t { automatic, text, json, cbor };

/// Which of them a content format (RFC 7252, 12.3) is; text where it is another.
Format format_of(unsigned content_format);
/// What a payload of at most kMostPayload bytes says; of JSON and CBOR at the JSON pointer. A text lives in `text`.
Result<Reading> parse_payload(std::string_view payload, Format format, const std::string& pointer, std::string& text);
/// "" where it is a JSON pointer (RFC 6901), else what is wrong.
std::string pointer_problem(std::string_view pointer);

}  // namespace tidegate::drivers::coap
