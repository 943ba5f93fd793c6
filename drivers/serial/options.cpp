#include "drivers/serial/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/csv_record.h"
#include "drivers/serial/key_value.h"
#include "drivers/serial/nmea.h"
#include "drivers/text_pattern.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::serial {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;
using std::chrono::hours, std::chrono::milliseconds;

constexpr std::size_t kMostColumns = 1000;
const std::vector<std::string> kPlaces = {"source", "field"};

std::string template_problem(std::string_view text) {
  const auto parsed = Template::parse(text, kPlaces);
  return parsed ? "" : parsed.error().text;
}

std::string path_problem(std::string_view text) {
  return text.starts_with('/') ? "" : "a port is a path, such as /dev/serial/by-id/usb-FTDI_FT232R_A50285BI-if00-port0";
}

Shape baud_shape() {
  std::vector<std::string> all;
  for (const int baud : bauds()) all.push_back(std::to_string(baud));
  return Shape::choice(std::move(all));
}

std::vector<Shape::Field> port_fields() {
  return {
      required("port", Shape::text_where("a path", path_problem),
               "The port; best by what it is, /dev/serial/by-id/..., which stays when it is plugged in elsewhere."),
      defaulted("baud", baud_shape(), "\"9600\"", "Bits a second, as the device has them."),
      defaulted("data_bits", Shape::integer(7, 8), "8", "Bits of a byte."),
      defaulted("parity", Shape::choice({"none", "even", "odd"}), "none", "The bit that checks a byte."),
      defaulted("stop_bits", Shape::integer(1, 2), "1", "Bits behind a byte."),
      defaulted("flow_control", Shape::choice({"none", "hardware", "software"}), "none",
                "How one side has the other wait: RTS/CTS, or XON/XOFF."),
  };
}

