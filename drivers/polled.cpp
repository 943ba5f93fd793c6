#include "drivers/polled.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "drivers/poller.h"
#include "drivers/schedule.h"
#include "drivers/turns.h"
#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

constexpr Micros kFirstRest = std::chrono::seconds(1);
constexpr Micros kLongestRest = std::chrono::minutes(1);
constexpr Micros kLongestCheapRest = std::chrono::seconds(3);  // where a try costs the others nothing

/// One device, and whether it answers.
class Watched {
 public:
  Watched(Polled polled, std::uint64_t seed)
      : polled_(std::move(polled)),
        rest_(kFirstRest, kLongestRest, seed),
        cheap_rest_(kFirstRest, kLongestCheapRest, seed) {}

  const std::string& name() const { return polled_.name; }
  const std::vector<Micros>& intervals() const { return polled_.intervals; }
  const PolledDevice& device() const { return *polled_.device; }
  PolledDevice& device() { return *polled_.device; }
  bool answers() const { return failure_.empty(); }
  bool rests(Timestamp now) const { return now < until_; }

  void open(Sink& sink) {
    const Status opened = polled_.device->open(sink);
    refused_ = opened ? "" : opened.error().text;
    troubles_.assign(polled_.intervals.size(), {});
  }

  /// Reads what is due of it; false: it did not answer.
  bool read(const std::vector<std::size_t>& due, Turn& turn) {
    for (auto group = due.begin(); group != due.end(); ++group) {
      if (turn.stop.stop_requested()) return true;
      auto read = polled_.device->read(*group, turn);
      if (!read) {
        lose({group, due.end()}, read.error(), turn);
        return false;
      }
      troubles_[*group] = std::move(*read);
    }
    failure_.clear();
    rest_.reset();
    cheap_rest_.reset();
    return true;
  }

  /// What is wrong with it, each thing once; "" where nothing is.
  std::string trouble() const {
    std::string all;
    const auto note = [&](const std::string& text) {
      if (!text.empty() && all.find(text) == std::string::npos) all += (all.empty() ? "" : "; ") + text;
    };
    note(failure_);
    note(refused_);
    if (answers()) std::for_each(troubles_.begin(), troubles_.end(), note);
    return all;
  }

 private:
  void lose(const std::vector<std::size_t>& groups, const Error& why, Turn& turn) {
    for (const std::size_t group : groups) polled_.device->lose(group, reason_of(why), turn);
    failure_ = why.text;
    const std::optional<Micros> asked = polled_.device->turned_away();
    const Micros rest = (asked || why.code == Errc::timed_out ? rest_ : cheap_rest_).next();
    until_ = turn.clock.now() + std::max(rest, asked.value_or(Micros{0}));
  }

  Polled polled_;
  Backoff rest_, cheap_rest_;
  Timestamp until_{};
  std::string failure_;  ///< why it does not answer
  std::string refused_;  ///< the series that it may not have
  std::vector<std::string> troubles_;
};

class PolledDriver final : public Driver, public Outlet {
 public:
  PolledDriver(std::vector<Polled> devices, std::string what, const Context& context)
      : context_(context), what_(std::move(what)) {
    for (Polled& device : devices) {
      const std::uint64_t seed = std::hash<std::string>{}(context.source + '/' + device.name);
      devices_.emplace_back(std::move(device), seed);
    }
  }

  Outlet* outlet() override { return points().empty() ? nullptr : this; }
  std::optional<Turns> turns() const override { return turns_.turns(); }

  std::vector<WritablePoint> points() const override {
    std::vector<WritablePoint> all;
    for (const Watched& device : devices_) {
      for (WritablePoint& point : device.device().writable()) all.push_back(std::move(point));
    }
    return all;
  }

  Status write(std::string_view series, std::string_view value) override {
    for (Watched& device : devices_) {
      for (const WritablePoint& point : device.device().writable()) {
        if (point.series == series) return device.device().write(series, value);
      }
    }
    return fail(Errc::not_found, "'{}' is no point that may be set", printable(series, 64));
  }

  Status run(Sink& sink, std::stop_token stop) override {
    for (Watched& device : devices_) device.open(sink);
    Schedule schedule = whole_schedule();
    counted_ = 0;
    while (true) {
      const Timestamp turn = schedule.next();
      const Timestamp now = context_.clock.now();
      if (!sleep_for(turn > now ? turn - now : Micros{0}, stop)) return {};
      take_turn(turn, schedule, sink, stop);
      if (stop.stop_requested()) return {};
      report(sink);
    }
  }

