#include "drivers/file/tail.h"

#include <fmt/format.h>

#include <utility>

#include "drivers/csv_record.h"
#include "drivers/field_points.h"
#include "drivers/series_name.h"
#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::file {
namespace {

constexpr std::size_t kMostAtOnce = 4096;  // samples on their way to the disk: a whole file must not drown the queue
constexpr Micros kShowAgain = std::chrono::minutes(1);
constexpr Micros kKeepEach = std::chrono::seconds(10);

class Tail final : public Driver {
 public:
  Tail(Options options, const Context& context)
      : options_(std::move(options)),
        context_(context),
        follower_(options_.path, options_.max_line, is_csv() && options_.columns.empty()),
        json_(json_records({options_.max_line, 16, FieldPoints::kMostPaths})),
        points_(
            options_.fields, [this](std::string_view field) { return name_of(field); }, options_.silent_after),
        lines_(count("lines", "Lines that were read.")),
        bad_(count("bad_lines", "Lines that made no sense, were too long, or had a value that cannot be used.")),
        rotations_(count("rotations", "Times that the file was renamed and begun anew.")),
        cut_(count("cut", "Times that the file was cut and begun anew: its last lines may have been missed.")) {}

  Status run(Sink& sink, std::stop_token stop) override {
    if (Status opened = points_.open(sink); !opened) wrong_ = opened.error().text;
    auto kept = options_.position.empty() ? std::nullopt : load_position(options_.position);
    if (!kept) return fail(kept.error());
    follower_.begin(*kept, options_.from);
    stored_ = kept_ = kept->value_or(Position{});
    if (follower_.counts().lost > 0) tell_loss(sink);
    understood_ = context_.clock.now();
    do {
      take(sink, stop);
      look_for_silence(sink);
    } while (sleep_for(options_.every, stop));
    keep_position();
    return {};
  }

 private:
  bool is_csv() const { return options_.format == Options::Format::csv; }

  Metric& count(std::string_view name, std::string_view help) const {
    return context_.metrics.counter(fmt::format("source/{}/{}", context_.source, name), "", help);
  }

  std::string name_of(std::string_view field) const {
    return without_empty_levels(options_.series.render([&](std::string_view place) -> std::optional<std::string> {
      return place == "source" ? context_.source : std::string(field);
    }));
  }

  void tell_loss(Sink& sink) const {
    sink.reject(options_.path.string(), "",
                "the file that was read before is gone, and what it still got with it; the one that is there is read "
                "from its beginning");
  }

  /// All that is there.
  void take(Sink& sink, const std::stop_token& stop) {
    using Event = Follower::Event;
    bool news = false;
    while (!stop.stop_requested()) {
      std::string_view line;
      const auto event = follower_.next(line);
      if (!event) {
        sink.report(SourceHealth::down, event.error().text);
        break;
      }
      if (*event == Event::nothing) break;
      if (!std::exchange(news, true)) wrong_.clear();
      if (*event == Event::header) take_header(line);
      if (*event == Event::line) take_line(sink, line);
      if (*event == Event::too_long) refuse(sink, line, "longer than max_line");
      if (samples_.size() >= kMostAtOnce && !push(sink, stop)) return;
    }
    rotations_.set(static_cast<double>(follower_.counts().rotations));
    cut_.set(static_cast<double>(follower_.counts().cut));
    if (news && push(sink, stop)) stored_ = follower_.position();
    if (context_.clock.now() - kept_at_ >= kKeepEach) keep_position();
    if (news) report(sink);
  }

  void take_header(std::string_view line) {
    CsvRow row(options_.separator);
    std::vector<std::string> columns;
    if (const auto cells = row.split(line)) {
      for (const std::string_view cell : *cells) columns.emplace_back(trim(cell));
    }
    csv_.name_columns(std::move(columns));
    named_came_ = false;
  }

  void take_line(Sink& sink, std::string_view line) {
    const auto leaves = is_csv() ? csv_.decode(line) : json_->decode(line);
    if (!leaves) return refuse(sink, line, leaves.error().text);
    if (leaves->empty()) return;
    const std::string lack = lack_of_named(options_.fields, *leaves);
    if (!lack.empty() && !named_came_) return refuse(sink, line, lack);
    lines_.add();
    // A file may have lines of several kinds. Those that say nothing of what is read are silence.
    if (!lack.empty()) return;
    named_came_ = true;
    understood_ = context_.clock.now();
    const std::string problem = points_.take(sink, {*leaves, understood_, false}, samples_);
    if (!problem.empty()) refuse(sink, line, problem);
  }

  void refuse(Sink& sink, std::string_view line, const std::string& reason) {
    bad_.add();
    if (wrong_.empty()) wrong_ = reason;
    const Timestamp now = context_.clock.now();
    if (now - shown_ < kShowAgain) return;
    shown_ = now;
    sink.reject(options_.path.string(), line, reason);
  }

  /// False: it is not on disk.
  bool push(Sink& sink, const std::stop_token& stop) {
    if (samples_.empty()) return true;
    const Ticket ticket = sink.push(samples_);
    const bool large = samples_.size() >= kMostAtOnce;
    samples_.clear();
    return (!large && options_.position.empty()) || sink.wait_committed(ticket, stop);
  }

  /// Only of what is on disk: what is lost with the power is read again. Not each second: flash wears.
  void keep_position() {
    if (options_.position.empty() || stored_ == kept_) return;
    kept_at_ = context_.clock.now();
    kept_ = stored_;
    if (Status saved = save_position(options_.position, stored_); !saved) wrong_ = saved.error().text;
  }

  void report(Sink& sink) const {
    const std::string path = options_.path.string();
    if (wrong_.empty()) return sink.report(SourceHealth::up, path);
    sink.report(SourceHealth::degraded, fmt::format("{}: {}", path, wrong_));
  }

  void look_for_silence(Sink& sink) {
    const Timestamp now = context_.clock.now();
    if (options_.silent_after == Micros{0} || now - understood_ < options_.silent_after) return;
    understood_ = now;
    points_.lose(Reason::no_answer, now, samples_);
    if (!samples_.empty()) sink.push(samples_);
    samples_.clear();
    sink.report(SourceHealth::down,
                fmt::format("{}: no line with what is read for {}; does the program that writes it still run?",
                            options_.path.string(), duration_text(options_.silent_after)));
  }

  const Options options_;
  const Context context_;
  Follower follower_;
  CsvRecords csv_{options_.columns, options_.separator};
  std::unique_ptr<RecordDecoder> json_;
  FieldPoints points_;
  Metric &lines_, &bad_, &rotations_, &cut_;
  std::vector<Sample> samples_;
  Position stored_, kept_;  ///< behind what is on disk; as it was kept
  Timestamp understood_{}, shown_{}, kept_at_{};
  bool named_came_ = false;  ///< with a line, of the columns that a CSV file has now
  std::string wrong_;        ///< first with the lines that were read last, or with their values
};

}  // namespace

std::unique_ptr<Driver> make_tail(Options options, const Context& context) {
  return std::make_unique<Tail>(std::move(options), context);
}

}  // namespace tidegate::drivers::file
