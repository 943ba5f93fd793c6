#include "drivers/point.h"

#include <fmt/format.h>

namespace tidegate::drivers {

Point::Point(std::string series, ValueOptions options) : series_(std::move(series)), options_(std::move(options)) {}

Status Point::open(Sink& sink, SeriesKind natural, Micros read_every, Labels labels) {
  SeriesInfo info;
  info.kind = options_.kind.value_or(natural);
  info.unit = options_.unit;
  info.expected_interval = options_.report.longest(read_every);
  info.labels = std::move(labels);
  state_ = info.kind == SeriesKind::state;
  filter_ = ReportFilter(options_.report.of(info.kind));
  return feed_.open(sink, series_, info, options_.report.own);
}

std::string Point::take(Sink& sink, const Reading& reading, Timestamp time, std::vector<Sample>& samples) {
  return take(sink, reading, time, Quality::good, Reason::none, samples);
}

std::string Point::take(Sink& sink, const Reading& reading, Timestamp time, Quality quality, Reason reason,
                        std::vector<Sample>& samples) {
  if (!is_open()) return {};
  Sample sample{{}, quality, reason, time, 0};
  bool gives_sample = true;
  std::string problem = convert(sink, reading, sample, gives_sample);
  if (gives_sample && filter_.passes(sample)) samples.push_back(sample);
  if (!problem.empty()) problem = fmt::format("{}: {}", series_, problem);
  return problem;
}

void Point::add(Sink& sink, const Reading& reading, Timestamp time, std::vector<Sample>& samples) {
  if (!is_open()) return;
  Sample sample{{}, Quality::good, Reason::none, time, 0};
  feed_.convert(sink, reading, options_.scale, sample);
  filter_.pass(sample);
  samples.push_back(sample);
}

// The device's codes come first: they are of what it sent, before any scale.
std::string Point::convert(Sink& sink, const Reading& reading, Sample& sample, bool& gives_sample) {
  const bool code = reading.type == Reading::Type::number || reading.type == Reading::Type::boolean;
  if (const std::string* fault = code ? word_of(options_.faults, reading.number) : nullptr) {
    feed_.convert(sink, {Reading::Type::null}, {}, sample);
    return *fault;
  }
  Reading shown = reading;
  if (const std::string* word = code && state_ ? word_of(options_.states, reading.number) : nullptr) {
    shown = {Reading::Type::text, 0, *word};
  }
  Feed::Conversion made = feed_.convert(sink, shown, options_.scale, sample);
  gives_sample = made.gives_sample;
  return std::move(made.problem);
}

void Point::lose(Reason why, Timestamp time, std::vector<Sample>& samples) {
  if (!is_open()) return;
  Sample sample{feed_.id(), Quality::bad, why, time, 0};
  if (filter_.passes(sample)) samples.push_back(sample);
}

}  // namespace tidegate::drivers
