#include "drivers/can/dbc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace tidegate::drivers::can {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Dbc, ReadsMessagesSignalsAndWords) {
  const auto dbc = parse_dbc(test::read_file(std::string(TIDEGATE_SOURCE_DIR) + "/drivers/can/sample.dbc"));
  ASSERT_TRUE(dbc) << dbc.error().text;
  ASSERT_EQ(dbc->messages.size(), 5u);
  const Message& eec1 = dbc->messages[0];
  EXPECT_EQ(eec1.id, 0x0CF004FEu);
  EXPECT_TRUE(eec1.extended);
  EXPECT_EQ(eec1.name, "EEC1");
  EXPECT_EQ(eec1.signals[0].unit, "rpm");
  EXPECT_EQ(eec1.signals[0].scale, 0.125);
  EXPECT_EQ(eec1.signals[1].offset, -125);
  const Message& ec1 = dbc->messages[3];
  EXPECT_EQ(ec1.id, 0x18FEE3FEu);
  EXPECT_EQ(ec1.bytes, 39u);
  const Message& tank = dbc->messages[4];
  EXPECT_EQ(tank.id, 291u);
  EXPECT_FALSE(tank.extended);
  EXPECT_EQ(tank.signals[0].role, Signal::Role::selector);
  EXPECT_EQ(tank.signals[2].role, Signal::Role::selected);
  EXPECT_EQ(tank.signals[2].selector, 1u);
  EXPECT_EQ(tank.signals[2].type, Signal::Type::signed_integer);
  EXPECT_EQ(tank.signals[2].unit, "°C");
  EXPECT_TRUE(tank.signals[1].motorola);
  EXPECT_THAT(tank.signals[3].words, ElementsAre(Pair(0, "stopped"), Pair(1, "running")));
}

TEST(Dbc, ReadsWhatOthersWrite) {
  const auto dbc = parse_dbc(
      "BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n SG_ Loose : 0|8@1+ (1,0) [0|0] \"\" Vector__XXX\n"
      "BO_ 100 A: 8 Vector__XXX\r\n SG_ F : 0|32@1- (1,0) [-1E+3|1.5e3] \"\xB0"
      "C\"  X,Y\r\n SG_ G:32|8@1-(+0.5,-1.)[0|0]\"\" X\r\n"
      "CM_ BO_ 100 \"BO_ 5 in a comment\n SG_ too\";\nSIG_VALTYPE_ 100 F : 1;\nVAL_ 100 G -1 \"none \\\"at all\\\"\" 2 "
      "\"two\" ;\nVAL_ variable 1 \"x\" ;\nBA_ \"GenMsgCycleTime\" BO_ 100 50;");
  ASSERT_TRUE(dbc) << dbc.error().text;
  ASSERT_EQ(dbc->messages.size(), 1u);
  EXPECT_EQ(dbc->messages[0].signals.size(), 2u);
  EXPECT_EQ(dbc->messages[0].signals[0].type, Signal::Type::float32);
  EXPECT_EQ(dbc->messages[0].signals[0].unit, "°C") << "in Latin-1";
  EXPECT_EQ(dbc->messages[0].signals[1].scale, 0.5);
  EXPECT_EQ(dbc->messages[0].signals[1].words[0].first, -1);
}

TEST(Dbc, ReadsMessagesOfAsManyBytesAsJ1939Carries) {
  const auto dbc = parse_dbc(
      "BO_ 2566834942 DM1: 1785 Engine\n SG_ First : 0|8@1+ (1,0) [0|0] \"\" X\n"
      " SG_ Last : 14272|8@1+ (1,0) [0|0] \"\" X\n SG_ Turned : 14223|64@0+ (1,0) [0|0] \"\" X\n");
  ASSERT_TRUE(dbc) << dbc.error().text;
  EXPECT_EQ(dbc->messages[0].bytes, 1785u);
  EXPECT_EQ(dbc->messages[0].signals[1].start, 14272u);
  std::vector<std::uint8_t> data(1785);
  data[1784] = 5;
  EXPECT_EQ(raw_bits(dbc->messages[0].signals[1], data), 5u);
  EXPECT_EQ(raw_bits(dbc->messages[0].signals[2], data), 5u);
}

TEST(Dbc, ThatIsWrongIsToldWithItsLine) {
  const std::string head = "BO_ 1 A: 8 X\n";
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"BO_ x A: 8 X", "line 1: a message's number"},
           {"BO_ 4096 A: 8 X", "no such identifier"},
           {"BO_ 1 A: 65 X", "at most 64"},
           {"BO_ 2566834942 A: 1786 X", "1785 with an identifier of 29 bits"},
           {"BO_ 2566834942 A: 1785 X\nSG_ S : 14273|8@1+ (1,0) [0|0] \"\" X", "line 2: the signal S does not fit"},
           {head + head, "line 2: the message 1 is there twice"},
           {"SG_ S : 0|8@1+ (1,0) [0|0] \"\" X", ""},
           {head + "SG_ S : 60|8@1+ (1,0) [0|0] \"\" X", "line 2: the signal S does not fit"},
           {head + "SG_ S : 0|65@1+ (1,0) [0|0] \"\" X", "a signal's length"},
           {head + "SG_ S : 0|8@2+ (1,0) [0|0] \"\" X", "a byte order"},
           {head + "SG_ S : 0|8@1 (1,0) [0|0] \"\" X", "'+' or '-'"},
           {head + "SG_ S : 0|8@1+ (one,0) [0|0] \"\" X", "a scale is no number: 'one'"},
           {head + "SG_ S : 0|8@1+ (1,0) [0|0] X", "unit in quotes"},
           {head + "SG_ S m0M : 0|8@1+ (1,0) [0|0] \"\" X", "not understood"},
           {head + "SG_ S m0 : 0|8@1+ (1,0) [0|0] \"\" X", "no selector"},
           {head + "SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\nSIG_VALTYPE_ 1 S : 1;", "32 bits"},
           {head + "SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\nVAL_ 1 S 0 \"a\"", "';' is missing"}}) {
    const auto dbc = parse_dbc(text);
    if (expected.empty()) continue;
    ASSERT_FALSE(dbc) << text;
    EXPECT_THAT(dbc.error().text, HasSubstr(expected));
  }
}

}  // namespace
}  // namespace tidegate::drivers::can
