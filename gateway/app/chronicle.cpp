#include "gateway/app/chronicle.h"

#include <fmt/format.h>

#include "gateway/core/event.h"

namespace tidegate::app {
namespace {

Chronicle::Level level_of(SourceHealth health) {
  switch (health) {
    case SourceHealth::down:
      return Chronicle::Level::error;
    case SourceHealth::degraded:
      return Chronicle::Level::warning;
    default:
      return Chronicle::Level::info;
  }
}

}  // namespace

void Chronicle::look(const dashboard::GatewayView& view, Instant now) {
  look("the store", view.store.health, view.store.text, now);
  for (const auto& source : view.sources) look("source " + source.name, source.health, source.text, now);
  for (const auto& uplink : view.uplinks) look("uplink " + uplink.name, uplink.health, uplink.text, now);
}

void Chronicle::look(const std::string& who, SourceHealth health, std::string_view text, Instant now) {
  const auto [known, is_new] = seen_.try_emplace(who, Story{health, now});
  Story& story = known->second;
  const SourceHealth before = std::exchange(story.health, health);
  if (now - story.since >= kWithin) {
    if (story.untold > 0) {
      write_(Level::warning, fmt::format("{} changed {} times more within a minute, and is {}{}{}", who, story.untold,
                                         name(health), text.empty() ? "" : ": ", text));
    }
    story = {health, now};
  }
  // At the start only what is not well is news.
  const bool news = is_new ? level_of(health) != Level::info : before != health && health != SourceHealth::starting;
  if (!news) return;
  if (story.told == kMostTold) {
    ++story.untold;
    return;
  }
  ++story.told;
  write_(level_of(health), fmt::format("{} is {}{}{}", who, name(health), text.empty() ? "" : ": ", text));
}

}  // namespace tidegate::app