 private:
  struct Group {
    std::size_t device, number;
  };

  Schedule whole_schedule() {
    std::vector<Micros> all;
    groups_.clear();
    for (std::size_t device = 0; device < devices_.size(); ++device) {
      const std::vector<Micros>& own = devices_[device].intervals();
      for (std::size_t number = 0; number < own.size(); ++number) groups_.push_back({device, number});
      all.insert(all.end(), own.begin(), own.end());
    }
    return {all, context_.clock.now()};
  }

  void take_turn(Timestamp planned, Schedule& schedule, Sink& sink, const std::stop_token& stop) {
    const Timestamp begun = context_.clock.now();
    due_.assign(devices_.size(), {});
    for (const std::size_t group : schedule.take_due(begun)) {
      due_[groups_[group].device].push_back(groups_[group].number);
    }
    read_due(sink, stop);
    turns_.add(planned, begun, context_.clock.now(), schedule.missed() - counted_);
    counted_ = schedule.missed();
  }

  // Each turn another one comes first: a slow one does not always delay the same.
  void read_due(Sink& sink, const std::stop_token& stop) {
    samples_.clear();
    Turn turn{sink, context_.clock, samples_, stop};
    first_ = devices_.empty() ? 0 : (first_ + 1) % devices_.size();
    for (std::size_t i = 0; i < devices_.size() && !stop.stop_requested(); ++i) {
      const std::size_t at = (first_ + i) % devices_.size();
      if (due_[at].empty() || devices_[at].rests(context_.clock.now())) continue;
      reads_.add();
      if (!devices_[at].read(due_[at], turn)) failed_.add();
    }
    if (!samples_.empty()) sink.push(samples_);
  }

  void report(Sink& sink) const {
    std::string troubles = in_words([](const Watched& device) { return device.trouble(); });
    std::string notices = in_words([](const Watched& device) { return device.device().notice(); });
    if (!notices.empty()) notices.insert(0, "; ");
    const auto answering = std::count_if(devices_.begin(), devices_.end(), [](const auto& d) { return d.answers(); });
    if (troubles.empty()) return sink.report(SourceHealth::up, what_ + notices);
    if (devices_.size() > 1) troubles = fmt::format("{} of {} answer; {}", answering, devices_.size(), troubles);
    sink.report(answering > 0 ? SourceHealth::degraded : SourceHealth::down, troubles + notices);
  }

  // A line that is gone is one trouble of all devices on it.
  template <class Text>
  std::string in_words(const Text& text_of) const {
    std::vector<std::pair<std::string, std::string>> whose;  // of each text; in order of the devices
    for (const Watched& device : devices_) {
      const std::string text = text_of(device);
      if (text.empty()) continue;
      const auto same = std::find_if(whose.begin(), whose.end(), [&](const auto& t) { return t.first == text; });
      if (same == whose.end()) {
        whose.emplace_back(text, device.name());
      } else {
        same->second += ", " + device.name();
      }
    }
    std::string all;
    for (const auto& [text, names] : whose) {
      all += (all.empty() ? "" : "; ") + (names.empty() ? text : names + ": " + text);
    }
    return all;
  }

  Metric& count(std::string_view name, std::string_view help) const {
    return context_.metrics.counter(fmt::format("source/{}/{}", context_.source, name), "", help);
  }

  const Context context_;
  const std::string what_;
  std::vector<Watched> devices_;
  std::vector<Group> groups_;                  ///< by their number in the schedule
  std::vector<std::vector<std::size_t>> due_;  ///< by device
  std::vector<Sample> samples_;
  std::size_t first_ = 0;
  std::uint64_t counted_ = 0;  ///< of the turns missed
  TurnMeter turns_{context_};
  Metric& reads_ = count("reads", "Times that a device of the source was read.");
  Metric& failed_ = count("failed_reads", "Times that a device of the source did not answer.");
};

}  // namespace

Status PolledDevice::write(std::string_view series, std::string_view) {
  return fail(Errc::not_found, "'{}' may not be set", printable(series, 64));
}

std::unique_ptr<Driver> make_polled(std::vector<Polled> devices, std::string what, const Context& context) {
  return std::make_unique<PolledDriver>(std::move(devices), std::move(what), context);
}

Reason reason_of(const Error& error) {
  const bool silent = error.code == Errc::timed_out || error.code == Errc::unavailable ||
                      error.code == Errc::interrupted || error.code == Errc::io || error.code == Errc::not_found;
  return silent ? Reason::no_answer : Reason::device_fault;
}

}  // namespace tidegate::drivers
