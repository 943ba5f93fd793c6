#include "drivers/snmp/options.h"

#include <fmt/format.h>

#include "drivers/snmp/names.h"

namespace tidegate::drivers::snmp {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;
using Fields = std::vector<Shape::Field>;

constexpr Micros kShortest = std::chrono::milliseconds(100), kLongest = std::chrono::hours(24);

std::string oid_problem(std::string_view text) {
  const auto oid = Oid::parse(text);
  return oid ? "" : oid.error().text;
}

std::string rows_problem(std::string_view text) { return text == "index" ? "" : oid_problem(text); }

std::string series_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "not a series' name: levels with / between, none of + # { }";
}

Shape name_shape() { return Shape::text_where("a series' name", series_problem); }
Shape oid_shape() { return Shape::text_where("an object identifier", oid_problem); }
Shape::Field every_field() {
  return optional("every", Shape::duration(kShortest, kLongest), "How often it is read; missing: as the source.");
}

Fields object_fields(const char* oid_doc) {
  Fields fields = {required("name", name_shape(), "What the series is called, below what it belongs to."),
                   required("oid", oid_shape(), oid_doc)};
  for (Shape::Field& field : value_fields()) fields.push_back(std::move(field));
  return fields;
}

Shape point_shape() {
  Fields fields = object_fields("The object with its instance: 1.3.6.1.2.1.1.3.0, sysUpTime.0.");
  fields.push_back(every_field());
  return Shape::object("An object of the agent.", std::move(fields));
}

Shape table_shape() {
  return Shape::object(
      "A table of the agent: a series for each row and column, TABLE/ROW/COLUMN.",
      {required("name", name_shape(), "What its series begin with."),
       defaulted("rows", Shape::text_where("a column, or index", rows_problem), "index",
                 "The column that names the rows, as ifDescr or its numbers; index: their number in the table."),
       defaulted("only", Shape::list(Shape::text()), "[]", "The rows that are read, by name; empty: all."),
       required("columns", Shape::list(Shape::object("A column.", object_fields("The column: ifHCInOctets."))),
                "What is read of each row."),
       every_field()});
}

Fields security_fields() {
  return {optional("community", Shape::secret(), "Of v1 and v2c; missing: public. Best as !secret KEY."),
          optional("user", Shape::text(), "Of v3."),
          defaulted("context", Shape::text(), "''", "Of v3."),
          optional("auth", Shape::choice({"md5", "sha", "sha256", "sha384", "sha512"}),
                   "By what the user proves who it is; missing: not at all."),
          optional("auth_password", Shape::secret(), "Eight characters or more; best as !secret KEY."),
          optional("privacy", Shape::choice({"des", "aes", "aes256"}), "What hides what is said; needs auth."),
          optional("privacy_password", Shape::secret(), "Eight characters or more; best as !secret KEY.")};
}

// What a MIB would say stands where the user says nothing.
void add_known(const Node& node, const Oid& oid, ValueOptions& value) {
  const Name* known = name_of(oid.text());
  if (known == nullptr) return;
  if (!node.has("unit")) value.unit = known->unit;
  if (node["scale"].is_default) value.scale.factor = known->scale;
  if (value.kind) return;
  value.kind = known->kind;
  value.states = known->words;
}

ObjectOptions read_object(const Node& node, Problems& problems) {
  ObjectOptions object{node.string("name"), *Oid::parse(node.string("oid")), read_value(node, problems)};
  add_known(node, object.oid, object.value);
  return object;
}

void check_password(const Node& section, const std::string& of, Problems& problems) {
  constexpr std::size_t kShortestPassword = 8;
  const std::string key = of + "_password";
  if (!section.has(of)) {
    if (section.has(key)) problems.add(section[key].at, fmt::format("{} is of no use without {}", key, of));
  } else if (!section.has(key)) {
    problems.add(section[of].at, fmt::format("{} needs {}", of, key));
  } else if (section.string(key).size() < kShortestPassword) {
    problems.add(section[key].at, fmt::format("{} has less than {} characters", key, kShortestPassword));
  }
}

