#include "drivers/serial/serial.h"

#include <fmt/format.h>

#include <span>

#include "drivers/field_points.h"
#include "drivers/polled.h"
#include "drivers/serial/lines.h"
#include "drivers/serial/options.h"
#include "drivers/serial/port.h"
#include "drivers/series_name.h"
#include "gateway/core/backoff.h"
#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::serial {
namespace {

FieldPoints::Name name_of_field(const Template& series, const std::string& source) {
  return [=](std::string_view field) {
    return without_empty_levels(series.render([&](std::string_view place) -> std::optional<std::string> {
      return place == "source" ? source : std::string(field);
    }));
  };
}

/// The lines of a device, read into samples. Those that make no sense are shown, but not each of a stream of noise.
class Lines {
 public:
  Lines(const Options& options, Micros every, const Context& context)
      : clock_(context.clock),
        path_(options.port.path),
        fields_(options.fields),
        cutter_(options.line_end, options.format.max_line),
        decoder_(make_decoder(options.format)),
        points_(options.fields, name_of_field(options.series, context.source), every),
        good_(context.metrics.counter(fmt::format("source/{}/lines", context.source), "", "Lines that were read.")),
        bad_(context.metrics.counter(fmt::format("source/{}/bad_lines", context.source), "",
                                     "Lines that made no sense, were too long, or had a value that cannot be used.")) {}

  Status open(Sink& sink) { return points_.open(sink); }
  void begin(bool in_the_middle) {
    cutter_.reset(in_the_middle);
    lack_.clear();
  }
  void lose(Reason why, std::vector<Sample>& samples) { points_.lose(why, clock_.now(), samples); }

  /// Takes in what came; true where a line of it could be read. `whole`: it must have all named fields.
  bool take(Sink& sink, std::string_view bytes, bool whole, std::vector<Sample>& samples) {
    cutter_.feed(bytes);
    bool understood = false;
    for (std::string_view line; cutter_.next(line);) {
      // One that can be read takes back what was said of noise before it, and not what is wrong with another's values.
      if (!understood) wrong_.clear();
      understood = take_line(sink, line, whole, samples) || understood;
      if (whole && understood) break;
    }
    bad_.add(static_cast<double>(cutter_.too_long() - too_long_));
    if (cutter_.too_long() > too_long_) wrong_ = "a line is longer than max_line";
    too_long_ = cutter_.too_long();
    return understood;
  }
  /// Of lines that could be read, what they lack that have none of the named fields, since the last that had one; "".
  const std::string& lack() const { return lack_; }
  void show_lack(Sink& sink) { show(sink, lacking_, lack_); }
  /// What was wrong first with the lines that came last, or with their values; "" where nothing was.
  const std::string& wrong() const { return wrong_; }

 private:
  static constexpr Micros kShowAgain = std::chrono::minutes(1);

  bool take_line(Sink& sink, std::string_view line, bool whole, std::vector<Sample>& samples) {
    const auto leaves = decoder_->decode(line);
    const Timestamp now = clock_.now();
    if (leaves) {
      good_.add();
      if (leaves->empty()) return !whole && fields_.every_leaf;  // it says nothing, and is no answer
      if (!whole && passes_over(line, *leaves)) return false;
      const std::string problem = points_.take(sink, {*leaves, now, whole}, samples);
      if (!problem.empty()) refuse(sink, line, problem);
      return true;
    }
    refuse(sink, line, leaves.error().text);
    return false;
  }

  void refuse(Sink& sink, std::string_view line, const std::string& why) {
    bad_.add();
    if (wrong_.empty()) wrong_ = why;
    show(sink, line, why);
  }

  /// A device may say lines of several kinds: one with none of the named fields is fine where others follow.
  bool passes_over(std::string_view line, std::span<const Leaf> leaves) {
    lack_ = lack_of_named(fields_, leaves);
    if (!lack_.empty()) lacking_ = line;
    return !lack_.empty();
  }

  void show(Sink& sink, std::string_view line, std::string_view why) {
    const Timestamp now = clock_.now();
    if (now - shown_ < kShowAgain) return;
    sink.reject(path_, line, why);
    shown_ = now;
  }

  const Clock& clock_;
  const std::string path_;
  const FieldsRule fields_;
  LineCutter cutter_;
  std::unique_ptr<RecordDecoder> decoder_;
  FieldPoints points_;
  Metric& good_;
  Metric& bad_;
  std::string wrong_;
  std::string lack_, lacking_;  ///< and the line itself
  Timestamp shown_{};
  std::size_t too_long_ = 0;
};

/// A device that is asked.
class Asked final : public PolledDevice {
 public:
  Asked(const Options& options, const Context& context)
      : options_(options), port_(options.port), lines_(options, options.every, context) {}

  Status open(Sink& sink) override { return lines_.open(sink); }

  Result<std::string> read(std::size_t, Turn& turn) override {
    auto answer = ask(turn);
    if (!answer) port_.close();
    return answer;
  }
  void lose(std::size_t, Reason why, Turn& turn) override { lines_.lose(why, turn.samples); }

