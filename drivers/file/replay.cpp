#include "drivers/file/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "drivers/file/recording.h"
#include "drivers/reading.h"
#include "drivers/series_name.h"
#include "gateway/core/backoff.h"
#include "gateway/core/device_time.h"
#include "gateway/core/sleep.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::file {
namespace {

constexpr std::size_t kMostAtOnce = 4096;
constexpr Micros kTogether = std::chrono::milliseconds(20);  // what is due within it is pushed as one
constexpr Micros kReportEach = std::chrono::seconds(10);

class Replay final : public Driver {
 public:
  Replay(Options options, const Context& context)
      : options_(std::move(options)), replay_(*options_.replay), context_(context) {}

  Status run(Sink& sink, std::stop_token stop) override {
    sink.report(SourceHealth::starting, fmt::format("reads {}", options_.path.string()));
    auto opened = open(stop);
    while (!opened && opened.error().code == Errc::unavailable) {
      sink.report(SourceHealth::down, opened.error().text);
      if (!sleep_for(wait_.next(), stop)) return {};
      opened = open(stop);
    }
    if (!opened) return opened.error().code == Errc::stopped ? Status() : fail(opened.error());
    open_series(sink);
    std::uint64_t times = 0;
    do {
      ++times;
      begun_ = context_.clock.now();
      if (Status played = play(sink, stop, times); !played)
        return played.error().code == Errc::stopped ? Status() : fail(played.error());
      recording_->rewind();
    } while (replay_.loop);
    sink.report(problem_.empty() ? SourceHealth::up : SourceHealth::degraded,
                fmt::format("{} rows of {} were replayed{}", recording_->rows(), options_.path.string(), problem_));
    while (sleep_for(std::chrono::hours(1), stop)) {
    }
    return {};
  }

 private:
  Status open(const std::stop_token& stop) {
    auto opened = Recording::open(options_.path, options_.format, options_.max_line, stop);
    if (!opened) return fail(opened.error());
    recording_ = std::move(*opened);
    problem_.clear();
    if (recording_->refused() > 0)
      problem_ = fmt::format("; {} lines are no rows: {}", recording_->refused(), recording_->problem());
    return {};
  }

  /// Those that it may not have are told, and left out.
  void open_series(Sink& sink) {
    feeds_.assign(recording_->series().size(), {});
    for (std::size_t i = 0; i < feeds_.size(); ++i) {
      const Recording::Series& series = recording_->series()[i];
      SeriesInfo info;
      const bool counter = series.kind != SeriesKind::state && any_matches(replay_.counters, series.name);
      info.kind = counter ? SeriesKind::counter : series.kind;
      info.unit = unit_of(replay_.units, series.name);
      const std::string name =
          without_empty_levels(options_.series.render([&](std::string_view place) -> std::optional<std::string> {
            return place == "source" ? context_.source : series.name;
          }));
      if (const Status made = feeds_[i].open(sink, name, info); !made && problem_.empty()) {
        problem_ = "; " + made.error().text;
      }
    }
  }

  /// When a row is due: the time of the recording goes by as fast as is asked.
  Timestamp due(Timestamp recorded) const {
    if (replay_.speed == 0) return begun_;
    const double after = static_cast<double>((recorded - recording_->first()).count()) / replay_.speed;
    constexpr double kFarAhead = 1e15;
    return begun_ + Micros{std::llround(std::min(after, kFarAhead))};
  }

  Status play(Sink& sink, const std::stop_token& stop, std::uint64_t times) {
    Recording::Entry entry;
    while (true) {
      auto there = recording_->next(entry);
      if (!there) return fail(there.error());
      const Timestamp at = *there ? due(entry.row.time) : due(recording_->first() + recording_->period());
      const bool ends = !*there && !replay_.loop;
      if (ends || at - context_.clock.now() > kTogether || samples_.size() >= kMostAtOnce) {
        if (Status pushed = push(sink, stop, times, entry.row.time); !pushed) return pushed;
      }
      if (ends) return {};
      const Micros left = at - context_.clock.now();
      if (left > kTogether && !sleep_for(left, stop)) return fail(Errc::stopped, "stopped");
      if (!*there) return {};
      add(sink, entry, at);
    }
  }

  void add(Sink& sink, const Recording::Entry& entry, Timestamp due_at) {
    Feed& feed = feeds_[entry.series];
    if (!feed.is_open()) return;
    const Timestamp now = context_.clock.now();
    Sample sample;
    sample.quality = entry.row.quality;
    sample.time = replay_.own_times ? entry.row.time : due_at;
    if (!feed.convert(sink, entry.row.value, {}, sample).gives_sample) return;
    if (!believable(sample.time, now)) {
      sample.time = now;
      mark(sample, Quality::uncertain, Reason::clock);
    }
    samples_.push_back(sample);
  }

  /// Waits for the disk, so that no speed drowns the queue.
  Status push(Sink& sink, const std::stop_token& stop, std::uint64_t times, Timestamp reached) {
    const Timestamp now = context_.clock.now();
    if (now - reported_ >= kReportEach) {
      reported_ = now;
      sink.report(
          problem_.empty() ? SourceHealth::up : SourceHealth::degraded,
          fmt::format("replays {}{}, at {}{}", options_.path.string(),
                      times > 1 ? fmt::format(" for the {}. time", times) : "", rfc3339_seconds(reached), problem_));
    }
    if (samples_.empty()) return {};
    const bool much = samples_.size() >= kMostAtOnce;
    const Ticket ticket = sink.push(samples_);
    samples_.clear();
    if (stop.stop_requested() || (much && !sink.wait_committed(ticket, stop) && stop.stop_requested()))
      return fail(Errc::stopped, "stopped");
    return {};
  }

  const Options options_;
  const ReplayOptions replay_;
  const Context context_;
  Backoff wait_{std::chrono::seconds(1), std::chrono::minutes(1), std::hash<std::string>{}(context_.source)};
  std::unique_ptr<Recording> recording_;
  std::vector<Feed> feeds_;  ///< by the recording's series
  std::vector<Sample> samples_;
  Timestamp begun_{}, reported_{};
  std::string problem_;  ///< for health reports: "; what is wrong"
};

}  // namespace

std::unique_ptr<Driver> make_replay(Options options, const Context& context) {
  return std::make_unique<Replay>(std::move(options), context);
}

}  // namespace tidegate::drivers::file
