#include "gateway/core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace tidegate {
namespace {

const std::vector<std::string> kKeys = {"threshold", "trend", "absence", "for", "clear_after", "type"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("thresold", kKeys), "threshold");
  EXPECT_EQ(nearest("treshhold", kKeys), "threshold");
  EXPECT_EQ(nearest("clearafter", kKeys), "clear_after");
  EXPECT_EQ(nearest("tpye", kKeys), "type");
  EXPECT_EQ(nearest("Trend", kKeys), "trend");
}

TEST(Nearest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("colour", kKeys), "");
  EXPECT_EQ(nearest("", kKeys), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), kKeys), "");
}

TEST(Nearest, TakesTheNearestOfSeveral) {
  const std::vector<std::string> near = {"bat", "cat", "cart"};
  EXPECT_EQ(nearest("cart", near), "cart");
}

TEST(DidYouMean, IsASentenceOrNothing) {
  EXPECT_EQ(did_you_mean("thresold", kKeys), " (did you mean 'threshold'?)");
  EXPECT_EQ(did_you_mean("colour", kKeys), "");
}

TEST(Utf8, AcceptsWellFormedTextUpToItsEdges) {
  for (const char* fine : {"", "plain", "\u00b0C", "\u20ac", "\U0001F4A7", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(valid_utf8(fine)) << fine;
  }
}

TEST(Utf8, RefusesOverlongSurrogateTruncatedAndOutOfRange) {
  for (const char* wrong :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC2", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
        "\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x92", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "a\xC2"
        "b"}) {
    EXPECT_FALSE(valid_utf8(wrong)) << testing::PrintToString(wrong);
  }
}

TEST(Printable, ShowsControlsAndBrokenBytesAsHex) {
  EXPECT_EQ(printable("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c");
  EXPECT_EQ(printable("a\xff\xC2"), "a\\xff\\xc2");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(printable("20 \u00b0C"), "20 \u00b0C");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
}

TEST(Printable, IsCutAtWholeCharactersWithinItsBound) {
  EXPECT_EQ(printable("1234567890", 10), "1234567890");
  EXPECT_EQ(printable("12345678901", 10), "1234567...");
  EXPECT_EQ(printable("123456\u00b0\u00b0\u00b0", 10), "123456...");
  EXPECT_EQ(printable("123456", 2), "..");
}

TEST(Printable, IsPlainUtf8WithinTheBoundForAnyBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::size_t most = random() % 50;
    const std::string shown = printable(bytes, most);
    ASSERT_TRUE(valid_utf8(shown));
    ASSERT_LE(shown.size(), most);
    for (const char c : shown) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_text(20.5), "20.5");
  EXPECT_EQ(number_text(20), "20");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1e300), "1e+300");
  EXPECT_EQ(number_text(100'000), "100000");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(number_text(-std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "inf");
}

TEST(NumberText, ReadsBackAsTheSameDouble) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    double value = 0;
    const std::uint64_t bits = random();
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value) || std::fpclassify(value) == FP_SUBNORMAL) continue;
    double read = 0;
    ASSERT_TRUE(parse_number(number_text(value), read)) << number_text(value);
    ASSERT_EQ(read, value);
  }
}

TEST(ShortNumber, IsForPeople) {
  EXPECT_EQ(short_number(93.2578), "93.26");
  EXPECT_EQ(short_number(20), "20");
  EXPECT_EQ(short_number(0.012345), "0.01235");
  EXPECT_EQ(short_number(123456.7), "123457");
  EXPECT_EQ(short_number(9.99999), "10");
  EXPECT_EQ(short_number(-0.0), "0");
  EXPECT_EQ(short_number(-21.5), "-21.5");
  EXPECT_EQ(short_number(1e-9), "1e-09");
  EXPECT_EQ(short_number(2.5e20), "2.5e+20");
  EXPECT_EQ(short_number(93.2578, 2), "93");
}

TEST(ParseNumber, TakesTheWholeText) {
  double value = 0;
  for (const auto& [text, expected] : std::vector<std::pair<std::string, double>>{{"20.5", 20.5},
                                                                                  {"-3", -3},
                                                                                  {"1e3", 1000},
                                                                                  {" 7 ", 7},
                                                                                  {"+21.5", 21.5},
                                                                                  {"\t0\r\n", 0},
                                                                                  {"-0.5E-1", -0.05}}) {
    ASSERT_TRUE(parse_number(text, value)) << text;
    EXPECT_EQ(value, expected);
  }
}

TEST(ParseNumber, RefusesWhatIsNoFiniteNumber) {
  double value = 42;
  for (const char* wrong :
       {"", " ", "20,5", "20.5 C", "0x10", "nan", "inf", "-inf", "1e999", "--3", "+-3", "+", "1 2"}) {
    EXPECT_FALSE(parse_number(wrong, value)) << wrong;
  }
  EXPECT_EQ(value, 42);
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a//b/", '/'), testing::ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", '/'), testing::ElementsAre(""));
}

TEST(Trim, TakesSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
}

}  // namespace
}  // namespace tidegate
