#include "gateway/app/source.h"

#include <algorithm>
#include <functional>

#include "gateway/core/backoff.h"
#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

Labels labels_of(const config::Node& section) {
  Labels labels;
  for (const auto& entry : section["labels"].entries) labels.emplace_back(entry.key, entry.value.text);
  std::sort(labels.begin(), labels.end());
  return labels;
}

/// The driver's own labels stay; the section's fill in.
void add_missing(Labels& labels, const Labels& defaults) {
  for (const auto& label : defaults) {
    const auto same_key = [&](const auto& other) { return other.first == label.first; };
    if (std::none_of(labels.begin(), labels.end(), same_key)) labels.push_back(label);
  }
  std::sort(labels.begin(), labels.end());
}

/// Of what its driver gives none for; 0: it is learned.
Micros read_interval(const config::Node& option) {
  const std::string text = option.string();
  if (text == "learned") return Micros{0};
  return text == "on_change" ? kOnChange : option.duration();
}

/// What is read once more is no second dead letter: who asked for it is told.
class Again final : public Sink {
 public:
  explicit Again(Sink& sink) : sink_(sink) {}

  Result<SeriesId> series(std::string_view name, const SeriesInfo& info) override { return sink_.series(name, info); }
  Result<SeriesId> series_with_report(std::string_view name, const SeriesInfo& info) override {
    return sink_.series_with_report(name, info);
  }
  Result<double> label(SeriesId series, std::string_view text) override { return sink_.label(series, text); }
  Ticket push(std::span<const Sample> samples) override {
    pushed += samples.size();
    return sink_.push(samples);
  }
  bool wait_committed(Ticket ticket, std::stop_token stop) override {
    return sink_.wait_committed(ticket, std::move(stop));
  }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view reason) override { why = reason; }

  std::size_t pushed = 0;
  std::string why;

 private:
  Sink& sink_;
};

}  // namespace

SourceSink::SourceSink(const config::Node& section, Downstream downstream)
    : downstream_(downstream),
      name_(section.string("name")),
      type_(section.string("type")),
      feeder_(downstream.feeds.join(name_)),
      max_series_(static_cast<std::size_t>(section.integer("max_series"))),
      labels_(labels_of(section)),
      interval_(read_interval(section["expected_interval"])),
      report_(make_source_report(section)),
      samples_metric_(
          downstream.metrics.counter("source/" + name_ + "/samples", "", "Samples that the source delivered.")),
      rejected_metric_(
          downstream.metrics.counter("source/" + name_ + "/rejected", "", "What arrived and could not be used.")),
      since_(downstream.clock.now()) {}

Result<SeriesId> SourceSink::series(std::string_view name, const SeriesInfo& info) {
  SeriesInfo whole = info;
  whole.expected_interval = interval_of(info);
  if (report_) whole.expected_interval = report_->longest(whole.expected_interval);
  auto id = intern(name, std::move(whole));
  if (id && report_) report_->choose(*id, info.kind);
  return id;
}

Result<SeriesId> SourceSink::series_with_report(std::string_view name, const SeriesInfo& info) {
  SeriesInfo whole = info;
  whole.expected_interval = interval_of(info);
  auto id = intern(name, std::move(whole));
  if (id && report_) report_->leave(*id);
  return id;
}

Result<SeriesId> SourceSink::intern(std::string_view name, SeriesInfo whole) {
  whole.source = name_;
  add_missing(whole.labels, labels_);
  const std::lock_guard lock(mutex_);
  journal::Catalogue& catalogue = downstream_.journal.catalogue();
  const auto known = catalogue.find(name);
  const bool ours = known && series_.contains(static_cast<std::uint32_t>(*known));
  if (!ours && series_.size() >= max_series_) {
    return fail(Errc::full, "source '{}' has {} series already, its max_series: raise it, or subscribe to less", name_,
                max_series_);
  }
  if (known && !ours) {
    if (Status claimed = claim(*known, name); !claimed) return fail(std::move(claimed.error()));
  }
  auto id = catalogue.intern(name, whole);
  if (id && !known) {
    if (Status claimed = claim(*id, name); !claimed) return fail(std::move(claimed.error()));
  }
  if (id) series_.insert(static_cast<std::uint32_t>(*id));
  return id;
}

