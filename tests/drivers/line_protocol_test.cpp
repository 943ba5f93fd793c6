#include "drivers/line_protocol.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gateway/core/text.h"
#include "tests/drivers/lines.h"

namespace tidegate::drivers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Each line as "number: measurement [tag=value ...] {field=value ...} time", or "number! what is wrong".
std::vector<std::string> read(std::string_view text, LineLimits limits = {}) {
  std::vector<std::string> out;
  LineReader lines(text, limits);
  while (lines.next()) {
    const Line& line = lines.line();
    if (!lines.status()) {
      out.push_back(fmt::format("{}! {}", line.number, lines.status().error().text));
      continue;
    }
    std::string shown = fmt::format("{}: {} [", line.number, line.measurement);
    for (const auto& [key, value] : line.tags) shown += fmt::format("{}={};", key, value);
    shown += "] {";
    for (const auto& [key, value] : line.fields) shown += fmt::format("{}={};", key, test::written(value));
    shown += "}";
    if (line.time) shown += fmt::format(" {}", *line.time);
    out.push_back(shown);
  }
  return out;
}

std::string only(std::string_view text, LineLimits limits = {}) {
  const auto all = read(text, limits);
  return all.size() == 1 ? all.front() : fmt::format("{} lines", all.size());
}

TEST(LineProtocol, HasMeasurementTagsFieldsAndTime) {
  EXPECT_EQ(
      only("plant,site=east,line=2 temperature=93.5,open=t,count=-7i,total=18446744073709551615u,mode=\"run\" "
           "1772366400000000000"),
      "1: plant [line=2;site=east;] {temperature=93.5;open=true;count=-7;total=18446744073709551616;mode=\"run\";} "
      "1772366400000000000");
  EXPECT_EQ(only("m f=1"), "1: m [] {f=1;}");
  EXPECT_EQ(only("9 f=-7 "), "1: 9 [] {f=-7;}");
  EXPECT_EQ(only("  m,a=b   f=1   -5  \r\n"), "1: m [a=b;] {f=1;} -5");
}

TEST(LineProtocol, NumbersAreWrittenInManyWays) {
  const std::vector<std::pair<const char*, const char*>> kGood = {{"1", "1"},
                                                                  {"1.", "1"},
                                                                  {".5", "0.5"},
                                                                  {"-.5", "-0.5"},
                                                                  {"-1.234456e+78", "-1.234456e+78"},
                                                                  {"1E3", "1000"},
                                                                  {"1e-400", "0"},
                                                                  {"1e400", "1e999"},
                                                                  {"12485903i", "12485903"},
                                                                  {"-9223372036854775808i", "-9223372036854775808"},
                                                                  {"0u", "0"}};
  for (const auto& [text, value] : kGood)
    EXPECT_EQ(only(fmt::format("m f={}", text)), fmt::format("1: m [] {{f={};}}", value));
  for (const char* text : {"",
                           "+1",
                           "1a",
                           "0x10",
                           "nan",
                           "-inf",
                           "Infinity",
                           "1_000",
                           "1,5",
                           "--1",
                           "-",
                           ".",
                           "i",
                           "-1u",
                           "1.5i",
                           "9223372036854775808i",
                           "18446744073709551616u",
                           "truE",
                           "yes",
                           "'a'",
                           "\"a\"b"}) {
    EXPECT_THAT(only(fmt::format("m f={}", text)), testing::StartsWith("1! column ")) << text;
  }
  for (const char* yes : {"t", "T", "true", "True", "TRUE"})
    EXPECT_EQ(only(fmt::format("m f={}", yes)), "1: m [] {f=true;}");
  for (const char* no : {"f", "F", "false", "False", "FALSE"})
    EXPECT_EQ(only(fmt::format("m f={}", no)), "1: m [] {f=false;}");
}

