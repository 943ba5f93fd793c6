#include "drivers/snmp/varbind.h"

#include <net-snmp/net-snmp-config.h>
// The order matters to the library.
#include <fmt/format.h>
#include <net-snmp/net-snmp-includes.h>

#include <algorithm>

namespace tidegate::drivers::snmp {
namespace {

Oid oid_of(const oid* numbers, std::size_t count) {
  std::vector<std::uint32_t> own;
  own.reserve(count);
  for (std::size_t i = 0; i < count; ++i) own.push_back(static_cast<std::uint32_t>(numbers[i]));
  return Oid(std::move(own));
}

void number(Varbind& out, double value, Varbind::Type type = Varbind::Type::number) {
  out.type = type;
  out.number = value;
}

double wide(const counter64& value) {
  constexpr double kHigh = 4294967296.0;
  return static_cast<double>(value.high & 0xFFFFFFFFu) * kHigh + static_cast<double>(value.low & 0xFFFFFFFFu);
}

void nothing(Varbind& out, const char* why) { out.text = why; }

// Whether the value's bytes are there is looked at first: the library leaves it null where a length is 0.
void decode_value(const variable_list& from, Varbind& out) {
  constexpr double kTicksInSecond = 100;
  switch (from.type) {
    case SNMP_NOSUCHOBJECT:
      return nothing(out, "the agent has no such object");
    case SNMP_NOSUCHINSTANCE:
      return nothing(out, "the agent has the object, but not this instance of it");
    case SNMP_ENDOFMIBVIEW:
      return nothing(out, "there is nothing behind it in the agent");
    case ASN_NULL:
      return nothing(out, "the agent has no value");
    case ASN_OCTET_STR:
    case ASN_OPAQUE:
      out.type = Varbind::Type::text;
      if (from.val.string != nullptr) out.text.assign(reinterpret_cast<const char*>(from.val.string), from.val_len);
      return;
    default:
      break;
  }
  if (from.val.string == nullptr) return nothing(out, "the agent's value is empty");
  switch (from.type) {
    case ASN_INTEGER:
      return number(out, static_cast<double>(static_cast<std::int32_t>(*from.val.integer)));
    case ASN_GAUGE:
    case ASN_UINTEGER:
      return number(out, static_cast<double>(static_cast<std::uint32_t>(*from.val.integer)));
    case ASN_TIMETICKS:
      return number(out, static_cast<double>(static_cast<std::uint32_t>(*from.val.integer)) / kTicksInSecond);
    case ASN_COUNTER:
      return number(out, static_cast<double>(static_cast<std::uint32_t>(*from.val.integer)), Varbind::Type::counter32);
    case ASN_COUNTER64:
    case ASN_OPAQUE_COUNTER64:
      return number(out, wide(*from.val.counter64), Varbind::Type::counter64);
    case ASN_OPAQUE_U64:
      return number(out, wide(*from.val.counter64));
    case ASN_OPAQUE_I64:
      return number(out, static_cast<double>(static_cast<std::int64_t>(
                             (static_cast<std::uint64_t>(from.val.counter64->high) << 32u) |
                             (static_cast<std::uint64_t>(from.val.counter64->low) & 0xFFFFFFFFu))));
    case ASN_OPAQUE_FLOAT:
      return number(out, static_cast<double>(*from.val.floatVal));
    case ASN_OPAQUE_DOUBLE:
      return number(out, *from.val.doubleVal);
    case ASN_OBJECT_ID:
      out.type = Varbind::Type::text;
      out.text = oid_of(from.val.objid, from.val_len / sizeof(oid)).text();
      return;
    case ASN_IPADDRESS:
      if (from.val_len != 4) return nothing(out, "the agent's address has not four bytes");
      out.type = Varbind::Type::text;
      out.text =
          fmt::format("{}.{}.{}.{}", from.val.string[0], from.val.string[1], from.val.string[2], from.val.string[3]);
      return;
    default:
      return nothing(out, "the agent's value is of an unknown type");
  }
}

}  // namespace

Answer decode(const snmp_pdu& pdu) {
  Answer answer;
  answer.error = static_cast<int>(pdu.errstat);
  answer.at = static_cast<std::size_t>(std::max(pdu.errindex, 0L));
  for (const variable_list* from = pdu.variables; from != nullptr; from = from->next_variable) {
    Varbind& out = answer.varbinds.emplace_back();
    out.oid = oid_of(from->name, from->name_length);
    decode_value(*from, out);
  }
  return answer;
}

std::string error_in_words(int error) { return snmp_errstring(error); }

}  // namespace tidegate::drivers::snmp