std::vector<Shape::Field> line_fields() {
  const Shape expression = Shape::text_where("a regular expression with named groups", expression_problem);
  return {
      required("format", Shape::choice({"nmea", "csv", "key_value", "pattern", "json"}), "What a line is."),
      optional("request", Shape::text(),
               "What is sent before each reading, \"READ\\r\\n\". Missing: the device sends by itself."),
      defaulted("every", Shape::duration(milliseconds(50), hours(24)), "1s", "With request: how often."),
      defaulted("timeout", Shape::duration(milliseconds(50), hours(24)), "5s",
                "A device that has said nothing that can be read for so long is silent: its values are bad then."),
      defaulted("line_end", Shape::text(), "\"\"", "What ends a line, \"\\x03\". Empty: CR, LF or both."),
      defaulted("max_line", Shape::integer(1, 65'536), "1024", "Bytes of a line; longer ones are left out."),
      defaulted("columns", Shape::list(Shape::text(), kMostColumns), "[]",
                "Of csv: what the columns are called; \"\" leaves one out. One without a name is called by its number, "
                "from 1."),
      defaulted("separator", Shape::text(), "\",\"", "Of csv: what stands between two cells."),
      defaulted("pattern", Shape::either({expression, Shape::list(expression, 100)}), "[]",
                "A regular expression (RE2), or several, whose named groups are the values: "
                "'(?P<weight>[0-9.]+) *kg'."),
      defaulted("checksums", Shape::boolean(), "true", "Of nmea: a sentence without a checksum is refused."),
      defaulted("series", Shape::text_where("a series' name with {places}", template_problem), "\"{source}/{field}\"",
                "The series' names: {source}, {field}."),
  };
}

Format::Kind kind_of(std::string_view name) {
  return name == "nmea"        ? Format::Kind::nmea
         : name == "csv"       ? Format::Kind::csv
         : name == "key_value" ? Format::Kind::key_value
         : name == "pattern"   ? Format::Kind::pattern
                               : Format::Kind::json;
}

PortOptions read_port(const Node& section) {
  using Parity = PortOptions::Parity;
  using Flow = PortOptions::Flow;
  PortOptions port;
  port.path = section.string("port");
  port.baud = std::stoi(section.string("baud"));  // one of a list
  port.data_bits = static_cast<int>(section.integer("data_bits"));
  port.stop_bits = static_cast<int>(section.integer("stop_bits"));
  const std::string parity = section.string("parity"), flow = section.string("flow_control");
  port.parity = parity == "even" ? Parity::even : parity == "odd" ? Parity::odd : Parity::none;
  port.flow = flow == "hardware" ? Flow::hardware : flow == "software" ? Flow::software : Flow::none;
  return port;
}

Format read_format(const Node& section, Problems& problems) {
  using Kind = Format::Kind;
  Format format;
  format.kind = kind_of(section.string("format"));
  format.columns = section["columns"].strings();
  const Node& pattern = section["pattern"];
  format.pattern = pattern.kind == Node::Kind::list ? pattern.strings() : std::vector<std::string>{pattern.string()};
  format.checksums = section.boolean("checksums");
  format.max_line = static_cast<std::size_t>(section.integer("max_line"));
  const std::string separator = section.string("separator");
  if (separator.size() != 1 || separator == "\"") {
    problems.add(section["separator"].at, "a separator is one character, \",\" \";\" or \"\\t\", and no quote");
  } else {
    format.separator = separator[0];
  }
  const std::pair<const char*, Kind> only[] = {
      {"columns", Kind::csv}, {"separator", Kind::csv}, {"pattern", Kind::pattern}, {"checksums", Kind::nmea}};
  for (const auto& [key, kind] : only) {
    if (!section[key].is_default && format.kind != kind)
      problems.add(section[key].at,
                   fmt::format("'{}' has no meaning with 'format: {}'", key, section.string("format")));
  }
  if (format.kind == Kind::pattern && format.pattern.empty())
    problems.add(section["format"].at, "'format: pattern' needs a 'pattern' that says where the values stand");
  return format;
}

/// The units that the format knows give way to those of the user.
void know_units(FieldsRule& rule) {
  Units units = nmea_units();
  for (FieldRule& field : rule.fields) {
    if (field.value.unit.empty() && field.value.scale.factor == 1) field.value.unit = unit_of(units, field.path);
  }
  units.insert(units.end(), rule.units.begin(), rule.units.end());
  rule.units = std::move(units);
}

}  // namespace

std::unique_ptr<RecordDecoder> make_decoder(const Format& format) {
  constexpr std::size_t kMaxDepth = 16, kMostValues = 1000;
  switch (format.kind) {
    case Format::Kind::nmea:
      return std::make_unique<NmeaRecords>(format.checksums);
    case Format::Kind::csv:
      return std::make_unique<CsvRecords>(format.columns, format.separator);
    case Format::Kind::key_value:
      return std::make_unique<KeyValueRecords>();
    case Format::Kind::pattern:
      return std::move(*pattern_records(format.pattern));  // checked by their shape
    default:
      return json_records({format.max_line, kMaxDepth, kMostValues});
  }
}

Shape shape() {
  static const Shape made = [] {
    std::vector<Shape::Field> fields = port_fields();
    for (auto& field : line_fields()) fields.push_back(std::move(field));
    for (auto& field : fields_fields()) fields.push_back(std::move(field));
    return Shape::object("Reads lines by a serial port.", std::move(fields));
  }();
  return made;
}

Options read_options(const Node& section, Problems& problems) {
  Options options;
  options.port = read_port(section);
  options.format = read_format(section, problems);
  options.fields = read_fields(section, problems);
  if (options.format.kind == Format::Kind::nmea) know_units(options.fields);
  options.series = *Template::parse(section.string("series"), kPlaces);  // checked by its shape
  if (section.has("request")) options.request = section.string("request");
  options.every = section.duration("every");
  options.timeout = section.duration("timeout");
  options.line_end = section.string("line_end");
  if (!section["every"].is_default && options.request.empty())
    problems.add(section["every"].at, "'every' needs a 'request': what sends by itself says when");
  return options;
}

}  // namespace tidegate::drivers::serial