void check_security(const Node& section, Version version, Problems& problems) {
  const bool three = version == Version::v3;
  for (const char* key : {"user", "auth", "auth_password", "privacy", "privacy_password"}) {
    if (!three && section.has(key)) problems.add(section[key].at, fmt::format("{} is of version: 3", key));
  }
  if (!three) return;
  if (section.has("community")) problems.add(section["community"].at, "version 3 has a user, and no community");
  if (!section.has("user")) problems.add(section.at, "version 3 needs a user");
  check_password(section, "auth", problems);
  check_password(section, "privacy", problems);
  if (section.has("privacy") && !section.has("auth")) problems.add(section["privacy"].at, "privacy needs auth");
}

Access read_access(const Node& section, Problems& problems) {
  const auto text = [&](const char* key, const char* missing) {
    return section.has(key) ? section.string(key) : std::string(missing);
  };
  Access access;
  access.host = section.string("host");
  access.port = static_cast<int>(section.integer("port"));
  const std::string version = section.string("version");
  access.version = version == "1" ? Version::v1 : version == "2c" ? Version::v2c : Version::v3;
  check_security(section, access.version, problems);
  access.community = text("community", "public");
  access.user = text("user", "");
  access.context = section.string("context");
  access.auth = text("auth", "");
  access.auth_password = text("auth_password", "");
  access.privacy = text("privacy", "");
  access.privacy_password = text("privacy_password", "");
  access.timeout = section.duration("timeout");
  access.retries = static_cast<int>(section.integer("retries"));
  return access;
}

}  // namespace

Shape shape() {
  static const Shape made = [] {
    Fields fields = {
        required("host", Shape::text(), "A name or an address."),
        defaulted("port", Shape::integer(1, 65535), "161", "UDP."),
        defaulted("version", Shape::choice({"1", "2c", "3"}), "2c", "Of SNMP."),
        defaulted("prefix", Shape::text(), "''", "What the series' names begin with; empty: the source's name."),
        defaulted("every", Shape::duration(kShortest, kLongest), "10s", "How often it is read."),
        defaulted("timeout", Shape::duration(std::chrono::milliseconds(50), std::chrono::seconds(10)), "1500ms",
                  "Of one try."),
        defaulted("retries", Shape::integer(0, 5), "1", "Tries after the first; UDP loses what it likes."),
        defaulted("max_objects", Shape::integer(1, 200), "24",
                  "Objects in one request; where an agent says that this is too big, half of it is tried, and so on."),
        defaulted("max_rows", Shape::integer(1, 10'000), "500", "The most rows of a table."),
        defaulted("points", Shape::list(point_shape()), "[]", "Single objects."),
        defaulted("tables", Shape::list(table_shape()), "[]", "Tables.")};
    for (Shape::Field& field : security_fields()) fields.push_back(std::move(field));
    return Shape::object("Asks a device for values by SNMP: a switch, a UPS, a printer, a computer.",
                         std::move(fields));
  }();
  return made;
}

Options read_options(const Node& section, Problems& problems) {
  Options options{read_access(section, problems),
                  section.string("prefix").empty() ? section.string("name") : section.string("prefix"),
                  static_cast<std::size_t>(section.integer("max_objects")),
                  static_cast<std::size_t>(section.integer("max_rows")),
                  {},
                  {}};
  if (!valid_series_name(options.prefix)) problems.add(section["prefix"].at, "prefix is no series' name");
  const auto every = [&](const Node& node) { return (node.has("every") ? node : section).duration("every"); };
  for (const Node& node : section["points"].items) {
    options.points.push_back({read_object(node, problems), every(node)});
  }
  for (const Node& node : section["tables"].items) {
    TableOptions table{node.string("name"), {}, node["only"].strings(), {}, every(node)};
    if (node.string("rows") != "index") table.rows = *Oid::parse(node.string("rows"));
    for (const Node& column : node["columns"].items) table.columns.push_back(read_object(column, problems));
    if (table.columns.empty()) problems.add(node["columns"].at, "a table without columns has nothing to read");
    options.tables.push_back(std::move(table));
  }
  if (options.points.empty() && options.tables.empty()) {
    problems.add(section.at, "nothing is read: give it points or tables");
  }
  return options;
}

}  // namespace tidegate::drivers::snmp
