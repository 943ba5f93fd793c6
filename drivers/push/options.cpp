#include "drivers/push/options.h"

#include <fmt/format.h>

#include "drivers/payload.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::push {
namespace {

using config::defaulted;
using config::Shape;

std::string template_problem(std::string_view text) {
  const auto parsed = Template::parse(text, {});
  return parsed ? "" : parsed.error().text;
}

std::string document_template_problem(std::string_view text) {
  const auto parsed = Template::parse(text, {});
  if (!parsed) return parsed.error().text;
  for (const std::string& place : parsed->names()) {
    if (place == "source" || place == "field") continue;
    if (const auto path = path_of_pointer(place); !path)
      return fmt::format("{{{}}} is none of {{source}}, {{field}} and a JSON pointer such as {{/device/id}}",
                         printable(place, 64));
  }
  return "";
}

Shape document_shape() {
  std::vector<Shape::Field> fields = {defaulted(
      "series", Shape::text_where("a series' name with {places}", document_template_problem), "\"{source}/{field}\"",
      "The series' names: {source}, {field}, and what stands in the document, {/device/id}.")};
  for (auto& field : fields_fields()) fields.push_back(std::move(field));
  return Shape::object("How any other JSON is read, which is sent to /api/v1/documents.", std::move(fields));
}

std::optional<DocumentRule> read_document(const config::Node& section, config::Problems& problems) {
  if (!section.has("document")) return std::nullopt;
  const config::Node& node = section["document"];
  return DocumentRule{*Template::parse(node.string("series"), {}), read_fields(node, problems)};
}

}  // namespace

Shape shape() {
  static const Shape made = Shape::object(
      "Takes what programs send: to /api/v1/samples, /api/v2/write, /api/v1/prometheus/write and /api/v1/documents.",
      {defaulted("series", Shape::text_where("a series' name with {places}", template_problem),
                 "\"{measurement}/{tags}/{field}\"",
                 "The series' names of line protocol, and of Prometheus without {field}: {measurement}, {field}, "
                 "{source}, tags by their "
                 "keys ({host}), and {tags} for all that are not named. Tags that are in no name become labels."),
       defaulted("units", units_shape(), "{}", "Units by series' name or pattern: {boiler1/temperature: °C}."),
       defaulted("counters", patterns_shape(), "[]", "What only ever grows, as series' names or patterns."),
       defaulted("ignore", patterns_shape(), "[]", "What is left out, as series' names or patterns."),
       defaulted("silent_after", Shape::duration(Micros{0}, std::chrono::days(365)), "5m",
                 "When nothing has come for so long the source is shown as down; 0s: never."),
       config::optional("document", document_shape(), "How any other JSON is read, such as that of a webhook.")});
  return made;
}

Options read_options(const config::Node& section, config::Problems& problems) {
  return {*Template::parse(section.string("series"), {}),  // checked by its shape
          read_units(section["units"], problems),
          read_patterns(section["counters"]),
          read_patterns(section["ignore"]),
          section.duration("silent_after"),
          read_document(section, problems)};
}

}  // namespace tidegate::drivers::push
