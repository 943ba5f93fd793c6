#include "drivers/http/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "drivers/field_points.h"
#include "drivers/http/exposition.h"
#include "drivers/series_name.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::http {
namespace {

/// JSON and text.
class Fields final : public Content {
 public:
  Fields(std::unique_ptr<RecordDecoder> decoder, FieldsRule rule, NameOfField name, Micros every)
      : decoder_(std::move(decoder)), points_(std::move(rule), std::move(name), every) {}

  Status open(Sink& sink) override { return points_.open(sink); }
  Result<std::string> take(Sink& sink, std::string_view body, Timestamp now, std::vector<Sample>& samples) override {
    const auto leaves = decoder_->decode(body);
    if (!leaves) return fail(leaves.error());
    return points_.take(sink, {*leaves, now, true}, samples);
  }
  void lose(Reason why, Timestamp time, std::vector<Sample>& samples) override { points_.lose(why, time, samples); }

 private:
  std::unique_ptr<RecordDecoder> decoder_;
  FieldPoints points_;
};

std::string field_of(const Metric& metric) {
  std::string field = level_text(metric.name, true);
  for (const auto& label : metric.labels)
    field += "/" + level_text(label.name, true) + "=" + level_text(label.value, true);
  return field;
}

/// Prometheus' metrics.
class Metrics final : public Content {
 public:
  Metrics(std::vector<NamePattern> wanted, Units units, NameOfField name, Micros every)
      : wanted_(std::move(wanted)), units_(std::move(units)), name_(std::move(name)), every_(every) {}

  Status open(Sink&) override {
    points_.clear();
    return {};
  }

  Result<std::string> take(Sink& sink, std::string_view body, Timestamp now, std::vector<Sample>& samples) override {
    problem_.clear();
    wrong_ = 0;
    ++page_;
    std::size_t read = 0;
    for (ExpositionReader page(body); page.next();) {
      if (!page.status()) {
        note(fmt::format("{}: {}", printable(page.metric().text, 64), page.status().error().text));
        continue;
      }
      ++read;
      if (wants(page.metric().name)) take(sink, page.metric(), now, samples);
    }
    if (read == 0 && wrong_ > 0) return fail(Errc::invalid, "no page of metrics: {}", problem_);
    lose_missing(now, samples);
    return wrong_ > 1 ? fmt::format("{}, and {} more", problem_, wrong_ - 1) : problem_;
  }

  void lose(Reason why, Timestamp time, std::vector<Sample>& samples) override {
    for (auto& [identity, entry] : points_) entry.point.lose(why, time, samples);
  }

 private:
  struct Entry {
    Point point;
    std::uint64_t page;  ///< that it was seen on
  };

  bool wants(std::string_view name) const {
    return wanted_.empty() ||
           std::any_of(wanted_.begin(), wanted_.end(), [&](const NamePattern& one) { return one.matches(name); });
  }

  void note(std::string problem) {
    if (problem.empty()) return;
    if (wrong_++ == 0) problem_ = std::move(problem);
  }

  void take(Sink& sink, const Metric& metric, Timestamp now, std::vector<Sample>& samples) {
    const auto found = points_.find(std::string(metric.identity));
    Entry& entry = found != points_.end() ? found->second : add(sink, metric);
    entry.page = page_;
    const Timestamp time = metric.time.value_or(now);
    const bool sane = believable(time, now);
    note(entry.point.take(sink, metric.value, sane ? time : now, sane ? Quality::good : Quality::uncertain,
                          sane ? Reason::none : Reason::clock, samples));
  }

  Entry& add(Sink& sink, const Metric& metric) {
    ValueOptions options;
    const std::string field = field_of(metric);
    const std::string_view unit = unit_of(units_, field);
    options.unit = unit.empty() ? unit_of_metric(metric.name) : unit;
    Labels labels;
    for (const auto& label : metric.labels) labels.emplace_back(label.name, label.value);
    std::sort(labels.begin(), labels.end());
    Entry entry{Point(name_(field), std::move(options)), page_};
    if (const Status opened = entry.point.open(sink, metric.kind, every_, std::move(labels)); !opened)
      note(opened.error().text);
    return points_.emplace(metric.identity, std::move(entry)).first->second;
  }

  /// What is no longer on the page is bad once, and forgotten.
  void lose_missing(Timestamp now, std::vector<Sample>& samples) {
    for (auto entry = points_.begin(); entry != points_.end();) {
      if (entry->second.page == page_) {
        ++entry;
        continue;
      }
      entry->second.point.lose(Reason::device_fault, now, samples);
      entry = points_.erase(entry);
    }
  }

  const std::vector<NamePattern> wanted_;
  const Units units_;
  const NameOfField name_;
  const Micros every_;
  std::unordered_map<std::string, Entry> points_;  ///< by name and labels
  std::uint64_t page_ = 0;
  std::string problem_;  ///< the first of this page
  std::size_t wrong_ = 0;
};

}  // namespace

std::unique_ptr<Content> make_content(const ContentRule& rule, NameOfField name, Micros every, std::size_t max_bytes) {
  using Format = ContentRule::Format;
  if (rule.format == Format::prometheus)
    return std::make_unique<Metrics>(rule.metrics, rule.fields.units, std::move(name), every);
  auto decoder = rule.format == Format::text ? std::move(*pattern_records(rule.pattern))
                                             : json_records({max_bytes, rule.max_depth, FieldPoints::kMostPaths});
  return std::make_unique<Fields>(std::move(decoder), rule.fields, std::move(name), every);
}

}  // namespace tidegate::drivers::http
