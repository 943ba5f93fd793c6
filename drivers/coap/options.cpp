#include "drivers/coap/options.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::drivers::coap {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;

std::string series_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "not a series' name: levels with / between, none of + # { }";
}

std::string path_problem(std::string_view text) {
  return text.starts_with('/') ? "" : "a path begins with /: /sensors/temperature?unit=C";
}

std::string host_problem(std::string_view text) {
  const bool port = std::count(text.begin(), text.end(), ':') == 1;  // an address of IPv6 has more
  const bool plain = !text.empty() && text.find_first_of("/[] ") == text.npos && !port;
  return plain ? ""
               : "a name or an address alone, as 192.168.1.5 or fd00::5; the port stands in `port`, a path in `path`";
}

Shape point_shape() {
  std::vector<Shape::Field> fields = {
      required("name", Shape::text_where("a series' name", series_problem), "What the series is called."),
      defaulted("pointer", Shape::text_where("a JSON pointer", pointer_problem), "''",
                "Where the value stands in JSON or CBOR: /temperature, /sensors/0/value."),
      defaulted("format", Shape::choice({"auto", "text", "json", "cbor"}), "auto",
                "Of the answer; auto: as it says itself, else text.")};
  for (Shape::Field& field : value_fields()) fields.push_back(std::move(field));
  return Shape::object("A value of the answer.", std::move(fields));
}

Shape resource_shape() {
  return Shape::object(
      "A resource of the server.",
      {required("path", Shape::text_where("a path", path_problem), "With its query: /sensors/temperature?unit=C."),
       defaulted("observe", Shape::boolean(), "true",
                 "The server is asked to send changes by itself (RFC 7641); many do not, and are polled then."),
       required("points", Shape::list(point_shape(), 256), "What is read of it.")});
}

void read_security(const Node& section, Access& access, Problems& problems) {
  access.secure = section.boolean("secure");
  for (const char* key : {"identity", "key"}) {
    if (access.secure && !section.has(key))
      problems.add(section["secure"].at, fmt::format("secure: true needs {}", key));
    if (!access.secure && section.has(key)) problems.add(section[key].at, fmt::format("{} is of secure: true", key));
  }
  if (section.has("identity")) access.identity = section.string("identity");
  if (section.has("key")) access.key = section.string("key");
}

Format format_of_word(const std::string& word) {
  if (word == "text") return Format::text;
  if (word == "json") return Format::json;
  return word == "cbor" ? Format::cbor : Format::automatic;
}

}  // namespace

Shape shape() {
  static const Shape made = Shape::object(
      "Asks and observes a CoAP server: small sensors on radio, Thread or 6LoWPAN.",
      {required("host", Shape::text_where("a name or an address", host_problem), "A name or an address."),
       optional("port", Shape::integer(1, 65535), "UDP; missing: 5683, with secure 5684."),
       defaulted("secure", Shape::boolean(), "false", "DTLS with a pre-shared key."),
       optional("identity", Shape::text(), "With secure: by which the server knows the key."),
       optional("key", Shape::secret(), "With secure: the pre-shared key; best as !secret KEY."),
       defaulted("prefix", Shape::text(), "''", "What the series' names begin with; empty: the source's name."),
       defaulted("every", Shape::duration(std::chrono::milliseconds(500), std::chrono::hours(24)), "30s",
                 "How often each resource is asked; of one that is observed, the observing is renewed."),
       defaulted("timeout", Shape::duration(std::chrono::milliseconds(500), std::chrono::seconds(60)), "5s",
                 "Of a request with its two repetitions."),
       required("resources", Shape::list(resource_shape(), 1000), "What is read.")});
  return made;
}

Options read_options(const Node& section, Problems& problems) {
  Options options;
  options.access.host = section.string("host");
  options.access.timeout = section.duration("timeout");
  options.every = section.duration("every");
  read_security(section, options.access, problems);
  options.access.port = section.has("port")     ? static_cast<int>(section.integer("port"))
                        : options.access.secure ? 5684
                                                : 5683;
  const std::string prefix = section.string("prefix").empty() ? section.string("name") : section.string("prefix");
  if (!valid_series_name(prefix)) problems.add(section["prefix"].at, "prefix is no series' name");
  for (const Node& node : section["resources"].items) {
    const std::string path = node.string("path");
    const std::size_t query = std::min(path.find('?'), path.size());
    ResourceOptions resource{
        {path.substr(0, query), query < path.size() ? path.substr(query + 1) : "", node.boolean("observe")}, {}};
    for (const Node& point : node["points"].items) {
      resource.points.push_back({prefix + '/' + point.string("name"), point.string("pointer"),
                                 format_of_word(point.string("format")), read_value(point, problems)});
    }
    options.resources.push_back(std::move(resource));
  }
  if (options.resources.empty()) problems.add(section["resources"].at, "nothing is read: list resources");
  return options;
}

}  // namespace tidegate::drivers::coap
