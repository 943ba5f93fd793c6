#include "drivers/file/options.h"

#include <fmt/format.h>

namespace tidegate::drivers::file {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;
using std::chrono::days, std::chrono::hours, std::chrono::milliseconds;

constexpr std::size_t kMostColumns = 1000;
const std::vector<std::string> kPlaces = {"source", "field", "series"};

std::string template_problem(std::string_view text) {
  const auto parsed = Template::parse(text, kPlaces);
  return parsed ? "" : parsed.error().text;
}

Shape replay_shape() {
  constexpr double kSlowest = 0.001, kFastest = 1e6;
  return Shape::object(
      "Replays what `tidegate export --format csv` or `jsonl` wrote.",
      {defaulted("speed", Shape::either({Shape::choice({"max"}), Shape::number(kSlowest, kFastest)}), "1",
                 "Times as fast as it was; max: as fast as it can be stored."),
       defaulted("loop", Shape::boolean(), "false", "Begin again at the end."),
       defaulted("times", Shape::choice({"now", "own"}), "now",
                 "now: as if it happened now. own: the times that were recorded."),
       defaulted("counters", patterns_shape(), "[]", "What only ever grows, as recorded series' names or patterns."),
       defaulted("units", units_shape(), "{}", "Units by recorded series' name or pattern.")});
}

std::vector<Shape::Field> own_fields() {
  return {
      required("path", Shape::path(), "The file."),
      required("format", Shape::choice({"csv", "jsonl"}), "csv, or a JSON object a line."),
      optional("replay", replay_shape(), "It is a recording, to be replayed, and no file that grows."),
      optional("series", Shape::text_where("a series' name with {places}", template_problem),
               "The series' names: {source}, {field}; of a recording {series}. Missing: {source}/{field}, and {series} "
               "of a recording."),
      defaulted("columns", Shape::list(Shape::text(), kMostColumns), "[]",
                "Of csv: what the columns are called, \"\" leaves one out. Empty: as the file's first line says."),
      defaulted("separator", Shape::text(), "\",\"", "Of csv: what stands between two cells."),
      defaulted("every", Shape::duration(milliseconds(50), hours(1)), "1s", "How often it is looked for new lines."),
      defaulted("from", Shape::choice({"end", "beginning"}), "end",
                "Where reading begins when it is not known how far it was read."),
      optional("position", Shape::path(),
               "A file in which it is kept how far was read, so that a restart loses nothing and reads nothing twice."),
      defaulted("silent_after", Shape::duration(Micros{0}, days(365)), "0s",
                "When no line has come for so long the source is down and its values are bad; 0s: never."),
      defaulted("max_line", Shape::size(1, 16u << 20), "64KiB", "Longer lines are left out and shown."),
  };
}

std::optional<ReplayOptions> read_replay(const Node& section, Problems& problems) {
  if (!section.has("replay")) return std::nullopt;
  const Node& node = section["replay"];
  ReplayOptions replay;
  replay.speed = node.string("speed") == "max" ? 0 : node.number("speed");
  replay.loop = node.boolean("loop");
  replay.own_times = node.string("times") == "own";
  replay.counters = read_patterns(node["counters"]);
  replay.units = read_units(node["units"], problems);
  if (replay.loop && replay.own_times)
    problems.add(node["loop"].at, "what is looped cannot have its own times: they would come again and again");
  if (replay.speed == 0 && !replay.own_times)
    problems.add(node["speed"].at, "'speed: max' needs 'times: own': all would happen at once");
  for (const char* key :
       {"columns", "separator", "every", "from", "silent_after", "fields", "states", "ignore", "units"}) {
    if (!section[key].is_default) problems.add(section[key].at, fmt::format("'{}' has no meaning with 'replay'", key));
  }
  for (const char* key : {"position", "timestamp"}) {
    if (section.has(key)) problems.add(section[key].at, fmt::format("'{}' has no meaning with 'replay'", key));
  }
  return replay;
}

}  // namespace

Shape shape() {
  static const Shape made = [] {
    std::vector<Shape::Field> fields = own_fields();
    for (auto& field : fields_fields()) fields.push_back(std::move(field));
    return Shape::object("Follows a file of lines, or replays a recording.", std::move(fields));
  }();
  return made;
}

Options read_options(const Node& section, Problems& problems) {
  Options options;
  options.path = section.string("path");
  options.format = section.string("format") == "csv" ? Options::Format::csv : Options::Format::jsonl;
  options.replay = read_replay(section, problems);
  const std::string otherwise = options.replay ? "{series}" : "{source}/{field}";
  options.series = *Template::parse(section.has("series") ? section.string("series") : otherwise, kPlaces);
  options.max_line = static_cast<std::size_t>(section.bytes("max_line"));
  options.columns = section["columns"].strings();
  const std::string separator = section.string("separator");
  if (separator.size() != 1 || separator == "\"") {
    problems.add(section["separator"].at, "a separator is one character, \",\" \";\" or \"\\t\", and no quote");
  } else {
    options.separator = separator[0];
  }
  for (const char* key : {"columns", "separator"}) {
    if (!section[key].is_default && options.format != Options::Format::csv)
      problems.add(section[key].at, fmt::format("'{}' has a meaning with 'format: csv' only", key));
  }
  options.fields = read_fields(section, problems);
  options.every = section.duration("every");
  options.silent_after = section.duration("silent_after");
  options.from = section.string("from") == "end" ? Follower::From::end : Follower::From::beginning;
  if (section.has("position")) options.position = section.string("position");
  return options;
}

}  // namespace tidegate::drivers::file
