#include "gateway/config/schema.h"

#include <gmock/gmock.h>

#include "gateway/config/rule.h"
#include "tests/gateway/config/sample_shape.h"

namespace tidegate::config {
namespace {

using testing::HasSubstr;

TEST(Size, KnowsDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_size("64MB"), 64'000'000u);
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("1.5GiB"), 3ULL << 29);
  EXPECT_EQ(parse_size("10kB"), 10'000u);
  EXPECT_EQ(parse_size("10KB"), 10'000u);
  EXPECT_EQ(parse_size("1KiB"), 1024u);
  EXPECT_EQ(parse_size("0B"), 0u);
}

TEST(Size, RefusesEverythingElse) {
  for (const char* text :
       {"", "5", "MB", "5 MB", "5mb", "5M", "-5MB", "+5MB", "0x5MB", "1e99GB", "5MBs", " 5MB", ".5MB", "infB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Size, TextReadsBackAsTheSame) {
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 999ULL, 1000ULL, 1024ULL, 64'000'000ULL, 64ULL << 20, 1ULL << 40, (1ULL << 40) + 1}) {
    EXPECT_EQ(parse_size(size_text(bytes)), bytes) << size_text(bytes);
  }
}

TEST(QuantityText, IsANumberAndMaybeAUnit) {
  struct Case {
    const char* text;
    double value;
    const char* unit;
  };
  for (const auto& [text, value, unit] : {Case{"90 °C", 90, "°C"},
                                          {"90°C", 90, "°C"},
                                          {"-5.5", -5.5, ""},
                                          {"1e3 m3/h", 1000, "m3/h"},
                                          {"50%", 50, "%"},
                                          {" 7  bar ", 7, "bar"},
                                          {"3 eV", 3, "eV"},
                                          {"3e", 3, "e"},
                                          {"+2 K", 2, "K"}}) {
    const auto quantity = parse_quantity(text);
    ASSERT_TRUE(quantity) << text;
    EXPECT_EQ(quantity->value, value) << text;
    EXPECT_EQ(quantity->unit, unit) << text;
  }
}

TEST(QuantityText, RefusesEverythingElse) {
  for (const char* text :
       {"", "°C", "hot", "90 10", "90,5", "1_000", "12:30", "1e999", ".5", "nan", "inf", "5 \x01", "- 5"}) {
    EXPECT_FALSE(parse_quantity(text)) << text;
  }
}

TEST(JsonSchema, DescribesWhatAnEditorNeeds) {
  const std::string schema = json_schema(sample_shape(), "Tidegate");
  EXPECT_THAT(schema, HasSubstr("\"$schema\": \"https://json-schema.org/draft/2020-12/schema\""));
  EXPECT_THAT(schema, HasSubstr("\"const\": \"mqtt\""));
  EXPECT_THAT(schema, HasSubstr("\"description\": \"How often it is read.\""));
  EXPECT_THAT(schema, HasSubstr("\"default\": \"2s\""));
  EXPECT_THAT(schema, HasSubstr("\"default\": true"));
  EXPECT_THAT(schema, HasSubstr("\"additionalProperties\": false"));
}

TEST(Markdown, HasASectionForEveryMapWithItsKeys) {
  const std::string reference = markdown(sample_shape());
  EXPECT_THAT(reference, HasSubstr("## `storage`\n"));
  EXPECT_THAT(reference, HasSubstr("## `sources[]`\n\nWhere samples come from.\n"));
  EXPECT_THAT(reference, HasSubstr("## `sources[]` with `type: mqtt`\n\nA broker.\n"));
  EXPECT_THAT(reference, HasSubstr("## `sources[].subscriptions[].payload` with `format: json`\n"));
  EXPECT_THAT(
      reference,
      HasSubstr("| `max_size` | a size between 1MiB and 1024GiB (such as 64MB or 2GiB) | `1GiB` | Disk space. |\n"));
  EXPECT_THAT(reference, HasSubstr("| `password` | secret text |  | To log in. |\n"));
}

}  // namespace
}  // namespace tidegate::config
