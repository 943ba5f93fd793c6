#include "dashboard/query.h"

#include <gtest/gtest.h>

#include <array>

namespace tidegate::dashboard {
namespace {

constexpr Timestamp kNow{std::chrono::seconds(1'700'000'000)};

TEST(EventId, IsEpochAndSeq) {
  const auto id = parse_event_id("ab12:17");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->epoch, "ab12");
  EXPECT_EQ(id->seq, Seq{17});
}

TEST(EventId, IsNothingElse) {
  for (const std::string text : {"", ":", "ab12", "ab12:", ":17", "ab12:-1", "ab12:1x", "ab12: 1", "ab12:0x1",
                                 "ab12:9007199254740992", "ab12:99999999999999999999"}) {
    EXPECT_FALSE(parse_event_id(text)) << text;
  }
  EXPECT_FALSE(parse_event_id(std::string(1000, 'a') + ":1"));
}

TEST(HistoryQuery, DefaultsToTheLastHourIn300Points) {
  const auto query = parse_history({{"series", "a/b"}}, kNow);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->to, kNow);
  EXPECT_EQ(query->from, kNow - std::chrono::hours(1));
  EXPECT_EQ(query->points, 300u);
}

TEST(HistoryQuery, TakesAnHourBeforeAGivenEnd) {
  const auto query = parse_history({{"series", "a/b"}, {"to", "3600000000"}, {"points", "5000"}}, kNow);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->from, Timestamp{});
}

TEST(HistoryQuery, ASeriesAskedForTwiceIsAnsweredOnce) {
  const auto query = parse_history({{"series", "a/b"}, {"series", "a/b"}, {"series", "a/c"}}, kNow);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->series, (std::vector<std::string>{"a/b", "a/c"}));
}

TEST(HistoryQuery, SaysWhatIsWrong) {
  const auto sentence = [](Query query) {
    const auto parsed = parse_history(query, kNow);
    return parsed ? std::string("accepted") : parsed.error().text;
  };
  EXPECT_EQ(sentence({}), "say which series: ?series=device/metric");
  EXPECT_EQ(sentence({{"series", "a"}, {"points", "0"}}), "points: '0' is no whole number from 1 to 5000");
  EXPECT_EQ(sentence({{"series", "a"}, {"points", "5001"}}), "points: '5001' is no whole number from 1 to 5000");
  EXPECT_EQ(sentence({{"series", "a"}, {"points", "1e3"}}), "points: '1e3' is no whole number from 1 to 5000");
  EXPECT_EQ(sentence({{"series", "a"}, {"to", "-1"}}), "to: '-1' is no whole number from 0 to 9007199254740991");
  EXPECT_EQ(sentence({{"series", "a"}, {"from", "\r\n"}}),
            "from: '\\x0d\\x0a' is no whole number from 0 to 9007199254740991");
  EXPECT_EQ(sentence({{"series", "a"}, {"from", "5"}, {"to", "5"}}), "'from' must be before 'to'");
}

TEST(HistoryQuery, BoundsSeriesAndPointsInAll) {
  Query query;
  for (int i = 0; i < 65; ++i) query.emplace("series", "s" + std::to_string(i));
  EXPECT_FALSE(parse_history(query, kNow));
  query.erase(query.begin());
  EXPECT_TRUE(parse_history(query, kNow));
  query.emplace("points", "1000");
  EXPECT_FALSE(parse_history(query, kNow));
}

TEST(HistoryQuery, CountsASeriesEachTimeThatItIsAskedFor) {
  Query query;
  for (int i = 0; i < 64; ++i) query.emplace("series", "a/b");
  EXPECT_TRUE(parse_history(query, kNow));
  query.emplace("series", "a/b");
  ASSERT_FALSE(parse_history(query, kNow));
  EXPECT_EQ(parse_history(query, kNow).error().text, "65 series in one request; at most 64");
}

TEST(Parameters, AreKnownAndGivenOnce) {
  constexpr std::array<std::string_view, 2> kKnown = {"series", "points"};
  const auto sentence = [&kKnown](const Query& query) {
    const auto checked = check_names(query, kKnown);
    return checked ? std::string() : checked.error().text;
  };
  EXPECT_EQ(sentence({{"series", "a/b"}, {"series", "a/c"}, {"points", "5"}}), "");
  EXPECT_EQ(sentence({{"points", "5"}, {"points", "6"}}), "points: it is given 2 times, once is meant");
  EXPECT_EQ(sentence({{"serie", "a/b"}}), "unknown parameter 'serie' (did you mean 'series'?)");
}

