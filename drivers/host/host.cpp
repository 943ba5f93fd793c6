#include "drivers/host/host.h"

#include <fmt/format.h>

#include <cmath>

#include "drivers/host/readings.h"
#include "drivers/poller.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::host {

namespace {

struct Options {
  Micros every;
  std::string prefix;
  std::filesystem::path root;
  std::vector<std::string> groups;
  Wanted wanted;
};

class HostDriver final : public Driver {
 public:
  HostDriver(Options options, const Context& context) : options_(std::move(options)), context_(context) {}

  Status run(Sink& sink, std::stop_token stop) override {
    sink_ = &sink;
    groups_.clear();
    for (const std::string& name : options_.groups)
      groups_.push_back({make_group(name, options_.root, options_.wanted), {}});
    poll(context_.clock.now());  // rates need a first reading as soon as may be
    poll_aligned(options_.every, context_.clock, turns_, stop, [this](Timestamp now) { poll(now); });
    return {};
  }
  std::optional<Turns> turns() const override { return turns_.turns(); }

 private:
  struct Series {
    std::optional<SeriesId> id;  // nothing: the sink refused it
    bool read = false;           // in this poll
  };
  struct Watched {
    std::unique_ptr<Group> group;
    std::map<std::string, Series, std::less<>> series;
  };

  void poll(Timestamp now) {
    samples_.clear();
    problems_.clear();
    std::size_t failed = 0;
    for (Watched& watched : groups_) failed += read(watched, now) ? 0 : 1;
    sink_->push(samples_);
    report(failed);
  }

  bool read(Watched& watched, Timestamp now) {
    readings_.clear();
    const Status status = watched.group->read(now, readings_);
    for (auto& [path, series] : watched.series) series.read = false;
    for (const Reading& reading : readings_) take(watched, reading, now);
    mark_unread(watched, now, status.has_value());
    if (!status) note(status.error().text);
    return status.has_value();
  }

  void take(Watched& watched, const Reading& reading, Timestamp now) {
    auto at = watched.series.find(reading.path);
    if (at == watched.series.end()) {
      if (!reading.value && reading.state.empty()) return;  // a series begins with its first value
      at = watched.series.emplace(reading.path, Series{make_series(reading), false}).first;
    }
    at->second.read = true;
    if (!at->second.id) return;
    if (!reading.state.empty()) {
      take_state(*at->second.id, reading.state, now);
    } else if (reading.value) {
      const bool finite = std::isfinite(*reading.value);
      samples_.push_back({*at->second.id, finite ? Quality::good : Quality::bad,
                          finite ? Reason::none : Reason::not_a_number, now, finite ? *reading.value : 0});
    }
  }

  void take_state(SeriesId id, const std::string& state, Timestamp now) {
    const auto label = sink_->label(id, state);
    if (label) samples_.push_back({id, Quality::good, Reason::none, now, *label});
    if (!label) refused_ = label.error().text;
  }

  // A group that failed says so with every series that it could not read. In a group that was read, what is missing
  // was unplugged: told once, and begun anew when it comes back.
  void mark_unread(Watched& watched, Timestamp now, bool group_was_read) {
    for (auto at = watched.series.begin(); at != watched.series.end();) {
      const bool missing = !at->second.read;
      if (missing && at->second.id) samples_.push_back({*at->second.id, Quality::bad, Reason::no_answer, now, 0});
      at = missing && group_was_read ? watched.series.erase(at) : std::next(at);
    }
  }

  std::optional<SeriesId> make_series(const Reading& reading) {
    const SeriesInfo info{reading.kind, reading.unit, context_.source, options_.every, {}};
    const auto id = sink_->series(options_.prefix + '/' + reading.path, info);
    if (!id) refused_ = id.error().text;
    return id ? std::optional(*id) : std::nullopt;
  }

  void note(std::string_view problem) {
    if (!problems_.empty()) problems_ += "; ";
    problems_ += problem;
  }

  void report(std::size_t failed) {
    if (!refused_.empty()) note(refused_);
    if (problems_.empty()) {
      sink_->report(SourceHealth::up, fmt::format("this machine, every {}", age_text(options_.every)));
    } else {
      const auto health = failed == groups_.size() ? SourceHealth::down : SourceHealth::degraded;
      sink_->report(health, fmt::format("{}; trying again every {}", problems_, age_text(options_.every)));
    }
  }

  const Options options_;
  const Context context_;
  TurnMeter turns_{context_};
  Sink* sink_ = nullptr;
  std::vector<Watched> groups_;
  std::vector<Reading> readings_;
  std::vector<Sample> samples_;
  std::string problems_;
  std::string refused_;
};

std::string check_prefix(std::string_view prefix) {
  return valid_series_name(prefix) ? "" : "a prefix is the beginning of a series name, such as hall3/gateway";
}

config::Shape options() {
  using config::Shape;
  using std::chrono::hours, std::chrono::milliseconds;
  return Shape::object(
      "The machine that the gateway runs on.",
      {config::defaulted("every", Shape::duration(milliseconds(200), hours(1)), "2s", "How often it is read."),
       config::optional("prefix", Shape::text_where("a series prefix", check_prefix),
                        "What the series' names begin with; the source's name where it is left out."),
       config::defaulted("groups", Shape::list(Shape::choice(group_names())),
                         "[cpu, memory, disk, wear, network, temperature, uptime, ntp, process, units]",
                         "What is read."),
       config::defaulted("processes", Shape::list(Shape::text(), 64), "[]",
                         "Programs that are watched, by name: mosquitto."),
       config::defaulted("units", Shape::list(Shape::text(), 64), "[]",
                         "Units of systemd whose state is read: mosquitto.service."),
       config::defaulted("root", Shape::path(), "/", "Where proc and sys are found, for a gateway in a container.")});
}

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  Options options{section.duration("every"),
                  section.has("prefix") ? section.string("prefix") : context.source,
                  section.string("root"),
                  section["groups"].strings(),
                  {section["processes"].strings(), section["units"].strings()}};
  if (options.groups.empty()) {
    problems.add(section["groups"].at, "no group is left to read; name at least one, or set enabled: false");
    return nullptr;
  }
  return std::make_unique<HostDriver>(std::move(options), context);
}

}  // namespace

DriverType type() {
  return {"host", "This machine: processor, memory, disks, network, temperatures and uptime.", options(), make};
}

}  // namespace tidegate::drivers::host
