// Kinds that are short forms of an expression: how often something was so, and what came after what.

#include <fmt/format.h>

#include "rules/kinds.h"
#include "rules/when.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

std::optional<Compiled> compile_count(const Node& options, Problems& problems) {
  if (options["of"].refused) return std::nullopt;
  const auto of = read_condition(options["of"], problems);
  if (!of || !options.sound()) return std::nullopt;
  const std::string within = options.string("within");
  auto compiled = compile_condition(fmt::format("count({}, {}) > {}", of->text(), within, options.integer("more_than")),
                                    options["of"], problems);
  if (compiled) compiled->message = fmt::format("{{series}}: {{value}} times {} within {}", "{rule}", within);
  return compiled;
}

std::optional<Compiled> compile_sequence(const Node& options, Problems& problems) {
  const Node& steps = options["steps"];
  std::string text;
  bool sound = options.sound();
  if (!steps.refused && steps.items.size() < 2) {
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
  return sound ? compile_condition(text, steps, problems) : std::nullopt;
}

}  // namespace

Kind count_kind() {
  return {"count", "Something was so too often.",
          Shape::object("Fires when a condition held for more than so many samples of a window.",
                        {config::required("of", Shape::text(), "A condition: \"value > 0\"."),
                         config::required("more_than", Shape::integer(0, 1'000'000), "How often it may hold."),
                         config::required("within", Shape::duration(std::chrono::seconds(1), std::chrono::days(31)),
                                          "The window: at time t it holds the samples with t - within < time <= t.")}),
          compile_count};
}

Kind sequence_kind() {
  const Shape time = Shape::duration(std::chrono::milliseconds(1), std::chrono::days(31));
  return {
      "sequence", "One thing after another.",
      Shape::object("Fires while the last step holds, when it began in time after the step before, and so on back.",
                    {config::required("steps", Shape::list(Shape::text(), 8),
                                      "Conditions in their order: [\"door == open\", \"temperature > 8 °C\"]."),
                     config::required("within", time, "At most so long from a step to the beginning of the next.")}),
      compile_sequence};
}

}  // namespace tidegate::rules
