#include "drivers/found.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "drivers/point.h"
#include "drivers/polled.h"
#include "drivers/troubles.h"

namespace tidegate::drivers {
namespace {

using config::defaulted;
using config::Node;
using config::Problems;
using config::required;
using config::Shape;

/// A sensor that the configuration lists.
struct Listed {
  std::string find, name;
  ValueOptions value;
};

struct Options {
  std::string prefix;
  Micros every;
  bool others;
  std::vector<Listed> listed;
};

std::string series_problem(std::string_view text) {
  return valid_series_name(text) ? "" : "not a series' name: levels with / between, none of + # { }";
}

Options read_options(const Node& section, Problems& problems) {
  Options options{section.string("prefix"), section.duration("every"), section.boolean("others"), {}};
  if (options.prefix.empty()) options.prefix = section.string("name");
  if (!valid_series_name(options.prefix)) problems.add(section["prefix"].at, "prefix is no series' name");
  for (const Node& node : section["points"].items) {
    options.listed.push_back({node.string("find"), node.has("name") ? node.string("name") : node.string("find"),
                              read_value(node, problems)});
    if (!valid_series_name(options.listed.back().name)) problems.add(node.at, "it needs a name that is a series' name");
  }
  if (options.listed.empty() && !options.others)
    problems.add(section.at, "nothing is read: list points, or others: true");
  return options;
}

class FindingDevice final : public PolledDevice {
 public:
  FindingDevice(Options options, std::unique_ptr<Finder> finder)
      : options_(std::move(options)), finder_(std::move(finder)) {
    for (const Listed& listed : options_.listed) points_.push_back({std::nullopt, &listed});
  }

  Status open(Sink&) override { return {}; }

  Result<std::string> read(std::size_t, Turn& turn) override {
    found_.clear();
    const Status status = finder_->find(found_, turn.stop);
    if (turn.stop.stop_requested()) return std::string();  // what was not looked at any more is not gone
    if (!status) return fail(status.error());
    Troubles troubles;
    for (Watched& watched : points_) watched.seen = false;
    for (const Found& found : found_) {
      if (Watched* watched = watched_of(found)) troubles.add(take(*watched, found, turn));
    }
    drop_unseen(turn, troubles);
    return troubles.text();
  }

  void lose(std::size_t, Reason why, Turn& turn) override {
    for (Watched& watched : points_) {
      if (watched.point) watched.point->lose(why, turn.clock.now(), turn.samples);
    }
  }

 private:
  struct Watched {
    std::optional<Point> point;      ///< nothing until it was seen
    const Listed* listed = nullptr;  ///< nullptr: one of the others
    std::string id{};                ///< of one of the others
    bool seen = false;
  };

  Watched* watched_of(const Found& found) {
    const auto is = [&](const Watched& watched) {
      if (watched.listed == nullptr) return watched.id == found.id;
      return watched.listed->find == found.id || (!found.other.empty() && watched.listed->find == found.other);
    };
    const auto known = std::find_if(points_.begin(), points_.end(), is);
    if (known != points_.end()) return &*known;
    return options_.others ? &points_.emplace_back(Watched{std::nullopt, nullptr, found.id}) : nullptr;
  }

  std::string take(Watched& watched, const Found& found, Turn& turn) {
    watched.seen = true;
    if (!watched.point) {
      ValueOptions value = watched.listed != nullptr ? watched.listed->value : ValueOptions{};
      if (value.unit.empty()) value.unit = found.unit;
      const std::string& name = watched.listed != nullptr ? watched.listed->name : watched.id;
      watched.point.emplace(options_.prefix + '/' + name, std::move(value));
    }
    Point& point = *watched.point;
    if (!point.is_open()) {
      if (Status opened = point.open(turn.sink, found.kind, options_.every); !opened) return opened.error().text;
    }
    if (found.value)
      return point.take(turn.sink, {Reading::Type::number, *found.value}, turn.clock.now(), turn.samples);
    const bool own = found.value.error().code == Errc::corrupt;
    point.lose(own ? Reason::device_fault : Reason::no_answer, turn.clock.now(), turn.samples);
    return fmt::format("{}: {}", point.series(), found.value.error().text);
  }

  void drop_unseen(Turn& turn, Troubles& troubles) {
    for (Watched& watched : points_) {
      if (watched.seen) continue;
      if (watched.point) watched.point->lose(Reason::no_answer, turn.clock.now(), turn.samples);
      if (watched.listed != nullptr) troubles.add(fmt::format("{} is not there", watched.listed->find));
    }
    std::erase_if(points_, [](const Watched& watched) { return !watched.seen && watched.listed == nullptr; });
  }

  const Options options_;
  const std::unique_ptr<Finder> finder_;
  std::vector<Watched> points_;
  std::vector<Found> found_;
};

}  // namespace

std::vector<Shape::Field> finding_fields(std::string_view every, Micros shortest, std::string_view example) {
  std::vector<Shape::Field> point = {
      required("find", Shape::text(), fmt::format("The sensor's id, as {}.", example)),
      config::optional("name", Shape::text_where("a series' name", series_problem), "Its series; missing: the id.")};
  for (Shape::Field& field : value_fields()) point.push_back(std::move(field));
  return {defaulted("every", Shape::duration(shortest, std::chrono::hours(24)), std::string(every),
                    "How often it is read."),
          defaulted("prefix", Shape::text(), "''", "What the series' names begin with; empty: the source's name."),
          defaulted("root", Shape::path(), "/", "Where sys is found; in a container, the machine's own."),
          defaulted("points", Shape::list(Shape::object("A sensor.", std::move(point))), "[]",
                    "Sensors with names and more of their own; one that is not there is bad."),
          defaulted("others", Shape::boolean(), "true", "Whether what is not among the points is read too.")};
}

std::unique_ptr<Driver> make_finding(const Node& section, std::unique_ptr<Finder> finder, const Context& context,
                                     Problems& problems) {
  Problems own;
  Options options = read_options(section, own);
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  const Micros every = options.every;
  std::vector<Polled> devices;
  devices.push_back({"", {every}, std::make_unique<FindingDevice>(std::move(options), std::move(finder))});
  return make_polled(std::move(devices), "all sensors are read", context);
}

}  // namespace tidegate::drivers