TEST(LineProtocol, EscapesAreUndoneWhereTheyMeanSomething) {
  EXPECT_EQ(only(R"(my\ room\,1=2 f=1)"), "1: my room,1=2 [] {f=1;}");
  EXPECT_EQ(only(R"(m,tag\ k\=ey=va\,l\ ue fie\=ld=1)"), "1: m [tag k=ey=va,l ue;] {fie=ld=1;}");
  EXPECT_EQ(only(R"(m,path=C:\temp\new f=1)"), R"(1: m [path=C:\temp\new;] {f=1;})");
  EXPECT_EQ(only(R"(m\\,a=b f=1)"), R"(1: m\,a=b [] {f=1;})") << "the second backslash makes the comma one of the name";
  EXPECT_EQ(only(R"(m f="say \"no\" to C:\\temp\new")"), R"(1: m [] {f="say \"no\" to C:\\temp\\new";})");
  EXPECT_EQ(only(R"(m,"a"='b' "f"=1)"), R"(1: m ["a"='b';] {"f"=1;})") << "quotes are for texts alone";
  EXPECT_EQ(only("m,tag=\xF0\x9F\x8D\xAD f=\"Launch \xF0\x9F\x9A\x80\""),
            "1: m [tag=\xF0\x9F\x8D\xAD;] {f=\"Launch \xF0\x9F\x9A\x80\";}");
}

TEST(LineProtocol, CommentsAndEmptyLinesArePassedOverAndCounted) {
  EXPECT_THAT(read("# a comment, with \"quotes\n\n   # another\r\nm f=1\r\n\r\nm f=2\n#end"),
              ElementsAre("4: m [] {f=1;}", "6: m [] {f=2;}"));
  EXPECT_THAT(read(""), ElementsAre());
  EXPECT_THAT(read("\n \n#"), ElementsAre());
}

TEST(LineProtocol, ATextMayGoOverSeveralRows) {
  EXPECT_THAT(read("m f=\"one\ntwo, three=4\n\" 5\nn g=1"),
              ElementsAre("1: m [] {f=\"one\ntwo, three=4\n\";} 5", "4: n [] {g=1;}"));
}

TEST(LineProtocol, ABadLineIsToldWithItsPlaceAndTheNextIsRead) {
  EXPECT_THAT(
      read("m1 v=12\nm2 v=2a.0\nm3 v=32\n"),
      ElementsAre("1: m1 [] {v=12;}",
                  "2! column 6: '2a.0' is no value: a number (20.5, 20i, 20u), true or false, or a text in double "
                  "quotes",
                  "3: m3 [] {v=32;}"));
  EXPECT_THAT(read("m1\nm2 v=1"), ElementsAre(HasSubstr("1! column 3: there are no fields"), "2: m2 [] {v=1;}"));
  EXPECT_THAT(read("m f=\"never closed\nn g=1"),
              ElementsAre("1! column 5: a text has no closing quote", "2: n [] {g=1;}"));
}

TEST(LineProtocol, WhatIsWrongIsSaid) {
  EXPECT_THAT(only(",a=b f=1"), HasSubstr("column 1: a measurement is missing"));
  EXPECT_THAT(only("m, f=1"), HasSubstr("column 3: a tag's key is missing"));
  EXPECT_THAT(only("m,a f=1"), HasSubstr("column 4: the tag 'a' has no value"));
  EXPECT_THAT(only("m,a= f=1"), HasSubstr("column 5: a tag's value is missing"));
  EXPECT_THAT(only("m,a=b=c f=1"), HasSubstr("write \\="));
  EXPECT_THAT(only("m,a=1,b=2,a=3 f=1"), HasSubstr("the tag 'a' stands twice"));
  EXPECT_THAT(only("m f=1,"), HasSubstr("column 7: a field's key is missing"));
  EXPECT_THAT(only("m f"), HasSubstr("the field 'f' has no value"));
  EXPECT_THAT(only("m f=1 now"), HasSubstr("column 7: 'now' is no time"));
  EXPECT_THAT(only("m f=1 99999999999999999999"), HasSubstr("is no time"));
  EXPECT_THAT(only("m f=1 5 6"), HasSubstr("column 9: something stands behind the time"));
  EXPECT_THAT(only("m f\x01=1"), HasSubstr("control character"));
  EXPECT_THAT(only("m,a=b\tf=1"), HasSubstr("control character"));
  EXPECT_THAT(only("m f=1\rn g=1"), HasSubstr("column 6: something stands behind the fields"));
  EXPECT_THAT(only("m f=\"\xFF\""), HasSubstr("not UTF-8"));
}

TEST(LineProtocol, LimitsAreSaid) {
  const LineLimits small{.bytes = 40, .tags = 2, .fields = 3, .key = 5};
  EXPECT_EQ(only("abcde,a=b,c=d a=1,b=2,c=3 12345678901234", small),
            "1: abcde [a=b;c=d;] {a=1;b=2;c=3;} 12345678901234");
  EXPECT_THAT(only("abcdef f=1", small), HasSubstr("a measurement of 6 bytes; at most 5"));
  EXPECT_THAT(only("m,a=b,c=d,e=f f=1", small), HasSubstr("more than 2 tags"));
  EXPECT_THAT(only("m a=1,b=2,c=3,d=4", small), HasSubstr("more than 3 fields"));
  EXPECT_THAT(only("m a=\"" + std::string(40, 'x') + "\"", small), HasSubstr("the line has 46 bytes; at most 40"));
}

/// Names that are all corners.
std::string a_name(std::mt19937& random) {
  static constexpr std::string_view kParts[] = {"a", "\\", ",", "=", " ", "\"", "#", "é", "/", "'", "t", "1"};
  std::string name;
  for (std::size_t size = 1 + random() % 6; size > 0; --size) name += kParts[random() % std::size(kParts)];
  // The protocol has no way to write a backslash at the end, nor a measurement that begins as a comment does.
  if (name.ends_with('\\')) name += 'z';
  if (name.starts_with('#')) name.insert(0, "m");
  return name;
}

TEST(LineProtocol, WhateverIsWrittenIsReadAgain) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 5'000; ++i) {
    std::vector<std::string> kept;  // what the views are into
    kept.reserve(64);
    const auto name = [&]() -> std::string_view { return kept.emplace_back(a_name(random)); };
    Line line;
    line.measurement = name();
    for (std::size_t n = random() % 4; n > 0; --n) {
      kept.push_back(fmt::format("{}{}", n, a_name(random)));
      line.tags.push_back({kept.back(), name()});
    }
    std::sort(line.tags.begin(), line.tags.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      const bool text = random() % 2 == 0;
      Reading value{text ? Reading::Type::text : Reading::Type::number};
      if (text) value.text = kept.emplace_back(a_name(random) + (random() % 2 == 0 ? "\n\\" : ""));
      if (!text) value.number = static_cast<double>(random()) / 7;
      line.fields.push_back({name(), value});
    }
    if (random() % 2 == 0) line.time = static_cast<std::int64_t>(random()) * 1'000'003;

    const std::string text = "# before\n" + test::written(line) + "\nafter f=1";
    LineReader lines(text);
    ASSERT_TRUE(lines.next());
    ASSERT_TRUE(lines.status()) << text << "\n" << lines.status().error().text;
    EXPECT_EQ(lines.line().measurement, line.measurement) << text;
    EXPECT_EQ(lines.line().tags, line.tags) << text;
    EXPECT_EQ(lines.line().time, line.time) << text;
    ASSERT_EQ(lines.line().fields.size(), line.fields.size()) << text;
    for (std::size_t f = 0; f < line.fields.size(); ++f) {
      EXPECT_EQ(lines.line().fields[f].key, line.fields[f].key) << text;
      EXPECT_EQ(lines.line().fields[f].value.text, line.fields[f].value.text) << text;
      EXPECT_EQ(lines.line().fields[f].value.number, line.fields[f].value.number) << text;
    }
    ASSERT_TRUE(lines.next());
    EXPECT_EQ(lines.line().measurement, "after") << text;
    EXPECT_FALSE(lines.next());
  }
}

}  // namespace
}  // namespace tidegate::drivers
