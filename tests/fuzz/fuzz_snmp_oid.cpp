// What an agent's bytes become: texts, levels of names; and object identifiers as people write them.

#include <cstdint>
#include <string>

#include "drivers/snmp/oid.h"
#include "drivers/snmp/reading.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::drivers::snmp;
  using fuzz::must;
  const std::string text(reinterpret_cast<const char*>(bytes), size);

  if (const auto oid = Oid::parse(text)) {
    must(oid->numbers().size() >= 2 && oid->numbers().size() <= Oid::kMostNumbers);
    must(Oid::parse(oid->text()) == *oid);
    must(oid->begins_with(*oid) && oid->behind(*oid).empty());
  } else {
    must(!oid.error().text.empty() && valid_utf8(oid.error().text));
  }

  const Varbind varbind{{}, Varbind::Type::text, 0, text};
  std::string shown;
  const auto reading = reading_of(varbind, shown);
  must(!reading.text.empty() && valid_utf8(reading.text));
  must(valid_series_name(row_level(&varbind, Oid({1}))));
  return 0;
}
