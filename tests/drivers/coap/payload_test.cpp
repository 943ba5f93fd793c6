#include "drivers/coap/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/coap/client.h"

namespace tidegate::drivers::coap {
namespace {

using testing::HasSubstr;

std::string error(std::string_view payload, Format format, const std::string& pointer = "") {
  std::string text;
  const auto read = parse_payload(payload, format, pointer, text);
  return read ? "" : read.error().text;
}

Reading read(std::string_view payload, Format format, const std::string& pointer, std::string& text) {
  const auto made = parse_payload(payload, format, pointer, text);
  EXPECT_TRUE(made) << payload << ": " << (made ? "" : made.error().text);
  return made.value_or(Reading{});
}

TEST(CoapPayload, IsANumberOrAText) {
  std::string text;
  EXPECT_EQ(read(" 21.5\n", Format::text, "", text).number, 21.5);
  EXPECT_EQ(read("open", Format::text, "", text).text, "open");
  EXPECT_THAT(error("", Format::text), HasSubstr("empty"));
  EXPECT_THAT(error("\xff\xfe", Format::text), HasSubstr("no text"));
  EXPECT_THAT(error(std::string(kMostPayload + 1, '1'), Format::text), HasSubstr("4096"));
}

TEST(CoapPayload, IsReadAtAPointer) {
  std::string text;
  const char* json = R"({"t": 21.5, "on": true, "s": [{"v": -3}, null], "w": "warm"})";
  EXPECT_EQ(read(json, Format::json, "/t", text).number, 21.5);
  EXPECT_EQ(read(json, Format::json, "/on", text).type, Reading::Type::boolean);
  EXPECT_EQ(read(json, Format::json, "/s/0/v", text).number, -3);
  EXPECT_EQ(read(json, Format::json, "/s/1", text).type, Reading::Type::null);
  EXPECT_EQ(read(json, Format::json, "/w", text).text, "warm");
  for (const char* nowhere : {"/x", "/s/7", "/s/-", "/s/v", "/t/x"}) {
    EXPECT_THAT(error(json, Format::json, nowhere), HasSubstr("nothing at")) << nowhere;
  }
  EXPECT_THAT(error(json, Format::json, "/s"), HasSubstr("no value"));
  EXPECT_THAT(error("{", Format::json), HasSubstr("no JSON"));
}

TEST(CoapPayload, IsCborToo) {
  std::string text;
  const std::string map("\xA1\x61t\xFB\x40\x35\x80\x00\x00\x00\x00\x00", 12);
  EXPECT_EQ(read(map, Format::cbor, "/t", text).number, 21.5);
  EXPECT_THAT(error(std::string(kMostPayload, '\x81'), Format::cbor), HasSubstr("no CBOR"));
  EXPECT_THAT(error("\xA1", Format::cbor), HasSubstr("no CBOR"));
  EXPECT_THAT(error("\xA1\x02\xF9\x4D\x60", Format::cbor, "/2"), HasSubstr("no CBOR"));  // {2: 21.5}, as SenML has it
}

}  // namespace
}  // namespace tidegate::drivers::coap
