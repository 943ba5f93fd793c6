#pragma once

#include <cmath>

#include "gateway/config/schema.h"

namespace tidegate::config {

/// A configuration with every kind of shape in it, for the tests and the fuzzer.
inline Shape sample_shape() {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  const auto topic = [](std::string_view text) -> std::string {
    return text.find(' ') == std::string_view::npos ? "" : "'" + std::string(text) + "' is no topic: it has a space";
  };
  const Shape payload = Shape::variant(
      "How a payload is read.", "format", {},
      {{"json",
        Shape::object("A JSON text.", {defaulted("max_depth", Shape::integer(1, 64), "16", "Nesting allowed.")})},
       {"number", Shape::object("A plain number.", {optional("unit", Shape::text(), "As shown.")})}});
  const Shape subscription =
      Shape::object("", {required("topic", Shape::text_where("a topic", topic), "What to subscribe to."),
                         defaulted("payload", payload, "{format: number}", "What arrives there.")});
  const std::vector<Shape::Field> common = {
      required("name", Shape::text(), "How it is called."),
      defaulted("enabled", Shape::boolean(), "true", "Whether it runs."),
      defaulted("labels", Shape::map(Shape::text(), 3), "{}", "Added to each series.")};
  const Shape source = Shape::variant(
      "Where samples come from.", "type", common,
      {{"host", Shape::object("This machine.", {defaulted("every", Shape::duration(milliseconds(100), hours(1)), "2s",
                                                          "How often it is read.")})},
       {"mqtt",
        Shape::object("A broker.", {required("broker", Shape::text_where("an address", topic), "Its address."),
                                    optional("password", Shape::secret(), "To log in."),
                                    defaulted("qos", Shape::integer(0, 2), "1", "Quality of service."),
                                    required("subscriptions", Shape::list(subscription, 4), "What to take.")})}});
  const Shape level =
      Shape::either({Shape::quantity(), Shape::object("", {required("value", Shape::number(-1e6, 1e6), "The level."),
                                                           defaulted("unit", Shape::text(), "\"\"", "Its unit.")})});
  const Shape rule = Shape::object(
      "What samples mean.",
      {required("name", Shape::text(), "How it is called."), required("above", level, "The limit."),
       defaulted("for", Shape::duration(Micros(0), hours(24)), "0s", "How long it must hold."),
       defaulted("severity", Shape::choice({"info", "warning", "high", "critical"}), "warning", "How bad it is."),
       optional("factor", Shape::number(0, 10), "A number."), optional("extra", Shape::any(), "Anything.")});
  return Shape::object(
      "The gateway.",
      {required("gateway",
                Shape::object("The box.", {required("name", Shape::text(), "How it is called."),
                                           optional("site", Shape::text(), "Where it stands.")}),
                "Who it is."),
       defaulted("storage",
                 Shape::object("", {defaulted("max_size", Shape::size(1 << 20, 1ULL << 40), "1GiB", "Disk space."),
                                    defaulted("retention", Shape::duration(hours(1), hours(24 * 365)), "30d",
                                              "How long samples are kept.")}),
                 "{}", "Where samples are kept."),
       defaulted("sources", Shape::list(source), "[]", "Where samples come from."),
       defaulted("rules", Shape::list(rule), "[]", "What they mean.")});
}

}  // namespace tidegate::config
