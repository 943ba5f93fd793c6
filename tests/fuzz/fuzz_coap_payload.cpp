// A CoAP server's answer as text, JSON or CBOR, down to a reading. The first byte says as which.

#include <cmath>
#include <cstdint>

#include "drivers/coap/payload.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate::drivers;
  using tidegate::fuzz::must;
  if (size == 0) return 0;
  constexpr coap::Format kFormats[] = {coap::Format::text, coap::Format::json, coap::Format::cbor};
  const char* pointers[] = {"", "/t", "/0", "/a/b"};
  std::string text;
  const auto read = coap::parse_payload({reinterpret_cast<const char*>(bytes) + 1, size - 1}, kFormats[bytes[0] % 3u],
                                        pointers[(bytes[0] >> 2u) % 4u], text);
  if (read) {
    must(std::isfinite(read->number));
    must(tidegate::valid_utf8(read->text));
  } else {
    must(!read.error().text.empty());
  }
  return 0;
}
