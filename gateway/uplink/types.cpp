#include <algorithm>

#include "gateway/uplink/mqtt/messages.h"
#include "gateway/uplink/mqtt/mqtt.h"
#include "gateway/uplink/uplink.h"

namespace tidegate::uplink {
namespace {

std::string check_name(std::string_view name) {
  if (valid_series_name(name) && name.find('/') == std::string_view::npos) return "";
  return "an uplink's name is one level of a series name: not empty, without / + # { } and control characters";
}

}  // namespace

std::string_view name_of(Lane lane) {
  constexpr std::string_view kNames[] = {"alerts", "samples", "snapshots"};
  return kNames[static_cast<std::size_t>(lane)];
}

const std::vector<UplinkType>& types() {
  static const std::vector<UplinkType> all = {mqtt::type(), mqtt::messages_type()};
  return all;
}

const UplinkType* find_type(std::string_view name) {
  const auto found = std::find_if(types().begin(), types().end(), [&](const UplinkType& t) { return t.name == name; });
  return found == types().end() ? nullptr : &*found;
}

config::Shape uplink_shape() {
  static const config::Shape shape = [] {
    std::vector<std::pair<std::string, config::Shape>> alternatives;
    for (const UplinkType& type : types()) alternatives.emplace_back(type.name, type.options);
    return config::Shape::variant(
        "A far end that samples and alerts are sent to.", "type",
        {config::required("name", config::Shape::text_where("a name", check_name),
                          "What the uplink is called; its place in the backlog is kept under it."),
         config::defaulted("enabled", config::Shape::boolean(), "true",
                           "false leaves the uplink out without deleting it.")},
        std::move(alternatives));
  }();
  return shape;
}

}  // namespace tidegate::uplink
