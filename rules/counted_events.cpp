// Kinds that are short forms of an expression: how often something was so, and what came after what.

#include <fmt/format.h>

#include "rules/kinds.h"
#include "rules/when.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

/// The key that says how long the window of a count is. Nothing, and a problem, where another one stands there.
std::optional<std::string_view> count_length(const Node& options, Problems& problems) {
  if (options["window"].refused) return std::nullopt;
  const std::string window = options.string("window");
  const std::string_view wanted = window == "session" ? "gap" : "within",
                         other = window == "session" ? "within" : "gap";
  if (options.has(other)) {
    problems.add(options[other].at, fmt::format("{} has no place with window: {}: write {}", other, window, wanted));
    return std::nullopt;
  }
  if (options.has(wanted)) return wanted;
  if (options[wanted].refused) return std::nullopt;
  problems.add(options.at, window == "session" ? "a session needs gap: so long after the last sample it is over"
                                               : "count needs within: the window in which it counts");
  return std::nullopt;
}

std::optional<Compiled> compile_count(const Node& options, Problems& problems) {
  const auto length_key = count_length(options, problems);
  if (options["of"].refused) return std::nullopt;
  const auto of = read_condition(options["of"], problems);
  if (!of || !length_key || !options.sound()) return std::nullopt;
  const std::string length = options.string(*length_key), window = options.string("window");
  const std::string_view before = window == "tumbling" ? "each " : window == "session" ? "session " : "";
  auto compiled =
      compile_condition(fmt::format("count({}, {}{}) > {}", of->text(), before, length, options.integer("more_than")),
                        options[*length_key], problems);
  if (compiled) {
    const std::string where = window == "session" ? "in a session" : "within " + length;
    compiled->message = fmt::format("{{series}}: {{value}} times {{rule}} {}", where);
  }
  return compiled;
}

std::optional<Compiled> compile_sequence(const Node& options, Problems& problems) {
  const Node &steps = options["steps"], &lacking = options["not"];
  std::string text;
  bool sound = options.sound();
  const bool lacks = options.has("not");
  if (lacks && !steps.refused && steps.items.empty()) {
    problems.add(steps.at, "what should follow follows something: steps: [\"pump == on\"]");
    return std::nullopt;
  }
  if (!lacks && !lacking.refused && !steps.refused && steps.items.size() < 2) {
    problems.add(steps.at, "a sequence has two steps at least: steps: [\"door == open\", \"temperature > 8 °C\"]");
    return std::nullopt;
  }
  for (const Node& step : steps.items) {
    if (step.refused) continue;
    const auto condition = read_condition(step, problems);
    sound = sound && condition;
    if (!condition) continue;
    text = text.empty() ? condition->text()
                        : fmt::format("then({}, {}, {})", text, condition->text(), options.string("within"));
  }
  if (lacks) {
    const auto condition = read_condition(lacking, problems);
    sound = sound && condition;
    if (condition) text = fmt::format("missed({}, {}, {})", text, condition->text(), options.string("within"));
  }
  return sound ? compile_condition(text, steps, problems) : std::nullopt;
}

}  // namespace

Kind count_kind() {
  return {"count", "Something was so too often.",
          Shape::object("Fires when a condition held for more than so many samples of a window.",
                        {config::required("of", Shape::text(), "A condition: \"value > 0\"."),
                         config::required("more_than", Shape::integer(0, 1'000'000), "How often it may hold."),
                         config::defaulted("window", Shape::choice({"sliding", "tumbling", "session"}), "sliding",
                                           "sliding: the last so long. tumbling: a day is cut into windows so long, by "
                                           "the local clock. session: samples that come closer together than gap."),
                         config::optional("within", Shape::duration(std::chrono::seconds(1), std::chrono::days(31)),
                                          "How long the window is: at time t a sliding one holds the samples with t - "
                                          "within < time <= t."),
                         config::optional("gap", Shape::duration(std::chrono::milliseconds(1), std::chrono::hours(23)),
                                          "So long after its last sample a session is over.")}),
          compile_count};
}

Kind sequence_kind() {
  const Shape time = Shape::duration(std::chrono::milliseconds(1), std::chrono::days(31));
  return {
      "sequence", "One thing after another.",
      Shape::object("Fires while the last step holds, when it began in time after the step before, and so on back.",
                    {config::required("steps", Shape::list(Shape::text(), 8),
                                      "Conditions in their order: [\"door == open\", \"temperature > 8 °C\"]."),
                     config::optional("not", Shape::text(),
                                      "What should follow the last step: fires when it has not for so long."),
                     config::required("within", time, "At most so long from a step to the beginning of the next.")}),
      compile_sequence};
}

}  // namespace tidegate::rules
