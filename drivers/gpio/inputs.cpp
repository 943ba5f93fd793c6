#include "drivers/gpio/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "drivers/gpio/debounce.h"
#include "drivers/point.h"
#include "drivers/polled.h"
#include "drivers/poller.h"

namespace tidegate::drivers::gpio {
namespace {

constexpr Micros kFirstRest = std::chrono::seconds(1), kLongestRest = std::chrono::minutes(1);

/// A line and what is told of it.
class Input {
 public:
  explicit Input(const InputOptions& options)
      : pulses_(options.pulses), point_(options.series, options.value), debounce_(options.debounce) {}

  Status open(Sink& sink, Micros every) {
    return point_.open(sink, pulses_ ? SeriesKind::counter : SeriesKind::boolean, every);
  }
  void begin(bool active) { debounce_.begin(active); }
  std::optional<Timestamp> due() const { return debounce_.due(); }

  void edge(bool active, Timestamp at, Sink& sink, std::vector<Sample>& samples) {
    if (const auto change = debounce_.edge(active, at)) take(*change, sink, samples);
  }
  void settle(Timestamp now, Sink& sink, std::vector<Sample>& samples) {
    if (const auto change = debounce_.settle(now)) take(*change, sink, samples);
  }
  /// As it is; `active` is the line's level, for an edge that was lost.
  void tell(bool active, Timestamp now, Sink& sink, std::vector<Sample>& samples) {
    if (active != debounce_.active() && !debounce_.due()) edge(active, now, sink, samples);
    tell(now, sink, samples);
  }
  void lose(Reason why, Timestamp now, std::vector<Sample>& samples) { point_.lose(why, now, samples); }

 private:
  void take(const Debounce::Change& change, Sink& sink, std::vector<Sample>& samples) {
    if (change.active) ++count_;
    if (!pulses_) tell(change.at, sink, samples);
  }
  void tell(Timestamp at, Sink& sink, std::vector<Sample>& samples) {
    const Reading reading = pulses_ ? Reading{Reading::Type::number, static_cast<double>(count_)}
                                    : Reading{Reading::Type::boolean, debounce_.active() ? 1.0 : 0.0};
    point_.take(sink, reading, at, samples);
  }

  const bool pulses_;
  Point point_;
  Debounce debounce_;
  std::uint64_t count_ = 0;  ///< since the gateway began
};

class Inputs final : public Driver {
 public:
  Inputs(Options options, std::unique_ptr<Lines> lines, const Context& context)
      : options_(std::move(options)), lines_(std::move(lines)), context_(context) {
    for (const InputOptions& input : options_.inputs) {
      inputs_.emplace_back(input);
      wanted_.push_back(input.line);
    }
  }

  Status run(Sink& sink, std::stop_token stop) override {
    std::string refused;
    for (Input& input : inputs_) {
      if (Status opened = input.open(sink, options_.every); !opened) refused = opened.error().text;
    }
    Backoff rest(kFirstRest, kLongestRest, std::hash<std::string>{}(context_.source));
    while (!stop.stop_requested()) {
      Status status = begin();
      if (status) {
        rest.reset();
        sink.report(refused.empty() ? SourceHealth::up : SourceHealth::degraded,
                    refused.empty() ? fmt::format("{} lines", inputs_.size()) : refused);
        status = listen(sink, stop);
      }
      if (!status) {
        lose(reason_of(status.error()), sink);
        sink.report(SourceHealth::down, status.error().text);
        sleep_for(rest.next(), stop);
      }
    }
    return {};
  }

 private:
  Status begin() {
    if (Status opened = lines_->open(wanted_); !opened) return opened;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto active = lines_->active(i);
      if (!active) return fail(active.error());
      inputs_[i].begin(*active);
    }
    return {};
  }

  Status listen(Sink& sink, const std::stop_token& stop) {
    Timestamp turn = context_.clock.now();  // the first at once
    while (!stop.stop_requested()) {
      const auto edges = lines_->wait(until(turn));
      if (!edges) return fail(edges.error());
      const Timestamp now = context_.clock.now();
      samples_.clear();
      for (const Edge& edge : *edges) inputs_[edge.line].edge(edge.active, now - edge.ago, sink, samples_);
      for (Input& input : inputs_) input.settle(now, sink, samples_);
      if (now >= turn) {
        if (Status told = tell_all(now, sink); !told) return told;
        turn = now + until_next_turn(now, options_.every);
      }
      if (!samples_.empty()) sink.push(samples_);
    }
    return {};
  }

  // Not longer than a moment, for a stop.
  Micros until(Timestamp turn) const {
    constexpr Micros kMoment = std::chrono::milliseconds(100);
    Timestamp next = turn;
    for (const Input& input : inputs_) next = std::min(next, input.due().value_or(turn));
    return std::clamp<Micros>(next - context_.clock.now(), Micros{0}, kMoment);
  }

  Status tell_all(Timestamp now, Sink& sink) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto active = lines_->active(i);
      if (!active) return fail(active.error());
      inputs_[i].tell(*active, now, sink, samples_);
    }
    return {};
  }

  void lose(Reason why, Sink& sink) {
    samples_.clear();
    for (Input& input : inputs_) input.lose(why, context_.clock.now(), samples_);
    if (!samples_.empty()) sink.push(samples_);
  }

  const Options options_;
  const std::unique_ptr<Lines> lines_;
  const Context context_;
  std::vector<Input> inputs_;
  std::vector<LineOptions> wanted_;
  std::vector<Sample> samples_;
};

}  // namespace

std::unique_ptr<Driver> make_inputs(Options options, std::unique_ptr<Lines> lines, const Context& context) {
  return std::make_unique<Inputs>(std::move(options), std::move(lines), context);
}

}  // namespace tidegate::drivers::gpio
