#include "drivers/payload.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::mqtt {
namespace {

/// The leaves as "path=value" in order, or "error: why".
std::string leaves(std::string_view payload, Format format = Format::automatic, PayloadLimits limits = {}) {
  Decoder decoder(limits);
  const auto decoded = decoder.decode(payload, format);
  if (!decoded) return "error: " + decoded.error().text;
  std::string out;
  for (const Leaf& leaf : *decoded) {
    if (!out.empty()) out += ' ';
    if (!leaf.path.empty()) out += std::string(leaf.path) + "=";
    switch (leaf.type) {
      case Leaf::Type::number:
        out += number_text(leaf.number);
        break;
      case Leaf::Type::boolean:
        out += leaf.number != 0 ? "true" : "false";
        break;
      case Leaf::Type::text:
        out += "'" + std::string(leaf.text) + "'";
        break;
      case Leaf::Type::null:
        out += "null";
        break;
      case Leaf::Type::not_a_number:
        out += "NaN";
        break;
    }
  }
  return out;
}

TEST(Payload, IsANumberHoweverItIsWritten) {
  EXPECT_EQ(leaves("21.5"), "21.5");
  EXPECT_EQ(leaves(" -3\n"), "-3");
  EXPECT_EQ(leaves("+1e3"), "1000");
  EXPECT_EQ(leaves("1e-400"), "0");
  EXPECT_EQ(leaves("18446744073709551616"), "1.8446744073709552e+19");
}

TEST(Payload, BeyondADoubleIsNotANumber) {
  for (const char* text : {"nan", "NaN", "inf", "-Infinity", "1e400", "-1e400"}) EXPECT_EQ(leaves(text), "NaN") << text;
  EXPECT_EQ(leaves(R"({"a":NaN,"b":-Infinity,"c":1e400,"d":nan,"e":1})"), "a=NaN b=NaN c=NaN d=NaN e=1");
}

TEST(Payload, GivesEveryLeafOfJsonWithItsPath) {
  EXPECT_EQ(leaves(R"({"a":1,"b":{"c":[1,{"d":true}]},"s":"x","n":null})"), "a=1 b/c/0=1 b/c/1/d=true s='x' n=null");
  EXPECT_EQ(leaves("[]"), "");
  EXPECT_EQ(leaves("{}"), "");
  EXPECT_EQ(leaves("[1,[2]]"), "0=1 1/0=2");
}

TEST(Payload, WithANameThatNoSeriesCanHaveIsRefused) {
  const std::string longest(kMaxPathBytes - 2, 'k');
  EXPECT_EQ(leaves("{\"" + longest + "\":{\"a\":1}}"), longest + "/a=1");
  const std::string refused = "error: a value's name is longer than 255 bytes";
  EXPECT_EQ(leaves("{\"" + longest + "\":{\"ab\":1}}"), refused);
  EXPECT_EQ(leaves("{\"" + std::string(200'000, 'k') + "\":{\"a\":1,\"b\":2}}"), refused);
}

TEST(Payload, OfZigbee2MqttTasmotaAndShellyIsRead) {
  EXPECT_EQ(
      leaves(R"({"battery":97,"humidity":44.9,"linkquality":134,"temperature":-18.37,"update":{"state":"idle"}})"),
      "battery=97 humidity=44.9 linkquality=134 temperature=-18.37 update/state='idle'");
  EXPECT_EQ(
      leaves(R"({"Time":"2026-03-01T12:00:00","DS18B20":{"Id":"0316A2797A2F","Temperature":21.3},"TempUnit":"C"})"),
      "Time='2026-03-01T12:00:00' DS18B20/Id='0316A2797A2F' DS18B20/Temperature=21.3 TempUnit='C'");
  EXPECT_EQ(
      leaves(
          R"({"id":0,"source":"init","output":true,"apower":8.9,"aenergy":{"by_minute":[0.0,1.5],"minute_ts":1668594000}})"),
      "id=0 source='init' output=true apower=8.9 aenergy/by_minute/0=0 aenergy/by_minute/1=1.5 "
      "aenergy/minute_ts=1668594000");
}

TEST(Payload, WithoutStructureIsTextOrAWord) {
  EXPECT_EQ(leaves("on"), "'on'");
  EXPECT_EQ(leaves("true"), "true");
  EXPECT_EQ(leaves("21.5 C"), "'21.5 C'");
  EXPECT_EQ(leaves("\"idle\"", Format::json), "'idle'");
  EXPECT_EQ(leaves("null", Format::json), "null");
  EXPECT_EQ(leaves("21.5", Format::text), "'21.5'");
  EXPECT_EQ(leaves("{not json", Format::text), "'{not json'");
}

TEST(Payload, ThatIsEmptyHoldsNothing) {
  EXPECT_EQ(leaves(""), "");
  EXPECT_EQ(leaves("  \n"), "");
}

TEST(Payload, ThatIsBrokenIsRefusedWhole) {
  for (const char* text : {R"({"a":1)", R"({"a":1} x)", R"({"a":1}})", R"({"a":nul})", R"({"a":tru})", R"({"a":1,})",
                           R"({"a" 1})", "[1,2,]", R"({"a":"\ud800"})", R"({"a":+1})", R"({"a":1 2})", R"({"a":"open})",
                           "{\"a\":\"\xff\"}", "{", "[", R"({"a":--1})", R"({"a":infinite})"}) {
    EXPECT_TRUE(leaves(text).starts_with("error: not valid JSON")) << text << " -> " << leaves(text);
  }
  EXPECT_TRUE(leaves("on", Format::json).starts_with("error: not valid JSON"));
  EXPECT_EQ(leaves("\xff\xfe"), "error: neither a number nor text in UTF-8");
}

TEST(Payload, IsHeldToItsLimits) {
  EXPECT_EQ(leaves("123456", Format::number, {.max_bytes = 5}), "error: 6 bytes; at most 5 are taken (max_payload)");
  EXPECT_EQ(leaves("[[[1]]]", Format::json, {.max_depth = 2}), "error: nested deeper than 2 levels");
  EXPECT_EQ(leaves("[[1]]", Format::json, {.max_depth = 2}), "0/0=1");
  EXPECT_EQ(leaves("[1,2,3]", Format::json, {.max_values = 2}), "error: more than 2 values in one message");
  EXPECT_TRUE(leaves(std::string(200'000, '['), Format::json).starts_with("error: "));
}

TEST(Payload, DecodesOneAfterTheOtherWithOneDecoder) {
  Decoder decoder({});
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(decoder.decode(R"({"a":1,"b":)", Format::json));
    const auto decoded = decoder.decode(R"({"long name of a field":1,"t":"text"})", Format::json);
    ASSERT_TRUE(decoded);
    ASSERT_EQ(decoded->size(), 2u);
    EXPECT_EQ((*decoded)[0].path, "long name of a field");
    EXPECT_EQ((*decoded)[1].text, "text");
  }
}

Leaf number(double value) { return {{Leaf::Type::number, value, ""}, ""}; }
Leaf text(std::string_view value) { return {{Leaf::Type::text, 0, value}, ""}; }
const Timestamp kNow = *parse_rfc3339("2026-03-01T12:00:00Z");

TEST(DeviceTime, IsReadInEachFormat) {
  EXPECT_EQ(rfc3339(*time_of(number(1772366399), TimeFormat::seconds, kNow)), "2026-03-01T11:59:59Z");
  EXPECT_EQ(rfc3339(*time_of(number(1772366399.25), TimeFormat::seconds, kNow)), "2026-03-01T11:59:59.250Z");
  EXPECT_EQ(rfc3339(*time_of(number(1772366399250), TimeFormat::milliseconds, kNow)), "2026-03-01T11:59:59.250Z");
  EXPECT_EQ(rfc3339(*time_of(text("2026-03-01T13:59:59+02:00"), TimeFormat::rfc3339, kNow)), "2026-03-01T11:59:59Z");
  EXPECT_EQ(rfc3339(*time_of(number(1772366399), TimeFormat::automatic, kNow)), "2026-03-01T11:59:59Z");
  EXPECT_EQ(rfc3339(*time_of(number(1772366399250), TimeFormat::automatic, kNow)), "2026-03-01T11:59:59.250Z");
  EXPECT_EQ(rfc3339(*time_of(text("1772366399"), TimeFormat::seconds, kNow)), "2026-03-01T11:59:59Z");
}

TEST(DeviceTime, ThatIsNotSaneIsNone) {
  EXPECT_FALSE(time_of(number(0), TimeFormat::seconds, kNow));
  EXPECT_FALSE(time_of(number(1772366399250), TimeFormat::seconds, kNow));
  EXPECT_FALSE(time_of(number(1772366400 + 3600), TimeFormat::seconds, kNow));
  EXPECT_FALSE(time_of(number(1e308), TimeFormat::seconds, kNow));
  EXPECT_FALSE(time_of(number(-1e308), TimeFormat::milliseconds, kNow));
  EXPECT_FALSE(time_of(text("yesterday"), TimeFormat::rfc3339, kNow));
  EXPECT_FALSE(time_of(number(1772366399), TimeFormat::rfc3339, kNow));
  EXPECT_FALSE(time_of({{Leaf::Type::null, 0, ""}, ""}, TimeFormat::automatic, kNow));
}

TEST(DeviceTime, IsBelievedByABoxThatDoesNotKnowTheTime) {
  EXPECT_TRUE(time_of(number(1772366399), TimeFormat::seconds, *parse_rfc3339("1970-01-01T00:01:00Z")));
}

TEST(JsonPointer, IsAPathOfLeaves) {
  EXPECT_EQ(*path_of_pointer("/battery/voltage"), "battery/voltage");
  EXPECT_EQ(*path_of_pointer("/a~1b/~0c/0"), "a/b/~c/0");
  for (const char* wrong : {"", "/", "battery", "/a~", "/a~2"}) EXPECT_FALSE(path_of_pointer(wrong)) << wrong;
}

TEST(BooleanWord, IsOneOfAFew) {
  EXPECT_EQ(boolean_word("ON"), true);
  EXPECT_EQ(boolean_word("No"), false);
  EXPECT_EQ(boolean_word("open"), std::nullopt);
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

// The values of RFC 8949's appendix A.
TEST(Payload, ReadsCbor) {
  EXPECT_EQ(leaves(bytes({0xa2, 0x61, 'a', 1, 0x61, 'b', 0x82, 2, 3}), Format::cbor), "a=1 b/0=2 b/1=3");
  EXPECT_EQ(leaves(bytes({0x18, 100}), Format::cbor), "100");
  EXPECT_EQ(leaves(bytes({0x39, 0x03, 0xe7}), Format::cbor), "-1000");
  EXPECT_EQ(leaves(bytes({0x3b, 255, 255, 255, 255, 255, 255, 255, 255}), Format::cbor), "-1.8446744073709552e+19");
  EXPECT_EQ(leaves(bytes({0xf9, 0x3e, 0}), Format::cbor), "1.5");
  EXPECT_EQ(leaves(bytes({0xfa, 0x47, 0xc3, 0x50, 0}), Format::cbor), "100000");
  EXPECT_EQ(leaves(bytes({0xfb, 0xc0, 0x10, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66}), Format::cbor), "-4.1");
  EXPECT_EQ(leaves(bytes({0xf9, 0x7e, 0}), Format::cbor), "NaN");
  EXPECT_EQ(leaves(bytes({0x84, 0xf4, 0xf5, 0xf6, 0xf7}), Format::cbor), "0=false 1=true 2=null 3=null");
  // Of no length given before: a map, an array in it, a text in parts.
  EXPECT_EQ(leaves(bytes({0xbf, 0x61, 'a',  1,   0x61, 'b',  0x9f, 2,   3,    0xff, 0x61,
                          'c',  0x7f, 0x62, 'o', 'p',  0x62, 'e',  'n', 0xff, 0xff}),
                   Format::cbor),
            "a=1 b/0=2 b/1=3 c='open'");
  // Byte strings are no values, but have their place; a tag says more of the value behind it.
  EXPECT_EQ(leaves(bytes({0x83, 0x41, 7, 0xc1, 5, 0x5f, 0x41, 7, 0xff}), Format::cbor), "1=5");
  EXPECT_EQ(leaves(bytes({0xa1, 0x21, 0x80}), Format::cbor), "");
  EXPECT_EQ(leaves(bytes({0xa1, 0x21, 0x81, 0x05}), Format::cbor), "-2/0=5");
  EXPECT_EQ(leaves("", Format::cbor), "");
}

TEST(Payload, RefusesWhatIsNoCbor) {
  EXPECT_EQ(leaves(bytes({0xa1, 0x61, 'a'}), Format::cbor), "error: not valid CBOR: it ends too early");
  EXPECT_EQ(leaves(bytes({0x9b, 255, 255, 255, 255, 255, 255, 255, 255}), Format::cbor),
            "error: not valid CBOR: it ends too early");
  EXPECT_EQ(leaves(bytes({1, 2}), Format::cbor), "error: not valid CBOR: something stands behind the end");
  EXPECT_EQ(leaves(bytes({0xff}), Format::cbor), "error: not valid CBOR: an end where nothing ends");
  EXPECT_EQ(leaves(bytes({0xbf, 0x61, 'a', 0xff}), Format::cbor), "error: not valid CBOR: an end where nothing ends");
  EXPECT_EQ(leaves(bytes({0xa1, 0x80, 1}), Format::cbor), "error: a key is neither text nor a whole number");
  EXPECT_EQ(leaves(bytes({0x61, 0xff}), Format::cbor), "error: a text is not UTF-8");
  EXPECT_EQ(leaves(bytes({0x7f, 0x7f, 0xff, 0xff}), Format::cbor), "error: not valid CBOR: a string within a string");
  EXPECT_EQ(leaves(bytes({0xc4, 0x82, 0x21, 0x19, 0x6a, 0xb3}), Format::cbor),
            "error: tag 4, a decimal fraction, is not read");
  EXPECT_EQ(leaves(bytes({0x1c}), Format::cbor), "error: not valid CBOR: at byte 0");
}

TEST(Payload, ReadsMessagePack) {
  EXPECT_EQ(leaves(bytes({0x83, 0xa1, 'a', 1, 0xa1, 'b', 0x92, 2, 0xc3, 0xa1, 'c', 0xa4, 'o', 'p', 'e', 'n'}),
                   Format::msgpack),
            "a=1 b/0=2 b/1=true c='open'");
  EXPECT_EQ(leaves(bytes({0xd1, 0xfc, 0x18}), Format::msgpack), "-1000");
  EXPECT_EQ(leaves(bytes({0xcf, 255, 255, 255, 255, 255, 255, 255, 255}), Format::msgpack), "1.8446744073709552e+19");
  EXPECT_EQ(leaves(bytes({0xca, 0x7f, 0xc0, 0, 0}), Format::msgpack), "NaN");
  EXPECT_EQ(leaves(bytes({0x93, 0xc4, 1, 7, 0xc0, 0xd4, 5, 7}), Format::msgpack), "1=null");
  EXPECT_EQ(leaves(bytes({0x92, 1}), Format::msgpack), "error: not valid MessagePack: at byte 3");
  EXPECT_EQ(leaves(bytes({1, 2}), Format::msgpack), "error: not valid MessagePack: at byte 2");
  EXPECT_EQ(leaves(bytes({0xc1}), Format::msgpack), "error: not valid MessagePack: at byte 1");
  EXPECT_EQ(leaves(bytes({0xa1, 0xff}), Format::msgpack), "error: a text is not UTF-8");
}

TEST(Payload, BoundsBinaryFormats) {
  PayloadLimits limits{1 << 20, 4, 8};
  const std::string deep(200'000, '\x81');  // an array of one, in CBOR and as a map of one in MessagePack
  EXPECT_EQ(leaves(deep, Format::cbor, limits), "error: nested deeper than 4 levels");
  EXPECT_EQ(leaves(std::string(200'000, '\x91'), Format::msgpack, limits), "error: nested deeper than 4 levels");
  // What needs no depth of ours: tags before tags.
  EXPECT_EQ(leaves(std::string(200'000, '\xc1') + '\x05', Format::cbor, limits), "5");
  EXPECT_EQ(leaves(bytes({0x89, 1, 2, 3, 4, 5, 6, 7, 8, 9}), Format::cbor, limits),
            "error: more than 8 values in one message");
  EXPECT_EQ(leaves(bytes({0x99, 1, 2, 3, 4, 5, 6, 7, 8, 9}), Format::msgpack, limits),
            "error: more than 8 values in one message");
}

TEST(Payload, ReadsLineProtocol) {
  EXPECT_EQ(
      leaves("cpu,host=a,cpu=cpu0 idle=98.5,busy=t,note=\"a \\\"b\\\"\"\nmem used=5i,c#=1", Format::line_protocol),
      "cpu/cpu0/a/idle=98.5 cpu/cpu0/a/busy=true cpu/cpu0/a/note='a \"b\"' mem/used=5 mem/c%23=1");
  EXPECT_EQ(leaves("cpu idle=98.5\ncpu idle=\n", Format::line_protocol).substr(0, 21), "error: line 2, column");
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
