#include "drivers/value.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::Shape;

constexpr double kAnyNumber = 1e300;
constexpr std::size_t kMostWords = 256;

Shape words_shape() { return Shape::map(Shape::text(), kMostWords); }

Words read_words(const Node& map, Problems& problems) {
  Words words;
  for (const auto& entry : map.entries) {
    double code = 0;
    if (parse_number(entry.key, code)) {
      words.emplace_back(code, entry.value.string());
    } else {
      problems.add(entry.at, fmt::format("'{}' is no number: here stand the device's codes, as in {{0: stopped, 1: "
                                         "running}}",
                                         printable(entry.key, 64)));
    }
  }
  return words;
}

std::optional<SeriesKind> read_kind(const Node& node) {
  static const std::vector<std::pair<std::string_view, SeriesKind>> kKinds = {{"number", SeriesKind::number},
                                                                              {"counter", SeriesKind::counter},
                                                                              {"boolean", SeriesKind::boolean},
                                                                              {"state", SeriesKind::state}};
  if (!node.has("kind")) return std::nullopt;
  const auto found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& known) { return known.first == node.string("kind"); });
  return found->second;
}

}  // namespace

std::vector<Shape::Field> value_fields() {
  return {
      optional("kind", Shape::choice({"number", "counter", "boolean", "state"}),
               "What the value is. Missing: what it looks like; text is a state."),
      optional("unit", Shape::text(), "As shown: °C, %, bar."),
      defaulted("scale", Shape::number(-kAnyNumber, kAnyNumber), "1", "The value read is multiplied by this."),
      defaulted("offset", Shape::number(-kAnyNumber, kAnyNumber), "0", "Then this is added."),
      defaulted("enum", words_shape(), "{}",
                "The device's codes in words, {0: stopped, 1: running}: the point is a state then."),
      defaulted("faults", words_shape(), "{}",
                "Codes by which the device says that it has no value, {32767: sensor broken}: bad, and told in words."),
      report_field(),
  };
}

ValueOptions read_value(const Node& node, Problems& problems) {
  ValueOptions value;
  value.kind = read_kind(node);
  if (node.has("unit")) value.unit = node.string("unit");
  value.scale = {node.number("scale"), node.number("offset")};
  value.states = read_words(node["enum"], problems);
  value.faults = read_words(node["faults"], problems);
  value.report = read_report(node["report"]);
  if (!value.states.empty()) {
    if (value.kind && *value.kind != SeriesKind::state) {
      problems.add(node["enum"].at, "a point with words for its codes is a state; leave kind out, or enum");
    }
    value.kind = SeriesKind::state;
  }
  return value;
}

const std::string* word_of(const Words& words, double code) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == code; });
  return found == words.end() ? nullptr : &found->second;
}

}  // namespace tidegate::drivers
