#include "drivers/simulator/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "drivers/poller.h"
#include "drivers/simulator/plant.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::simulator {

namespace {

struct Options {
  Micros every;
  std::string prefix;  // "" or ending in '/'
  PlantOptions plant;
};

class SimulatorDriver final : public Driver {
 public:
  SimulatorDriver(Options options, const Context& context)
      : options_(std::move(options)), context_(context), plant_(options_.plant) {}

  Status run(Sink& sink, std::stop_token stop) override {
    series_.clear();
    for (const Point& point : kPoints) {
      const auto id = sink.series(options_.prefix + std::string(point.path), info(point));
      if (!id) return fail(id.error());
      series_.push_back(*id);
    }
    last_ = context_.clock.now();
    poll_aligned(options_.every, context_.clock, turns_, stop, [&](Timestamp now) { poll(sink, now); });
    return {};
  }
  std::optional<Turns> turns() const override { return turns_.turns(); }

 private:
  SeriesInfo info(const Point& point) const {
    return {point.kind, std::string(point.unit), context_.source, options_.every, {}};
  }

  void poll(Sink& sink, Timestamp now) {
    constexpr Micros kMostAtOnce = std::chrono::minutes(1);  // a step of the clock is no reason to simulate a year
    plant_.step(std::clamp(now - last_, Micros{0}, std::max(kMostAtOnce, options_.every)));
    last_ = now;
    samples_.clear();
    const auto readings = plant_.read();
    for (std::size_t i = 0; i < readings.size(); ++i) samples_.push_back(sample(sink, series_[i], readings[i], now));
    sink.push(samples_);
    report(sink);
  }

  static Sample sample(Sink& sink, SeriesId id, const Reading& reading, Timestamp now) {
    if (!reading.answered) return {id, Quality::bad, Reason::no_answer, now, 0};
    if (reading.state.empty()) return {id, Quality::good, Reason::none, now, reading.value};
    const auto code = sink.label(id, reading.state);
    if (!code) return {id, Quality::bad, Reason::wrong_type, now, 0};
    return {id, Quality::good, Reason::none, now, *code};
  }

  void report(Sink& sink) const {
    const Fault fault = plant_.fault();
    const std::string text = fmt::format("a simulated plant, every {}", age_text(options_.every));
    const auto health = fault == Fault::sensor_lost ? SourceHealth::degraded : SourceHealth::up;
    sink.report(health, fault == Fault::none ? text : fmt::format("{}; fault: {}", text, sentence(fault)));
  }

  const Options options_;
  const Context context_;
  TurnMeter turns_{context_};
  Plant plant_;
  std::vector<SeriesId> series_;
  std::vector<Sample> samples_;
  Timestamp last_{};
};

std::string check_prefix(std::string_view prefix) {
  return valid_series_name(prefix) ? "" : "a prefix is the beginning of a series name, such as demo";
}

config::Shape options() {
  using config::Shape;
  using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds;
  constexpr std::int64_t kMostSeed = 9'007'199'254'740'991;  // exact in a JSON number
  return Shape::object(
      "A simulated plant.",
      {config::defaulted("every", Shape::duration(milliseconds(100), hours(1)), "1s", "How often it is read."),
       config::optional("prefix", Shape::text_where("a series prefix", check_prefix),
                        "What the series' names begin with; nothing where it is left out."),
       config::defaulted("seed", Shape::integer(0, kMostSeed), "1", "The same seed gives the same noise and faults."),
       config::defaulted("faults", Shape::boolean(), "true", "false keeps the plant in good health."),
       config::defaulted("first_fault", Shape::duration(seconds(0), hours(24)), "20s",
                         "How long after the start the first fault begins: the cold room's door left open."),
       config::defaulted("fault_every", Shape::duration(seconds(30), hours(24)), "3m",
                         "From one fault's beginning to the next one's, give or take a fifth.")});
}

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems&) {
  const std::string prefix = section.has("prefix") ? section.string("prefix") + '/' : "";
  const PlantOptions plant{static_cast<std::uint64_t>(section.integer("seed")), section.boolean("faults"),
                           section.duration("first_fault"), section.duration("fault_every")};
  return std::make_unique<SimulatorDriver>(Options{section.duration("every"), prefix, plant}, context);
}

}  // namespace

DriverType type() { return {"simulator", "A plant that is not there, to try rules on.", options(), make}; }

}  // namespace tidegate::drivers::simulator