// A driver names what its configuration says, and a program what it likes: after a start it waits for those whose
// series they were.
Status SourceSink::claim(SeriesId series, std::string_view name) {
  std::string other;
  const std::string before = downstream_.journal.catalogue().entry(series).info.source;
  if (type_ == "push" && before != name_ && downstream_.feeds.waits_for(series, before)) other = before;
  if (other.empty()) other = downstream_.feeds.claim(series, feeder_);
  if (other.empty()) return {};
  return fail(Errc::conflict, "series '{}' is fed by source '{}': give it another name here, or take it out there",
              printable(name), other);
}

Result<double> SourceSink::label(SeriesId series, std::string_view text) {
  return downstream_.journal.catalogue().label(series, text);
}

Ticket SourceSink::push(std::span<const Sample> samples) {
  std::vector<Sample> reported;
  if (report_) samples = report_->of(samples, reported);
  samples_metric_.add(static_cast<double>(samples.size()));
  return downstream_.intake.push(samples);
}

bool SourceSink::wait_committed(Ticket ticket, std::stop_token stop) {
  return downstream_.intake.wait_committed(ticket, stop);
}

void SourceSink::report(SourceHealth health, std::string_view text) {
  std::string clean = printable(text, 512);
  const Timestamp now = downstream_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    if (health == health_ && clean == text_) return;
    if (health != health_) since_ = now;
    health_ = health;
    text_ = clean;
  }
  // Refused only when thousands of events wait; the page has the newest state all the same.
  downstream_.intake.post(Event{now, SourceChange{name_, health, std::move(clean)}});
}

void SourceSink::reject(std::string_view topic, std::string_view payload, std::string_view reason) {
  downstream_.journal.dead_letter(DeadLetter{downstream_.clock.now(), name_, std::string(topic.substr(0, 1024)),
                                             std::string(payload.substr(0, DeadLetter::kMaxPayload)),
                                             std::string(reason)});
  rejected_.fetch_add(1, std::memory_order_relaxed);  // last: whoever sees the number finds the letter
  rejected_metric_.add();
}

dashboard::SourceView SourceSink::view() const {
  const std::lock_guard lock(mutex_);
  dashboard::SourceView view;
  view.name = name_;
  view.type = type_;
  view.health = health_;
  view.text = text_;
  view.since = since_;
  view.series = series_.size();
  view.rate = rate_.per_second();
  view.rejected = rejected_.load(std::memory_order_relaxed);
  return view;
}

Source::Source(const config::Node& section, std::unique_ptr<drivers::Driver> driver, Downstream downstream)
    : name_(section.string("name")),
      meaning_(section.canonical()),
      sink_(section, downstream),
      driver_(std::move(driver)) {}

dashboard::SourceView Source::view() const {
  dashboard::SourceView view = sink_.view();
  view.turns = driver_->turns();
  return view;
}

Source::~Source() {
  thread_.request_stop();
  const std::unique_lock nobody_holds_it(held_);
  if (!thread_.joinable()) return;
  thread_.join();
  sink_.report(SourceHealth::stopped, "stopped");
}

void Source::start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

Result<std::size_t> Source::take_again(const DeadLetter& letter) {
  Again sink(sink_);
  if (Status taken = driver_->take_again(sink, letter); !taken) return fail(std::move(taken.error()));
  if (!sink.why.empty()) return fail(Errc::conflict, "it still cannot be used: {}", sink.why);
  if (sink.pushed == 0) return fail(Errc::conflict, "'{}' reads nothing of it", name_);
  return sink.pushed;
}

void Source::run(std::stop_token stop) {
  Backoff backoff(std::chrono::seconds(1), std::chrono::minutes(1), std::hash<std::string>{}(name_));
  while (!stop.stop_requested()) {
    Status ended = fail(Errc::io, "the driver ended without a reason");
    try {
      ended = driver_->run(sink_, stop);
    } catch (const std::exception& error) {
      ended = fail(Errc::io, "unexpected failure: {}", error.what());
    }
    if (stop.stop_requested()) return;
    const Micros pause = backoff.next();
    sink_.report(SourceHealth::down,
                 fmt::format("{}; next try in {}", ended ? "it ended by itself" : ended.error().text, age_text(pause)));
    sleep_for(pause, stop);
  }
}

}  // namespace tidegate::app
