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

void Chronicle::look(const dashboard::GatewayView& view) {
  look("the store", view.store.health, view.store.text);
  for (const auto& source : view.sources) look("source " + source.name, source.health, source.text);
  for (const auto& uplink : view.uplinks) look("uplink " + uplink.name, uplink.health, uplink.text);
}

void Chronicle::look(const std::string& who, SourceHealth health, std::string_view text) {
  const auto [known, is_new] = seen_.try_emplace(who, health);
  const SourceHealth before = std::exchange(known->second, health);
  // At the start only what is not well is news.
  const bool news = is_new ? level_of(health) != Level::info : before != health && health != SourceHealth::starting;
  if (!news) return;
  write_(level_of(health), fmt::format("{} is {}{}{}", who, name(health), text.empty() ? "" : ": ", text));
}

}  // namespace tidegate::app
