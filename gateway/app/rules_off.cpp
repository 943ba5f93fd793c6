#include "gateway/app/rules_off.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gateway/config/load.h"
#include "gateway/config/schema.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

using config::Shape;

constexpr const char* kHead =
    "# Rules that are turned off. The gateway writes this file: `tidegate rules off NAME` and `tidegate rules on "
    "NAME`, "
    "or the page.\n";

Shape off_shape() {
  const auto is_time = [](std::string_view text) {
    return parse_rfc3339(text) ? "" : "it is a time such as 2026-03-01T12:00:00Z";
  };
  const Shape one =
      Shape::object("A rule that is off.",
                    {config::required("name", Shape::text(), "Its name."),
                     config::defaulted("who", Shape::text(), "\"\"", "Who turned it off."),
                     config::optional("since", Shape::text_where("a time", is_time), "Since when it has been off."),
                     config::defaulted("note", Shape::text(), "\"\"", "Why.")});
  return Shape::object("Rules that are off.",
                       {config::defaulted("rules_off", Shape::list(one), "[]", "Each of them.")});
}

/// JSON's strings are YAML's.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::vector<RuleOff> parse_rules_off(std::string_view yaml, const std::string& file_name, config::Problems& problems) {
  config::Node root = config::parse(yaml, file_name, {}, {}, problems);
  if (!root.refused && root.is_null()) root.kind = config::Node::Kind::map;  // an empty file
  config::check(root, off_shape(), problems);
  std::vector<RuleOff> off;
  const config::Node* list = root.find("rules_off");
  if (list == nullptr) return off;
  for (const config::Node& item : list->items) {
    if (!item.sound() || item.kind != config::Node::Kind::map) continue;
    const Timestamp since = item.has("since") ? parse_rfc3339(item.string("since")).value_or(Timestamp{}) : Timestamp{};
    off.push_back({item.string("name"), item.string("who"), since, item.string("note"), item["name"].at});
  }
  return off;
}

std::string rules_off_text(const std::vector<RuleOff>& off) {
  std::string out = std::string(kHead) + (off.empty() ? "rules_off: []\n" : "rules_off:\n");
  for (const RuleOff& one : off) {
    out += fmt::format("  - {{name: {}, who: {}, since: {}, note: {}}}\n", quoted(one.name), quoted(one.who),
                       quoted(rfc3339(one.since)), quoted(one.note));
  }
  return out;
}

}  // namespace tidegate::app
