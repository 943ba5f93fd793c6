#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/event.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/live.h"
#include "gateway/tools/output.h"
#include "gateway/tools/progress.h"

namespace tidegate::tools {
namespace {

constexpr std::string_view kWell = "ok";

/// What the gateway said of itself, at one moment.
struct Picture {
  std::string health;
  Json state;
  Json alerts;
  Timestamp now;
};

std::string clean_word(const Json& of, const char* key) { return printable(word(of, key), 1000); }

/// A part that starts or was stopped on purpose is no trouble.
bool unwell(const Json& part) {
  const auto health = health_from(part.at("health").get<std::string>());
  return health == SourceHealth::degraded || health == SourceHealth::down;
}

/// Raised, and not silenced.
bool calls(const Json& alert) {
  const auto phase = phase_from(alert.at("phase").get<std::string>());
  return (phase == Phase::active || phase == Phase::clearing) && !alert.at("silenced").get<bool>();
}

template <class Holds>
std::size_t count_if(const Json& list, const Holds& holds) {
  return static_cast<std::size_t>(std::count_if(list.begin(), list.end(), holds));
}

std::string about(const Json& part, const Picture& picture) {
  std::string text =
      fmt::format("{} ({}) is {}", clean_word(part, "name"), clean_word(part, "type"), clean_word(part, "health"));
  if (part.contains("since")) text += " for " + age_text(picture.now - time_of(part["since"]));
  return text + ": " + clean_word(part, "text");
}

/// What is not well, a sentence each.
std::vector<std::string> troubles(const Picture& picture) {
  std::vector<std::string> found;
  const Json& store = picture.state.at("store");
  if (picture.health != kWell) found.push_back(printable(picture.health, 1000));
  if (unwell(store) && picture.health == kWell) found.push_back("the store: " + clean_word(store, "text"));
  for (const char* kind : {"sources", "uplinks"}) {
    for (const Json& part : picture.state.at(kind)) {
      if (unwell(part))
        found.push_back(fmt::format("{} {}", kind[0] == 's' ? "source" : "uplink", about(part, picture)));
    }
  }
  return found;
}

std::string gateway_line(const Picture& picture) {
  const Json& gateway = picture.state.at("gateway");
  return fmt::format("{}: Tidegate {}, up for {}\n", clean_word(gateway, "name"), clean_word(gateway, "version"),
                     age_text(picture.now - time_of(gateway.at("started"))));
}

std::string store_line(const Json& store) {
  return fmt::format("{:<9} {}: {} samples/s, {} of {}{}\n", "store", clean_word(store, "health"),
                     short_number(store.at("rate").get<double>()),
                     bytes_text(store.at("used_bytes").get<std::uint64_t>()),
                     bytes_text(store.at("max_bytes").get<std::uint64_t>()),
                     store.at("dropped") > 0 ? fmt::format(", {} dropped", store["dropped"].get<std::uint64_t>()) : "");
}

std::string sources_line(const Json& sources) {
  double rate = 0;
  for (const Json& source : sources) rate += source.at("rate").get<double>();
  const std::size_t up = count_if(sources, [](const Json& source) { return source.at("health") == "up"; });
  return fmt::format("{:<9} {} of {} up, {} samples/s\n", "sources", up, sources.size(), short_number(rate));
}

std::string uplink_line(const Json& uplink, const Picture& picture) {
  const auto backlog = uplink.at("backlog_batches").get<std::uint64_t>();
  std::string behind = backlog == 0 ? "has all" : counted(backlog, "batch", "batches") + " behind";
  if (const Json& oldest = uplink.at("backlog_oldest"); backlog > 0 && !oldest.is_null()) {
    behind += fmt::format(", the oldest {} old", age_text(picture.now - time_of(oldest)));
  }
  return fmt::format("{:<9} {} is {}: {}\n", "uplink", clean_word(uplink, "name"), clean_word(uplink, "health"),
                     behind);
}

std::string alerts_line(const Json& alerts) {
  const std::size_t calling = count_if(alerts, calls);
  const std::size_t silenced = count_if(alerts, [](const Json& alert) { return alert.at("silenced").get<bool>(); });
  if (calling + silenced == 0) return fmt::format("{:<9} none\n", "alerts");
  std::string text = fmt::format("{:<9} {} for somebody", "alerts", counted(calling, "calls", "call"));
  if (silenced > 0) text += fmt::format("; {} silenced", silenced);
  return text + "; `tidegate alerts` lists them\n";
}

std::string in_words(const Picture& picture, const std::vector<std::string>& wrong) {
  std::string text =
      gateway_line(picture) + store_line(picture.state.at("store")) + sources_line(picture.state.at("sources"));
  for (const Json& uplink : picture.state.at("uplinks")) text += uplink_line(uplink, picture);
  text += alerts_line(picture.alerts);
  for (const Json& notice : picture.state.at("store").at("notices")) {
    text += fmt::format("{:<9} {}\n", "damage", printable(notice.get<std::string>(), 1000));
  }
  for (const std::string& trouble : wrong) text += fmt::format("{:<9} {}\n", "NOT WELL", trouble);
  return text;
}

Result<Picture> look(const GatewayClient& gateway) {
  auto health = gateway.health();
  if (!health) return fail(std::move(health.error()));
  auto state = gateway.get("/api/v1/state");
  if (!state) return fail(std::move(state.error()));
  auto alerts = gateway.get("/api/v1/alerts");
  if (!alerts) return fail(std::move(alerts.error()));
  const Timestamp now = time_of(state->at("gateway").at("time"));
  return Picture{std::move(*health), std::move(*state), std::move(alerts->at("alerts")), now};
}

}  // namespace

Result<int> status(const StatusOptions& options, const GatewayClient& gateway) {
  const auto picture = look(gateway);
  if (!picture) return fail(picture.error());
  const std::vector<std::string> wrong = troubles(*picture);
  const std::size_t calling = count_if(picture->alerts, calls);
  const auto document = [&] {
    return text_of(
        Json{{"wrong", wrong}, {"calling", calling}, {"alerts", picture->alerts}, {"state", picture->state}});
  };
  Status done = print(options.json ? document() + '\n' : in_words(*picture, wrong));
  if (!done) return fail(std::move(done.error()));
  if (!wrong.empty()) return kUnwell;
  return calling > 0 ? kCalling : kDone;
}

}  // namespace tidegate::tools
