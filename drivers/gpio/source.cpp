#include "drivers/gpio/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

#include "drivers/gpio/debounce.h"
#include "drivers/point.h"
#include "drivers/polled.h"
#include "drivers/poller.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::gpio {
namespace {

constexpr Micros kLongestRest = std::chrono::minutes(1);

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

/// A line that is driven, and what is told of it.
class Output {
 public:
  explicit Output(const OutputOptions& options) : point_(options.series, options.value) {}

  Status open(Sink& sink, Micros every) { return point_.open(sink, SeriesKind::boolean, every); }
  void tell(bool active, Timestamp now, Sink& sink, std::vector<Sample>& samples) {
    point_.take(sink, {Reading::Type::boolean, active ? 1.0 : 0.0}, now, samples);
  }
  void lose(Reason why, Timestamp now, std::vector<Sample>& samples) { point_.lose(why, now, samples); }

 private:
  Point point_;
};

class Source final : public Driver, public Outlet {
 public:
  Source(Options options, std::unique_ptr<Lines> lines, const Context& context)
      : options_(std::move(options)), context_(context), lines_(std::move(lines)) {
    for (const InputOptions& input : options_.inputs) {
      inputs_.emplace_back(input);
      wanted_.push_back(input.line);
    }
    for (const OutputOptions& output : options_.outputs) {
      outputs_.emplace_back(output);
      wanted_.push_back(output.line);
      wanted_.back().as_is = context.trial;
    }
  }

  Outlet* outlet() override { return points().empty() ? nullptr : this; }

  std::vector<WritablePoint> points() const override {
    std::vector<WritablePoint> all;
    for (const OutputOptions& output : options_.outputs) {
      if (output.writable) all.push_back(output.writable->point);
    }
    return all;
  }

  Status write(std::string_view series, std::string_view value, const Permission& may) override {
    const auto& outputs = options_.outputs;
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const OutputOptions& one) { return one.writable && one.series == series; });
    if (found == outputs.end()) return fail(Errc::not_found, "'{}' is no point that may be set", printable(series));
    const auto wanted = to_device(*found->writable, value);
    if (!wanted) return fail(wanted.error());
    return set(inputs_.size() + static_cast<std::size_t>(found - outputs.begin()), *found->writable, *wanted, may);
  }

  Status run(Sink& sink, std::stop_token stop) override {
    const std::string refused = open_points(sink);
    Backoff rest(options_.first_rest, kLongestRest, std::hash<std::string>{}(context_.source));
    while (!stop.stop_requested()) {
      Status status = begin();
      if (status) {
        rest.reset();
        sink.report(refused.empty() ? SourceHealth::up : SourceHealth::degraded,
                    refused.empty() ? fmt::format("{} lines", wanted_.size()) : refused);
        status = listen(sink, stop);
      }
      if (!status) {
        let_go(status.error().text);
        lose(reason_of(status.error()), sink);
        sink.report(SourceHealth::down, status.error().text);
        sleep_for(rest.next(), stop);
      }
    }
    let_go("its source is stopped");
    return {};
  }

 private:
  /// Why a series is not there; empty: all are.
  std::string open_points(Sink& sink) {
    std::string refused;
    const auto note = [&](const Status& opened) {
      if (!opened) refused = opened.error().text;
    };
    for (Input& input : inputs_) note(input.open(sink, options_.every));
    for (Output& output : outputs_) note(output.open(sink, options_.every));
    return refused;
  }

  Status begin() {
    const std::lock_guard lock(mutex_);
    if (Status opened = lines_->open(wanted_); !opened) return opened;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto active = lines_->active(i);
      if (!active) return fail(active.error());
      inputs_[i].begin(*active);
    }
    away_.clear();
    return {};
  }

  /// From here on nothing can be set; why.
  void let_go(std::string why) {
    const std::lock_guard lock(mutex_);
    away_ = std::move(why);
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
      if (now >= turn || set_.exchange(false)) {
        if (Status told = tell_all(now, sink); !told) return told;
        if (now >= turn) turn = now + until_next_turn(now, options_.every);
      }
      if (!samples_.empty()) sink.push(samples_);
    }
    return {};
  }

  // Not longer than a moment, for a stop, and for an output that was set.
  Micros until(Timestamp turn) const {
    constexpr Micros kMoment = std::chrono::milliseconds(100);
    Timestamp next = turn;
    for (const Input& input : inputs_) next = std::min(next, input.due().value_or(turn));
    return std::clamp<Micros>(next - context_.clock.now(), Micros{0}, kMoment);
  }

  Status tell_all(Timestamp now, Sink& sink) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto active = lines_->active(i);
      if (!active) return fail(active.error());
      if (i < inputs_.size()) {
        inputs_[i].tell(*active, now, sink, samples_);
      } else {
        outputs_[i - inputs_.size()].tell(*active, now, sink, samples_);
      }
    }
    return {};
  }

  void lose(Reason why, Sink& sink) {
    samples_.clear();
    for (Input& input : inputs_) input.lose(why, context_.clock.now(), samples_);
    for (Output& output : outputs_) output.lose(why, context_.clock.now(), samples_);
    if (!samples_.empty()) sink.push(samples_);
  }

  Status set(std::size_t line, const Writable& writable, const Reading& wanted, const Permission& may) {
    const std::string& series = writable.point.series;
    const std::lock_guard lock(mutex_);
    if (!away_.empty()) return fail(Errc::unavailable, "{}: not written: {}", series, away_);
    if (Status allowed = may(); !allowed) return allowed;
    if (Status done = lines_->set(line, wanted.number != 0); !done) {
      return fail(done.error().code, "{}: not written: {}", series, done.error().text);
    }
    set_ = true;
    if (!writable.point.read_back) return {};
    const auto active = lines_->active(line);
    if (!active) {
      return fail(active.error().code, "{}: written, but it cannot be read back: {}", series, active.error().text);
    }
    const Reading now{Reading::Type::boolean, *active ? 1.0 : 0.0};
    if (is_same(writable, wanted, now)) return {};
    return shows_instead(writable, wanted, shown(writable, now));
  }

  const Options options_;
  const Context context_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<LineOptions> wanted_;  ///< of both, in this order
  std::vector<Sample> samples_;
  std::mutex mutex_;
  const std::unique_ptr<Lines> lines_;                 ///< under mutex_, but for wait()
  std::string away_ = "its lines are not opened yet";  ///< why nothing can be set; empty: it can. Under mutex_
  std::atomic<bool> set_{false};                       ///< an output, and it was not told yet
};

}  // namespace

std::unique_ptr<Driver> make_source(Options options, std::unique_ptr<Lines> lines, const Context& context) {
  return std::make_unique<Source>(std::move(options), std::move(lines), context);
}

}  // namespace tidegate::drivers::gpio
