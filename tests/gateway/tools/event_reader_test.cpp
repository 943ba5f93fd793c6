#include "gateway/tools/event_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate::tools {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kStream =
    "retry: 3000\n\nevent: hello\ndata: {\"a\":1}\n\n: a comment\n\nid: e:7\nevent: alert\ndata: {}\n\nevent: ping\n"
    "data: {\"time\":5}\n\nevent: cut off";
const Events kEvents = {{"hello", "{\"a\":1}"}, {"alert", "{}"}, {"ping", "{\"time\":5}"}};

TEST(EventReader, GivesTheSameEventsHoweverTheStreamIsCut) {
  for (std::size_t piece = 1; piece <= kStream.size(); ++piece) {
    Events events;
    EventReader reader([&](auto name, auto data) {
      events.emplace_back(name, data);
      return true;
    });
    for (std::size_t at = 0; at < kStream.size(); at += piece) ASSERT_TRUE(reader.feed(kStream.substr(at, piece)));
    EXPECT_EQ(events, kEvents) << "in pieces of " << piece;
  }
}

TEST(EventReader, StopsWithTheEventThatIsTheLastWanted) {
  int given = 0;
  EventReader reader([&](auto, auto) { return ++given < 2; });
  EXPECT_FALSE(reader.feed(kStream));
  EXPECT_EQ(given, 2);
}

}  // namespace
}  // namespace tidegate::tools
