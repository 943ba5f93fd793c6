#include "drivers/polled.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "drivers/polled_line.h"
#include "drivers/turns.h"
#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

/// The lines of a source that nobody asks just now: whoever has time takes the one that is due. Any thread. Nobody is
/// woken by another: who gives a line back waits for the earliest by himself, so as many are awake as lines are due.
class WaitingLines {
 public:
  WaitingLines(std::vector<PolledLine>& lines, const Clock& clock) : clock_(clock) {
    for (PolledLine& line : lines) waiting_.push_back(&line);
  }

  /// Waits until one is due, and takes it; nullptr: asked to stop.
  PolledLine* take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto first = std::min_element(waiting_.begin(), waiting_.end(),
                                          [](const auto* a, const auto* b) { return a->next() < b->next(); });
      const bool none = first == waiting_.end();
      const Timestamp now = clock_.now();
      if (!none && (*first)->next() <= now) {
        PolledLine* line = *first;
        waiting_.erase(first);
        return line;
      }
      never_.wait_for(lock, stop, none ? kLongestWait : std::min(kLongestWait, (*first)->next() - now),
                      [] { return false; });
    }
    return nullptr;
  }

  /// By one who calls take() next.
  void give_back(PolledLine& line) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&line);
  }

 private:
  static constexpr Micros kLongestWait = std::chrono::hours(1);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any never_;
  std::vector<PolledLine*> waiting_;
};

class PolledDriver final : public Driver, public Outlet {
 public:
  PolledDriver(std::vector<Polled> devices, std::string what, const Context& context)
      : context_(context), what_(std::move(what)) {
    std::vector<std::string> names;  // of the lines, by device
    for (Polled& device : devices) {
      const std::uint64_t seed = std::hash<std::string>{}(context.source + '/' + device.name);
      names.push_back(device.line);
      devices_.emplace_back(std::move(device), seed);
    }
    make_lines(names);
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

  Status write(std::string_view series, std::string_view value, const Permission& may) override {
    for (Watched& device : devices_) {
      for (const WritablePoint& point : device.device().writable()) {
        if (point.series == series) return device.device().write(series, value, may);
      }
    }
    return fail(Errc::not_found, "'{}' is no point that may be set", printable(series, 64));
  }

  Status run(Sink& sink, std::stop_token stop) override {
    for (Watched& device : devices_) device.open(sink);
    for (PolledLine& line : lines_) line.start();
    states_.assign(devices_.size(), std::nullopt);
    failure_ = nullptr;
    std::stop_source all;  // what ends one line ends all
    const std::stop_callback asked(stop, [&] { all.request_stop(); });
    WaitingLines waiting(lines_, context_.clock);
    {
      const auto others = start_others(waiting, sink, all);
      serve(waiting, sink, all);
    }
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }

 private:
  void make_lines(const std::vector<std::string>& names) {
    std::map<std::string, std::vector<Watched*>> by_name;
    for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]].push_back(&devices_[i]);
    for (auto& [name, devices] : by_name)
      lines_.emplace_back(std::move(devices), context_.clock, PolledLine::Counts{reads_, failed_});
  }

  /// The threads beside the source's own. Where the system has no more of them, fewer do the same.
  std::vector<std::jthread> start_others(WaitingLines& waiting, Sink& sink, std::stop_source& all) {
    std::vector<std::jthread> others;
    const std::size_t threads = std::min(lines_.size(), kMostLinesAtOnce);
    others.reserve(threads);
    try {
      while (others.size() + 1 < threads) others.emplace_back([&] { serve(waiting, sink, all); });
    } catch (const std::exception&) {
    }
    return others;
  }

  /// Takes turns of whichever line is due until asked to stop. What is thrown ends the others too, and run() throws it.
  void serve(WaitingLines& waiting, Sink& sink, std::stop_source& all) {
    const std::stop_token stop = all.get_token();
    try {
      while (PolledLine* line = waiting.take(stop)) {
        take_turn(*line, sink, stop);
        waiting.give_back(*line);
      }
    } catch (...) {
      {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      all.request_stop();
    }
  }

  void take_turn(PolledLine& line, Sink& sink, const std::stop_token& stop) {
    const PolledLine::Taken taken = line.take_turn(sink, stop);
    const std::lock_guard lock(mutex_);  // to the end: a later report comes later
    turns_.add(taken.planned, taken.begun, taken.ended, taken.missed);
    if (stop.stop_requested()) return;
    for (const Watched* device : line.devices()) states_[number_of(*device)] = device->state();
    if (std::all_of(states_.begin(), states_.end(), [](const auto& state) { return state.has_value(); })) report(sink);
  }

  std::size_t number_of(const Watched& device) const { return static_cast<std::size_t>(&device - devices_.data()); }

  void report(Sink& sink) const {
    std::string troubles = in_words(&Watched::State::trouble);
    std::string notices = in_words(&Watched::State::notice);
    if (!notices.empty()) notices.insert(0, "; ");
    const auto answering = std::count_if(states_.begin(), states_.end(), [](const auto& s) { return s->answers; });
    if (troubles.empty()) return sink.report(SourceHealth::up, what_ + notices);
    if (devices_.size() > 1) troubles = fmt::format("{} of {} answer; {}", answering, devices_.size(), troubles);
    sink.report(answering > 0 ? SourceHealth::degraded : SourceHealth::down, troubles + notices);
  }

  // A line that is gone is one trouble of all devices on it.
  std::string in_words(std::string Watched::State::*text_of) const {
    std::vector<std::pair<std::string, std::string>> whose;  // of each text; in order of the devices
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      const std::string& text = (*states_[i]).*text_of;
      if (text.empty()) continue;
      const auto same = std::find_if(whose.begin(), whose.end(), [&](const auto& t) { return t.first == text; });
      if (same == whose.end()) {
        whose.emplace_back(text, devices_[i].name());
      } else {
        same->second += ", " + devices_[i].name();
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
  Metric& reads_ = count("reads", "Times that a device of the source was read.");
  Metric& failed_ = count("failed_reads", "Times that a device of the source did not answer.");
  std::vector<Watched> devices_;
  std::vector<PolledLine> lines_;

  std::mutex mutex_;                                   ///< guards what follows while lines are asked
  std::vector<std::optional<Watched::State>> states_;  ///< by device; nothing before its first turn
  std::exception_ptr failure_;
  TurnMeter turns_{context_};  ///< its turns() needs no lock
};

}  // namespace

Status PolledDevice::write(std::string_view series, std::string_view, const Permission&) {
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