 private:
  Result<std::string> ask(Turn& turn) {
    using Steady = std::chrono::steady_clock;
    if (port_.moved()) {
      if (Status opened = port_.open(); !opened) return fail(opened.error());
    }
    port_.forget();
    lines_.begin(false);
    if (Status sent = port_.write(options_.request, options_.timeout); !sent) return fail(sent.error());
    const auto deadline = Steady::now() + options_.timeout;
    bool garbled = false;
    while (true) {
      const Micros left = std::chrono::duration_cast<Micros>(deadline - Steady::now());
      if (left <= Micros{0}) break;
      const auto bytes = port_.read(left, turn.stop);
      if (!bytes) return fail(bytes.error());
      if (turn.stop.stop_requested()) return fail(Errc::stopped, "stopped");
      if (bytes->empty()) break;
      garbled = true;
      if (lines_.take(turn.sink, *bytes, true, turn.samples)) return lines_.wrong();
    }
    if (!garbled)
      return fail(Errc::timed_out, "{}: no answer in {}", options_.port.path, duration_text(options_.timeout));
    const std::string& wrong = lines_.wrong();
    return fail(Errc::corrupt, "{}: the answer makes no sense ({})", options_.port.path,
                wrong.empty() ? "it has no end" : wrong);
  }

  const Options options_;
  Port port_;
  Lines lines_;
};

/// A device that sends by itself.
class Listener final : public Driver {
 public:
  Listener(Options options, const Context& context)
      : options_(std::move(options)),
        context_(context),
        port_(options_.port),
        lines_(options_, options_.timeout, context),
        rest_(std::chrono::milliseconds(250), std::chrono::seconds(30), std::hash<std::string>{}(context.source)) {}

  Status run(Sink& sink, std::stop_token stop) override {
    const Status opened = lines_.open(sink);
    refused_ = opened ? "" : opened.error().text;
    while (!stop.stop_requested()) {
      Status ended = port_.open();
      if (ended) ended = listen(sink, stop);
      port_.close();
      if (ended) return {};
      lose(sink, Reason::no_answer);
      sink.report(SourceHealth::down, ended.error().text);
      sleep_for(rest_.next(), stop);
    }
    return {};
  }

 private:
  /// Until it is stopped (fine), or the port is lost.
  Status listen(Sink& sink, const std::stop_token& stop) {
    lines_.begin(true);
    heard_ = understood_ = context_.clock.now();
    while (true) {
      const auto bytes = port_.read(options_.timeout, stop);
      if (!bytes) return fail(bytes.error());
      if (stop.stop_requested()) return {};
      samples_.clear();
      const Timestamp now = context_.clock.now();
      if (!bytes->empty()) heard_ = now;
      if (lines_.take(sink, *bytes, false, samples_)) {
        understood_ = now;
        rest_.reset();
        report(sink);
      }
      if (!samples_.empty()) sink.push(samples_);
      if (now - understood_ < options_.timeout) continue;
      if (port_.moved()) return fail(Errc::interrupted, "{}: was unplugged", options_.port.path);
      understood_ = now;
      report_silence(sink, now);
    }
  }

  void report(Sink& sink) const {
    const std::string& wrong = refused_.empty() ? lines_.wrong() : refused_;
    if (wrong.empty()) return sink.report(SourceHealth::up, options_.port.path);
    sink.report(SourceHealth::degraded, fmt::format("{}: {}", options_.port.path, wrong));
  }

  void report_silence(Sink& sink, Timestamp now) {
    const bool noise = now - heard_ < options_.timeout;
    lose(sink, noise ? Reason::device_fault : Reason::no_answer);
    const std::string time = duration_text(options_.timeout);
    if (noise && !lines_.lack().empty()) {
      lines_.show_lack(sink);
      return sink.report(SourceHealth::down, fmt::format("{}: for {} nothing of what is read; {}", options_.port.path,
                                                         time, lines_.lack()));
    }
    sink.report(SourceHealth::down,
                noise
                    ? fmt::format("{}: for {} nothing that makes sense; are baud, parity and format as the device has "
                                  "them?",
                                  options_.port.path, time)
                    : fmt::format("{}: silent for {}; is the device switched on?", options_.port.path, time));
  }

  void lose(Sink& sink, Reason why) {
    samples_.clear();
    lines_.lose(why, samples_);
    if (!samples_.empty()) sink.push(samples_);
  }

  const Options options_;
  const Context context_;
  Port port_;
  Lines lines_;
  Backoff rest_;
  std::string refused_;  ///< the series that it may not have
  Timestamp heard_{}, understood_{};
  std::vector<Sample> samples_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  if (options.request.empty()) return std::make_unique<Listener>(std::move(options), context);
  std::string what = fmt::format("{}, every {}", options.port.path, duration_text(options.every));
  std::vector<Polled> one;
  one.push_back({"", {options.every}, std::make_unique<Asked>(options, context)});
  return make_polled(std::move(one), std::move(what), context);
}

}  // namespace

DriverType type() {
  return {"serial", "Reads lines by a serial port: NMEA 0183, CSV, key=value, patterns.", shape(), make};
}

}  // namespace tidegate::drivers::serial
