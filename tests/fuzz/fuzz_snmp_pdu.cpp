// An agent's response, by the library's reading of it and ours: what becomes of its values, and of its counters.

#include <net-snmp/net-snmp-config.h>
// The order matters to the library.
#include <net-snmp/net-snmp-includes.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "drivers/snmp/counter32.h"
#include "drivers/snmp/reading.h"
#include "drivers/snmp/varbind.h"
#include "gateway/core/text.h"
#include "tests/fuzz/strict_sink.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::drivers::snmp;
  using fuzz::must;
  std::string message(reinterpret_cast<const char*>(bytes), size);

  const std::unique_ptr<netsnmp_pdu, decltype(&snmp_free_pdu)> pdu(snmp_pdu_create(SNMP_MSG_RESPONSE), snmp_free_pdu);
  if (snmp_pdu_parse(pdu.get(), reinterpret_cast<u_char*>(message.data()), &size) != 0) return 0;
  const Answer answer = decode(*pdu);
  must(!error_in_words(answer.error).empty());
  Counter32 count;
  for (const Varbind& varbind : answer.varbinds) {
    must(varbind.oid.numbers().size() <= Oid::kMostNumbers && !varbind.started);
    must(valid_series_name(row_level(&varbind, varbind.oid)));
    if (varbind.type == Varbind::Type::nothing) {
      must(!varbind.text.empty() && valid_utf8(varbind.text));
      continue;
    }
    std::string text;
    const auto reading = reading_of(varbind, text);
    must(varbind.type != Varbind::Type::text || (!reading.text.empty() && valid_utf8(reading.text)));
    if (varbind.type == Varbind::Type::counter32) {
      must(varbind.number >= 0 && varbind.number <= 0xFFFFFFFF);
      must(!count.take(varbind, Timestamp{}).has_value());  // of an agent of which nothing is known
    }
  }
  return 0;
}
