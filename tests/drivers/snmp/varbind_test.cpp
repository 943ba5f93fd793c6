#include "drivers/snmp/varbind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net-snmp/net-snmp-config.h>
// The order matters to the library.
#include <net-snmp/net-snmp-includes.h>

#include <cmath>
#include <memory>

#include "drivers/snmp/reading.h"

// Responses as they come, byte by byte, read by the library and then by us.
namespace tidegate::drivers::snmp {
namespace {

using testing::HasSubstr;
using Type = Varbind::Type;
using Bytes = std::string;

Bytes tlv(unsigned char tag, const Bytes& value) {
  Bytes all(1, static_cast<char>(tag));
  if (value.size() > 127) all += '\x81';
  return all + static_cast<char>(value.size()) + value;
}
Bytes bytes(std::initializer_list<int> values) {
  Bytes all;
  for (const int value : values) all += static_cast<char>(value);
  return all;
}
const Bytes kOid = bytes({0x06, 0x04, 0x2B, 0x06, 0x01, 0x05});  // 1.3.6.1.5

Bytes response(const Bytes& varbinds, int error = 0, int at = 0) {
  return tlv(0xA2, bytes({2, 1, 9, 2, 1, error, 2, 1, at}) + tlv(0x30, varbinds));
}

std::optional<Answer> read(Bytes message) {
  const std::unique_ptr<netsnmp_pdu, decltype(&snmp_free_pdu)> pdu(snmp_pdu_create(SNMP_MSG_RESPONSE), snmp_free_pdu);
  std::size_t size = message.size();
  if (snmp_pdu_parse(pdu.get(), reinterpret_cast<u_char*>(message.data()), &size) != 0) return std::nullopt;
  return decode(*pdu);
}

// Of one object whose value's bytes these are.
std::optional<Varbind> read_value(const Bytes& value) {
  const auto answer = read(response(tlv(0x30, kOid + value)));
  if (!answer || answer->varbinds.size() != 1) return std::nullopt;
  EXPECT_EQ(answer->varbinds[0].oid.text(), "1.3.6.1.5");
  return answer->varbinds[0];
}

struct Number {
  const char* what;
  Bytes value;
  Type type;
  double number;
};

TEST(SnmpValues, ThatAreNumbers) {
  const auto opaque = [](int type, const Bytes& value) {
    return tlv(0x44, bytes({0x9F, type, static_cast<int>(value.size())}) + value);
  };
  for (const Number& each : {
           Number{"INTEGER", bytes({2, 1, 42}), Type::number, 42},
           {"INTEGER below 0", bytes({2, 1, 0xD8}), Type::number, -40},
           {"the least", bytes({2, 4, 0x80, 0, 0, 0}), Type::number, -2147483648.0},
           {"the most", bytes({2, 4, 0x7F, 0xFF, 0xFF, 0xFF}), Type::number, 2147483647},
           {"Counter32", bytes({0x41, 5, 0, 0xFF, 0xFF, 0xFF, 0xFA}), Type::counter32, 4294967290.0},
           {"Counter32 without its sign's byte", bytes({0x41, 4, 0xFF, 0xFF, 0xFF, 0xFA}), Type::counter32,
            4294967290.0},
           {"Gauge32", bytes({0x42, 5, 0, 0xEE, 0x6B, 0x28, 0}), Type::number, 4e9},
           {"TimeTicks", bytes({0x43, 2, 0x30, 0x39}), Type::number, 123.45},
           {"TimeTicks, the most", bytes({0x43, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF}), Type::number, 42949672.95},
           {"Unsigned32 of old", bytes({0x47, 1, 7}), Type::number, 7},
           {"Counter64", bytes({0x46, 5, 1, 0, 0, 0, 2}), Type::counter64, 4294967298.0},
           {"Counter64, the most", bytes({0x46, 9, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), Type::counter64,
            18446744073709551615.0},
           {"Opaque float", opaque(0x78, bytes({0x41, 0xBC, 0, 0})), Type::number, 23.5},
           {"Opaque double", opaque(0x79, bytes({0xC0, 0x37, 0x80, 0, 0, 0, 0, 0})), Type::number, -23.5},
           {"Opaque Counter64", opaque(0x76, bytes({1, 0, 0, 0, 3})), Type::counter64, 4294967299.0},
           {"Opaque I64", opaque(0x7A, bytes({0xFE})), Type::number, -2},
           {"Opaque U64", opaque(0x7B, bytes({1, 0, 0, 0, 4})), Type::number, 4294967300.0},
       }) {
    const auto varbind = read_value(each.value);
    ASSERT_TRUE(varbind) << each.what;
    EXPECT_EQ(varbind->type, each.type) << each.what << ": " << varbind->text;
    EXPECT_EQ(varbind->number, each.number) << each.what;
    EXPECT_FALSE(varbind->started) << each.what;
    std::string text;
    EXPECT_EQ(reading_of(*varbind, text).type, Reading::Type::number) << each.what;
    EXPECT_EQ(kind_of(*varbind), each.type == Type::number ? SeriesKind::number : SeriesKind::counter) << each.what;
  }
}

TEST(SnmpValues, ThatAreTexts) {
  for (const auto& [what, value, text, seen] : std::vector<std::tuple<const char*, Bytes, std::string, std::string>>{
           {"OCTET STRING", tlv(4, "on line"), "on line", "on line"},
           {"of UTF-8", tlv(4, "23 °C"), "23 °C", "23 °C"},
           {"of bytes", tlv(4, bytes({0, 0x1A, 0x2B})), bytes({0, 0x1A, 0x2B}), "00:1a:2b"},
           {"long", tlv(4, Bytes(200, 'x')), Bytes(200, 'x'), Bytes(200, 'x')},
           {"empty", tlv(4, ""), "", "(empty)"},
           {"Opaque of something else", tlv(0x44, bytes({4, 1, 0xFF})), bytes({4, 1, 0xFF}), "04:01:ff"},
           {"Opaque that is empty", tlv(0x44, ""), "", "(empty)"},
           {"IpAddress", tlv(0x40, bytes({192, 168, 1, 254})), "192.168.1.254", "192.168.1.254"},
           {"OBJECT IDENTIFIER", bytes({6, 3, 0x2B, 6, 1}), "1.3.6.1", "1.3.6.1"},
           {"with a large number", bytes({6, 7, 0x2B, 6, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F}), "1.3.6.4294967295",
            "1.3.6.4294967295"},
       }) {
    const auto varbind = read_value(value);
    ASSERT_TRUE(varbind) << what;
    EXPECT_EQ(varbind->type, Type::text) << what << ": " << varbind->text;
    EXPECT_EQ(varbind->text, text) << what;
    std::string shown;
    EXPECT_EQ(reading_of(*varbind, shown).text, seen) << what;
    EXPECT_EQ(kind_of(*varbind), SeriesKind::state) << what;
  }
}

TEST(SnmpValues, ThatAreNoneSayWhy) {
  for (const auto& [what, value, why] : std::vector<std::tuple<const char*, Bytes, std::string>>{
           {"NULL", bytes({5, 0}), "the agent has no value"},
           {"noSuchObject", bytes({0x80, 0}), "the agent has no such object"},
           {"noSuchInstance", bytes({0x81, 0}), "not this instance"},
           {"endOfMibView", bytes({0x82, 0}), "nothing behind it"},
       }) {
    const auto varbind = read_value(value);
    ASSERT_TRUE(varbind) << what;
    EXPECT_EQ(varbind->type, Type::nothing) << what;
    EXPECT_THAT(varbind->text, HasSubstr(why)) << what;
  }
}

// Whoever refuses them, the library or we: no number is made of them.
TEST(SnmpValues, OfAWrongLengthGiveNothing) {
  for (const auto& [what, value] : std::vector<std::pair<const char*, Bytes>>{
           {"INTEGER of none", bytes({2, 0})},
           {"Gauge32 of none", bytes({0x42, 0})},
           {"INTEGER of nine bytes", bytes({2, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9})},
           {"Counter32 of nine bytes", bytes({0x41, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9})},
           {"Counter64 of ten bytes", bytes({0x46, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9})},
           {"IpAddress of three bytes", tlv(0x40, bytes({192, 168, 1}))},
           {"IpAddress of six bytes", tlv(0x40, bytes({192, 168, 1, 1, 0, 0}))},
           {"longer than the message", bytes({4, 50, 'x'})},
           {"of an unknown type", bytes({0x5F, 1, 1})},
           {"of none at all", ""},
           {"NULL with a byte", bytes({5, 1, 1})},
       }) {
    const auto varbind = read_value(value);
    if (!varbind) continue;
    EXPECT_EQ(varbind->type, Type::nothing) << what << ": " << varbind->number << varbind->text;
    EXPECT_FALSE(varbind->text.empty()) << what;
  }
}

// The library cuts them to their lower 32 bits where its long is wider, and refuses them where it is not.
TEST(SnmpValues, OfMoreThan32BitsAreInTheirRange) {
  for (const int tag : {0x02, 0x41, 0x42, 0x43}) {
    const auto varbind = read_value(bytes({tag, 5, 1, 0xF2, 3, 4, 5}));
    EXPECT_LE(varbind ? std::abs(varbind->number) : 0, 0xF2030405) << tag;
  }
}

// What the library hands over without bytes, or with a type that it knows and we do not.
TEST(SnmpValues, WithoutBytesAreNotLookedAt) {
  for (int type = 0; type < 256; ++type) {
    variable_list variable{};
    variable.type = static_cast<u_char>(type);
    snmp_pdu pdu{};
    pdu.variables = &variable;
    const Answer answer = decode(pdu);
    ASSERT_EQ(answer.varbinds.size(), 1u);
    EXPECT_TRUE(answer.varbinds[0].oid.empty());
    const bool text = type == ASN_OCTET_STR || type == ASN_OPAQUE;
    EXPECT_EQ(answer.varbinds[0].type, text ? Type::text : Type::nothing) << type;
    EXPECT_EQ(answer.varbinds[0].text.empty(), text) << type;
  }
}

TEST(SnmpAnswers, KeepTheirOrder) {
  const Bytes other = bytes({0x06, 0x05, 0x2B, 0x06, 0x01, 0x05, 0x02});
  const auto answer = read(response(tlv(0x30, kOid + bytes({2, 1, 1})) + tlv(0x30, other + bytes({0x81, 0})) +
                                    tlv(0x30, kOid + bytes({2, 1, 3}))));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->varbinds.size(), 3u);
  EXPECT_EQ(answer->error, 0);
  EXPECT_EQ(answer->varbinds[0].number, 1);
  EXPECT_EQ(answer->varbinds[1].oid.text(), "1.3.6.1.5.2");
  EXPECT_EQ(answer->varbinds[1].type, Type::nothing);
  EXPECT_EQ(answer->varbinds[2].number, 3);
  ASSERT_TRUE(read(response("")));
  EXPECT_TRUE(read(response(""))->varbinds.empty());
}

TEST(SnmpAnswers, ThatAreErrorsSayWhichAndOfWhat) {
  const std::vector<std::string> words = {"noError",
                                          "tooBig",
                                          "noSuchName",
                                          "badValue",
                                          "readOnly",
                                          "genError",
                                          "noAccess",
                                          "wrongType",
                                          "wrongLength",
                                          "wrongEncoding",
                                          "wrongValue",
                                          "noCreation",
                                          "inconsistentValue",
                                          "resourceUnavailable",
                                          "commitFailed",
                                          "undoFailed",
                                          "authorizationError",
                                          "notWritable",
                                          "inconsistentName"};
  for (int error = 0; error < static_cast<int>(words.size()); ++error) {
    const auto answer = read(response(tlv(0x30, kOid + bytes({5, 0})), error, 1));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error, error);
    EXPECT_EQ(answer->at, 1u);
    EXPECT_THAT(error_in_words(error), HasSubstr(words[static_cast<std::size_t>(error)]));
  }
  for (const int error : {19, 127, -1, -128}) EXPECT_FALSE(error_in_words(error).empty()) << error;
  EXPECT_EQ(read(response("", 5, -1))->at, 0u) << "an index below 0 is of none of them";
}

}  // namespace
}  // namespace tidegate::drivers::snmp
