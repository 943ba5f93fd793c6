// What a thermometer's file says: a temperature that it can measure, or why there is none.

#include <cstdint>
#include <string_view>

#include "drivers/onewire/thermometer.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using tidegate::fuzz::must;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto read = tidegate::drivers::onewire::parse_thermometer(text);
  if (read) {
    must(*read >= -55 && *read <= 125 && text.find(" YES") != std::string_view::npos);
  } else {
    must(!read.error().text.empty() && tidegate::valid_utf8(read.error().text));
  }
  return 0;
}