TEST(Limit, HasADefaultAndAMaximum) {
  EXPECT_EQ(parse_limit({}, 100, 1000).value(), 100u);
  EXPECT_EQ(parse_limit({{"limit", "1000"}}, 100, 1000).value(), 1000u);
  EXPECT_FALSE(parse_limit({{"limit", "1001"}}, 100, 1000));
  EXPECT_FALSE(parse_limit({{"limit", ""}}, 100, 1000));
}

TEST(AcknowledgeBody, TakesIdAndNoteAndHasNoSayInWhoItIs) {
  const auto wish = parse_acknowledge(R"({"id": "hot:b1", "note": "on my way"})");
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->alert, "hot:b1");
  EXPECT_EQ(wish->who, "");
  EXPECT_EQ(wish->note, "on my way");
  EXPECT_EQ(parse_acknowledge(R"({"id": "hot:b1", "who": "Ann"})").error().text,
            "unknown field 'who'; known are id, note");
}

TEST(AcknowledgeBody, IsRefusedWithASentence) {
  EXPECT_FALSE(parse_acknowledge(""));
  EXPECT_FALSE(parse_acknowledge("{"));
  EXPECT_FALSE(parse_acknowledge("[]"));
  EXPECT_FALSE(parse_acknowledge("{}"));
  EXPECT_FALSE(parse_acknowledge(R"({"id": 7})"));
  EXPECT_FALSE(parse_acknowledge(R"({"id": "x", "note": ["y"]})"));
  EXPECT_FALSE(parse_acknowledge("{\"id\": \"\xff\"}"));
  EXPECT_FALSE(parse_acknowledge("{\"id\": \"x\", \"note\": \"" + std::string(3000, 'n') + "\"}"));
  const auto deep = parse_acknowledge("{\"id\": " + std::string(100'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().text, "the body is nested deeper than 32");
}

std::string refusal_of_shelve(std::string_view body) {
  const auto wish = parse_shelve(body, kNow);
  return wish ? "" : wish.error().text;
}

TEST(ShelveBody, TakesADurationOrOutOfService) {
  const auto wish = parse_shelve(R"({"id": "hot:b1", "for": "1h30m", "why": "valve is changed"})", kNow);
  ASSERT_TRUE(wish) << wish.error().text;
  EXPECT_EQ(*wish, (Shelve{"hot:b1", "", "valve is changed", kNow + std::chrono::minutes(90)}));
  const auto out = parse_shelve(R"({"id": "hot:b1", "out_of_service": true, "why": "x"})", kNow);
  ASSERT_TRUE(out) << out.error().text;
  EXPECT_EQ(out->until, kOutOfService);
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "1m", "why": "x"})"), "");
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "30d", "out_of_service": false, "why": "x"})"), "");
}

TEST(ShelveBody, IsRefusedWithASentence) {
  const std::string either = "say either \"for\", such as \"1h\", or \"out_of_service\": true";
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "why": "x"})"), either);
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "1h", "out_of_service": true, "why": "x"})"), either);
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "out_of_service": false, "why": "x"})"), either);
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "out_of_service": "yes", "why": "x"})"),
            "\"out_of_service\" must be true or false");
  for (const std::string text : {"59s", "31d", "-1h", "1", "", "an hour", "99999999999999999999d"}) {
    EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "why": "x", "for": ")" + text + "\"}"),
              "\"for\": '" + text + "' is no duration from 1m to 30d, such as \"1h\"");
  }
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "why": "x", "for": 60})"), "\"for\" must be a string");
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "1h"})"), "\"why\" must say why nobody is to be called");
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "1h", "why": " "})"),
            "\"why\" must say why nobody is to be called");
  EXPECT_EQ(refusal_of_shelve(R"({"for": "1h", "why": "x"})"), "\"id\" must name the alert");
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "fro": "1h", "why": "x"})"), "unknown field 'fro' (did you mean 'for'?)");
  EXPECT_EQ(refusal_of_shelve(R"({"id": "x", "for": "1h", "why": ")" + std::string(3000, 'n') + "\"}"),
            "\"why\" is longer than 2048 bytes");
}

TEST(UnshelveBody, TakesIdAndWhoAndNothingElse) {
  const auto wish = parse_unshelve(R"({"id": "hot:b1"})");
  ASSERT_TRUE(wish) << wish.error().text;
  EXPECT_EQ(*wish, (Shelve{"hot:b1", "", "", Timestamp{}}));
  const auto refused = parse_unshelve(R"({"id": "hot:b1", "for": "1h"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "unknown field 'for'; known are id");
  EXPECT_FALSE(parse_unshelve("{}"));
}

}  // namespace
}  // namespace tidegate::dashboard
