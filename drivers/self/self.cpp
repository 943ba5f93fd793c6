#include "drivers/self/self.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <vector>

#include "drivers/poller.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::self {

namespace {

class SelfDriver final : public Driver {
 public:
  SelfDriver(Micros every, const Context& context) : every_(every), context_(context) {}

  Status run(Sink& sink, std::stop_token stop) override {
    ids_.clear();
    refused_.clear();
    poll_aligned(every_, context_.clock, turns_, stop, [&](Timestamp now) { poll(sink, now); });
    return {};
  }
  std::optional<Turns> turns() const override { return turns_.turns(); }

 private:
  void poll(Sink& sink, Timestamp now) {
    samples_.clear();
    context_.metrics.for_each([&](const Metric& metric) {
      if (const auto id = series_of(sink, metric)) samples_.push_back(sample(*id, now, metric.value()));
    });
    sink.push(samples_);
    if (refused_.empty()) {
      sink.report(SourceHealth::up,
                  fmt::format("{} metrics of the gateway every {}", samples_.size(), age_text(every_)));
    } else {
      sink.report(SourceHealth::degraded, refused_);
    }
  }

  static Sample sample(SeriesId id, Timestamp now, double value) {
    if (std::isfinite(value)) return {id, Quality::good, Reason::none, now, value};
    return {id, Quality::bad, Reason::not_a_number, now, 0};
  }

  std::optional<SeriesId> series_of(Sink& sink, const Metric& metric) {
    if (const auto known = ids_.find(&metric); known != ids_.end()) return known->second;
    const auto kind = metric.kind == Metric::Kind::counter ? SeriesKind::counter : SeriesKind::number;
    const auto made = sink.series("self/" + metric.path, {kind, metric.unit, context_.source, every_, {}});
    if (!made) refused_ = made.error().text;
    return ids_.emplace(&metric, made ? std::optional(*made) : std::nullopt).first->second;
  }

  const Micros every_;
  const Context context_;
  TurnMeter turns_{context_};
  std::map<const Metric*, std::optional<SeriesId>> ids_;  // metrics stay at their address
  std::string refused_;
  std::vector<Sample> samples_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems&) {
  return std::make_unique<SelfDriver>(section.duration("every"), context);
}

}  // namespace

DriverType type() {
  using std::chrono::hours, std::chrono::milliseconds;
  return {"self", "The gateway's own queue depth, drops, commit time, lag and memory as ordinary series.",
          config::Shape::object("The gateway's own metrics.",
                                {config::defaulted("every", config::Shape::duration(milliseconds(100), hours(1)), "2s",
                                                   "How often the metrics are read.")}),
          make};
}

}  // namespace tidegate::drivers::self
