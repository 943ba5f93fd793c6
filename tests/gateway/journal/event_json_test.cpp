#include "gateway/journal/event_json.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

TEST(EventJson, AnAlertComesBackWithEveryField) {
  AlertRecord record = alert("boiler-overheating:boiler1", Phase::returned);
  record.acknowledged = true;
  record.acknowledged_by = "ops";
  record.note = "\"quoted\"\n and\ttabbed";
  record.heading = Severity::high;
  record.heading_since = at(1'700'000'000'000'002);
  record.shelved_until = kOutOfService;
  record.shelved_at = record.since + std::chrono::seconds(1);
  record.shelved_by = "Ada";
  record.shelved_why = "the valve is changed";
  record.suppressed_by = "silent:boiler1";
  record.shadow = true;
  record.chatter = 7;
  record.chatter_band = 0.25;
  record.evidence = {"0a1b2c3d",
                     at(1'700'000'000'000'003),
                     at(1'700'000'000'000'004),
                     {"boiler1/pressure", "room/+/temperature"},
                     {{"samples", 12, ""}, {"boiler1/valve", 1, "", "open"}, {"slope", -0.5, "°C/min"}}};
  record.farewell = {{"lamps", "lamp/1", "off", true}, {"lamps", "horn", ""}};
  record.release = {{"t1/valve", "on", Micros{30'000'000}}};
  record.commented_by = "Ada";
  record.comment = "the valve sticks";
  const auto back = alert_from_json(to_json(record));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, record);
}

TEST(EventJson, ATransitionComesBackWithWhatItPublishesAndSets) {
  AlertTransition transition{alert("hot:boiler1", Phase::active), Phase::pending, "raised"};
  transition.publish = {{"lamps", "lamp/1", "{\"on\": true}", true}, {"lamps", "horn", ""}};
  transition.write = {{"t1/valve", "off", Micros{5'000'000}, at(1'700'000'000'000'003)}};
  const auto back = event_from_json(to_json(Event{at(1'700'000'000'000'002), transition}));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(std::get<AlertTransition>(back->body).publish, transition.publish);
  EXPECT_EQ(std::get<AlertTransition>(back->body).write, transition.write);
}

TEST(EventJson, ACommentComesBackWithEveryField) {
  const Comment comment{"hot:boiler1", "Ada", "the valve sticks"};
  const auto back = event_from_json(to_json(Event{at(1'700'000'000'000'002), comment}));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(std::get<Comment>(back->body), comment);
}

TEST(EventJson, AFloodComesBackWithEveryField) {
  const Flood flood{true, at(1'700'000'000'000'001), "hot:boiler1", 23};
  const auto back = event_from_json(to_json(Event{at(1'700'000'000'000'002), flood}));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(std::get<Flood>(back->body), flood);
  EXPECT_FALSE(event_from_json(R"({"time": 5, "kind": "flood", "on": true, "since": 3, "first": "a", "count": -1})"));
}

TEST(EventJson, AWishForASnapshotComesBackWithItsTransition) {
  AlertTransition raised{alert("hot:boiler1", Phase::active), Phase::pending, "raised"};
  raised.snapshot = SnapshotWish{at(3), at(5), {"boiler1/temperature", "boiler1/+"}};
  const auto back = event_from_json(to_json(Event{at(4), raised}));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(std::get<AlertTransition>(back->body).snapshot, raised.snapshot);
}

TEST(EventJson, ASnapshotComesBackWithEveryFieldButItsSamples) {
  const Snapshot snapshot{"hot:boiler1", Seq{17}, 2, at(4), at(3), at(5), 6, 7, 8, "columns"};
  const auto event = event_from_json(to_json(Event{at(9), snapshot}));
  ASSERT_TRUE(event) << event.error().text;
  const auto& back = std::get<Snapshot>(event->body);
  EXPECT_EQ(back.alert, snapshot.alert);
  EXPECT_EQ(back.asked, snapshot.asked);
  EXPECT_EQ(back.asked_ordinal, snapshot.asked_ordinal);
  EXPECT_EQ(back.breach, snapshot.breach);
  EXPECT_EQ(back.from, snapshot.from);
  EXPECT_EQ(back.until, snapshot.until);
  EXPECT_EQ(back.series, snapshot.series);
  EXPECT_EQ(back.samples, snapshot.samples);
  EXPECT_EQ(back.left_out, snapshot.left_out);
  EXPECT_EQ(back.columns, "");
}

TEST(EventJson, AValueThatIsNoNumberComesBack) {
  AlertRecord record = alert("a", Phase::active);
  record.value = std::numeric_limits<double>::quiet_NaN();
  record.limit = -std::numeric_limits<double>::infinity();
  const auto back = alert_from_json(to_json(record));
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::isnan(back->value));
  EXPECT_EQ(back->limit, record.limit);
}

TEST(EventJson, TextThatIsNoUtf8IsReplacedNotLost) {
  const Event event{at(1), Notice{"storage", "caf\xE9"}};
  const auto back = event_from_json(to_json(event));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(std::get<Notice>(back->body).text, "caf\xEF\xBF\xBD");
}

TEST(EventJson, FieldsOfALaterVersionAreIgnored) {
  const auto back = event_from_json(R"({"time": 5, "kind": "clock", "by": -3, "leap": true})");
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<ClockStep>(back->body).by, Micros{-3});
}

TEST(EventJson, WhatIsNoEventIsCorrupt) {
  for (const char* text :
       {"", "{", "[]", "null", "7", R"({"time": 5})", R"({"time": "5", "kind": "clock", "by": 1})",
        R"({"time": 5, "kind": "party"})", R"({"time": 1700000000000000000000, "kind": "clock", "by": 1})",
        R"({"time": 18446744073709551615, "kind": "clock", "by": 1})", R"({"time": 5, "kind": "clock", "by": "x"})",
        R"({"time": 5, "kind": "source", "source": "a", "health": "great", "text": ""})"}) {
    const auto event = event_from_json(text);
    ASSERT_FALSE(event) << text;
    EXPECT_EQ(event.error().code, Errc::corrupt);
  }
  EXPECT_FALSE(alert_from_json(R"({"id": "a"})"));
}

}  // namespace
}  // namespace tidegate::journal
