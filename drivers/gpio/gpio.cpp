#include "drivers/gpio/gpio.h"

#include <algorithm>

#include "drivers/gpio/source.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::gpio {
namespace {

using config::defaulted;
using config::Node;
using config::Problems;
using config::required;
using config::Shape;
using Fields = std::vector<Shape::Field>;

std::string series_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "not a series' name: levels with / between, none of + # { }";
}

/// Of inputs and outputs; then `more`, and what all points have.
Shape line_shape(std::string_view doc, Fields more) {
  Fields fields = {
      required("name", Shape::text_where("a series' name", series_problem), "What the series is called."),
      required("line", Shape::text(), "The line's name (gpioinfo shows them), or with a chip its number."),
      config::optional("chip", Shape::text(), "gpiochip0, a chip's label or number; missing: who has a line so named."),
      defaulted("active_low", Shape::boolean(), "false", "It is active at 0 V: a contact to ground.")};
  for (Shape::Field& field : more) fields.push_back(std::move(field));
  for (Shape::Field& field : value_fields()) fields.push_back(std::move(field));
  return Shape::object(doc, std::move(fields));
}

Shape input_shape() {
  return line_shape(
      "An input.",
      {defaulted("read", Shape::choice({"level", "pulses"}), "level",
                 "level: whether it is active; pulses: how often it became active since the gateway began, a counter."),
       defaulted("bias", Shape::choice({"as_is", "none", "up", "down"}), "as_is", "The pin's own resistor."),
       defaulted("debounce", Shape::duration(Micros{0}, std::chrono::seconds(10)), "0s",
                 "A change counts when it has lasted so long; a contact bounces for some milliseconds.")});
}

Shape output_shape() {
  return line_shape("An output.", {defaulted("initial", Shape::boolean(), "false",
                                             "Whether it is active when the gateway takes the line."),
                                   config::optional("writable", Shape::object("How it may be set.", writable_fields()),
                                                    "It may be set; missing: it stays as it is at first.")});
}

Shape shape() {
  static const Shape made = Shape::object(
      "Digital inputs and outputs, by libgpiod.",
      {defaulted("every", Shape::duration(std::chrono::milliseconds(100), std::chrono::hours(1)), "10s",
                 "How often counts, and levels that rest, are told; a level that changes is told at once."),
       defaulted("prefix", Shape::text(), "''", "What the series' names begin with; empty: the source's name."),
       defaulted("inputs", Shape::list(input_shape(), 256), "[]", "The lines that are read."),
       defaulted("outputs", Shape::list(output_shape(), 256), "[]", "The lines that are driven.")});
  return made;
}

Bias bias_of(const std::string& text) {
  if (text == "none") return Bias::off;
  if (text == "up") return Bias::pull_up;
  return text == "down" ? Bias::pull_down : Bias::as_is;
}

LineOptions read_line(const Node& node, Problems& problems) {
  LineOptions line{node.has("chip") ? node.string("chip") : "", node.string("line"), node.boolean("active_low")};
  double number = 0;
  if (line.chip.empty() && parse_number(line.line, number)) {
    problems.add(node["line"].at, "a line's number is of a chip: say which, as chip: gpiochip0");
  }
  return line;
}

InputOptions read_input(const Node& node, const std::string& prefix, Problems& problems) {
  InputOptions input{.series = prefix + '/' + node.string("name"), .line = read_line(node, problems)};
  input.line.bias = bias_of(node.string("bias"));
  input.pulses = node.string("read") == "pulses";
  input.debounce = node.duration("debounce");
  input.value = read_value(node, problems);
  if (input.pulses && input.value.scale.offset != 0) {
    problems.add(node["offset"].at, "a count begins at 0, so that it can be seen that it did: leave offset out");
  }
  return input;
}

OutputOptions read_output(const Node& node, const std::string& prefix, Problems& problems) {
  OutputOptions output{.series = prefix + '/' + node.string("name"), .line = read_line(node, problems)};
  output.line.output = node.boolean("initial");
  output.value = read_value(node, problems);
  const Words& words = output.value.states;
  if (std::any_of(words.begin(), words.end(), [](const auto& word) { return word.first != 0 && word.first != 1; })) {
    problems.add(node["enum"].at, "a line has the codes 0 and 1");
  }
  if (node.has("writable")) {
    output.writable = read_writable(node["writable"], output.series, SeriesKind::boolean, output.value, problems);
  }
  return output;
}

std::unique_ptr<Driver> make(const Node& section, const Context& context, Problems& problems) {
  Problems own;
  const std::string prefix = section.string("prefix").empty() ? section.string("name") : section.string("prefix");
  if (!valid_series_name(prefix)) own.add(section["prefix"].at, "prefix is no series' name");
  Options options{section.duration("every"), {}, {}};
  for (const Node& node : section["inputs"].items) options.inputs.push_back(read_input(node, prefix, own));
  for (const Node& node : section["outputs"].items) options.outputs.push_back(read_output(node, prefix, own));
  if (options.inputs.empty() && options.outputs.empty()) {
    own.add(section["inputs"].at, "nothing is read: list inputs, or outputs");
  }
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  return own.empty() ? make_source(std::move(options), system_lines(), context) : nullptr;
}

}  // namespace

DriverType type() {
  return {"gpio", "Digital inputs and outputs: contacts, the pulses of meters, relays.", shape(), make};
}

}  // namespace tidegate::drivers::gpio
