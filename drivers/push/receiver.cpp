#include "drivers/push/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "drivers/series_name.h"
#include "gateway/core/clock.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::push {
namespace {

constexpr std::size_t kMaxTableBytes = 32u << 20;  // beyond it the tables start afresh
constexpr std::string_view kMeasurement = "measurement", kField = "field", kSource = "source", kTags = "tags";
/// Whoever has not spoken for so long has left his series to others.
constexpr Micros kLeft = std::chrono::minutes(10);

/// By Prometheus' convention; remote write says no types.
bool is_counter(std::string_view metric) {
  return metric.ends_with("_total") || metric.ends_with("_bucket") || metric.ends_with("_count");
}

}  // namespace

Receiver::Receiver(const Options& options, std::string source, Sink& sink)
    : options_(options), source_(std::move(source)), parts_(options.series.names()), sink_(sink) {
  if (options_.document) documents_.emplace(*options_.document, source_);
}

Result<Pushed> Receiver::take(const Push& push, Timestamp now) {
  if (table_bytes_ >= kMaxTableBytes) {
    owners_.clear();
    origins_.clear();
    table_bytes_ = 0;
  }
  pushed_ = {};
  samples_.clear();
  from_ = push.from;
  now_ = now;
  ++request_;
  last_refused_ = 0;
  if (const Status read = read_body(push); !read) {
    if (read.error().code == Errc::invalid) sink_.reject(from_, push.body, read.error().text);
    return fail(read.error());
  }
  if (samples_.size() > Push::kMostSamples) {
    return fail(Errc::full, "more than {} samples at once; send them in several parts", Push::kMostSamples);
  }
  pushed_.samples = samples_.size();
  if (!samples_.empty()) pushed_.ticket = sink_.push(samples_);
  return pushed_;
}

Status Receiver::read_body(const Push& push) {
  switch (push.format) {
    case Push::Format::json:
      return take_json(push);
    case Push::Format::lines:
      return take_lines(push);
    case Push::Format::prometheus:
      return take_remote_write(push);
    default:
      return take_document(push);
  }
}

Status Receiver::take_json(const Push& push) {
  if (const Status read = json_.read(push.body); !read) return read;
  for (std::size_t at = 1; at <= json_.size(); ++at) {
    const auto sample = json_.next();
    if (!sample) {
      refuse(at, {}, sample.error().text);
      continue;
    }
    Origin& origin = origin_of(sample->series);
    if (!origin.described) describe(origin, std::string(sample->series), sample->value.type);
    if (sample->unit && origin.info.unit != *sample->unit) {
      origin.info.unit = *sample->unit;
      origin.feed = {};
    }
    add(origin, {at, {}, sample->value, sample->time, sample->quality});
  }
  return {};
}

Status Receiver::take_lines(const Push& push) {
  LineReader lines(push.body);
  while (lines.next() && samples_.size() <= Push::kMostSamples) {
    if (lines.status()) {
      take_line(lines.line(), push.unit);
    } else {
      refuse(lines.line().number, lines.line().text, lines.status().error().text);
    }
  }
  return {};
}

Status Receiver::take_remote_write(const Push& push) {
  RemoteWriteReader reader(push.body);
  for (std::size_t at = 1; reader.next() && samples_.size() <= Push::kMostSamples; ++at) {
    const RemoteSeries& series = reader.series();
    const std::string_view shown = series.name.empty() ? "a series" : series.name;
    if (!reader.status()) {
      refuse(at, shown, reader.status().error().text);
      continue;
    }
    if (series.histograms) refuse(at, shown, "native histograms are not read");
    take_series(series, at);
  }
  if (reader.broken()) return fail(Errc::invalid, "the body is no remote write of version 1");
  return {};
}

void Receiver::take_series(const RemoteSeries& series, std::size_t at) {
  constexpr std::int64_t kLatest = INT64_MAX / 1000;
  Line line;
  line.measurement = series.name;
  line.tags = series.tags;
  set_identity(line);
  Origin& origin = origin_of(identity_);
  for (const RemoteSeries::Point& point : series.points) {
    Reading reading{Reading::Type::number, point.value};
    if (!std::isfinite(point.value)) reading = {Reading::Type::not_a_number};
    // The mark of its end says nothing of a series that nobody knows.
    if (is_stale(point.value) && !origin.described) continue;
    if (is_stale(point.value)) reading = {};
    if (!origin.described) {
      describe_as(origin, line, "", Reading::Type::number);
      if (origin.info.unit.empty()) origin.info.unit = unit_of_metric(series.name);
      if (is_counter(series.name)) origin.info.kind = SeriesKind::counter;
    }
    const std::int64_t millis = std::clamp(point.millis, -kLatest, kLatest);
    add(origin, {at, series.name, reading, Timestamp{std::chrono::milliseconds(millis)}});
  }
}

Status Receiver::take_document(const Push& push) {
  if (!documents_) {
    return fail(Errc::not_found, "the source '{}' reads no documents: write `document: {{}}` in its section", source_);
  }
  const auto problem = documents_->take(sink_, push.body, now_, samples_);
  if (!problem) return fail(problem.error());
  if (!problem->empty()) refuse(1, push.body, *problem);
  return {};
}

void Receiver::take_line(const Line& line, std::chrono::nanoseconds unit) {
  set_identity(line);
  const std::size_t of_line = identity_.size();
  std::optional<Timestamp> time;
  if (line.time) time = time_of_line(*line.time, unit);
  for (const auto& field : line.fields) {
    identity_.resize(of_line);
    identity_ += field.key;
    Origin& origin = origin_of(identity_);
    if (!origin.described) describe_as(origin, line, field.key, field.value.type);
    add(origin, {line.number, line.text, field.value, time});
  }
}

Receiver::Origin& Receiver::origin_of(std::string_view identity) {
  if (const auto found = origins_.find(identity); found != origins_.end()) return found->second;
  table_bytes_ += sizeof(Origin) + sizeof(Owner) + 3 * identity.size();  // as the name, and its key, too
  return origins_.emplace(identity, Origin{}).first->second;
}

void Receiver::set_identity(const Line& line) {
  identity_.assign(line.measurement);
  for (const auto& tag : line.tags) identity_.append(1, '\0').append(tag.key).append(1, '=').append(tag.value);
  identity_.append(2, '\0');
}

void Receiver::describe_as(Origin& origin, const Line& line, std::string_view field, Reading::Type type) {
  if (auto name = name_of(line, field)) {
    origin.info.labels = labels_of(line);
    describe(origin, std::move(*name), type);
  } else {
    origin.described = true;
    origin.problem = std::move(name.error().text);
  }
}

/// Once its kind can be told.
void Receiver::describe(Origin& origin, std::string name, Reading::Type type) {
  if (type == Reading::Type::null) return;
  origin.described = true;
  origin.info.kind =
      any_matches(options_.counters, name) && type != Reading::Type::text ? SeriesKind::counter : kind_of(type);
  origin.info.unit = unit_of(options_.units, name);
  origin.info.source = source_;
  origin.ignored = any_matches(options_.ignore, name);
  origin.owner = &owners_[name];
  origin.name = std::move(name);
}

bool Receiver::names(std::string_view part) const {
  return std::find(parts_.begin(), parts_.end(), part) != parts_.end();
}

Result<std::string> Receiver::name_of(const Line& line, std::string_view field) const {
  std::string missing;
  const auto part_of = [&](std::string_view part) -> std::optional<std::string> {
    if (part == kMeasurement) return level_text(line.measurement, false);
    if (part == kField) return level_text(field, false);
    if (part == kSource) return source_;
    std::string text;
    for (const auto& [key, value] : line.tags) {
      if (part == key) return level_text(value, true);
      if (part != kTags || names(key)) continue;
      text += text.empty() ? "" : "/";
      text += level_text(key, true) + "=" + level_text(value, true);
    }
    if (part != kTags) missing = part;
    return text;
  };
  std::string name = options_.series.render(part_of);
  if (missing.empty()) return without_empty_levels(name);
  return fail(Errc::invalid, "there is no tag '{}', which the source's `series` names", printable(missing, 64));
}

/// The tags that are not in the name.
Labels Receiver::labels_of(const Line& line) const {
  Labels labels;
  if (names(kTags)) return labels;
  for (const auto& [key, value] : line.tags) {
    if (!names(key)) labels.emplace_back(key, value);
  }
  return labels;
}

void Receiver::add(Origin& origin, const Value& value) {
  if (origin.ignored) return;
  if (!origin.described) return refuse(value.at, value.text, "nothing is known of this series yet: send a value first");
  if (!origin.problem.empty()) return refuse(value.at, value.text, origin.problem);
  if (!may_feed(origin)) {
    return refuse(value.at, value.text,
                  fmt::format("'{}' comes with other tags at the same time: have the source's `series` name the tags "
                              "that tell them apart",
                              printable(origin.name, 255)));
  }
  if (!origin.feed.is_open()) {
    if (const Status opened = origin.feed.open(sink_, origin.name, origin.info); !opened) {
      return refuse(value.at, value.text, opened.error().text);
    }
  }
  Sample sample;
  const auto made = origin.feed.convert(sink_, value.reading, {}, sample);
  if (!made.problem.empty()) refuse(value.at, value.text, made.problem);
  if (!made.gives_sample) return;
  stamp(value, sample);
  samples_.push_back(sample);
}

/// Two that give one name would mix in silence. A tag that changes, such as a version, is no second device: the newer
/// one takes the series over, but from who spoke in the same request, and not to and fro.
bool Receiver::may_feed(Origin& origin) {
  Owner& owner = *origin.owner;
  if (owner.origin != &origin && owner.origin != nullptr) {
    const bool contested = owner.contested != Timestamp{} && now_ - owner.contested < kLeft;
    const bool refused = owner.request == request_ || (contested && now_ - owner.spoke < kLeft);
    owner.contested = now_;
    if (refused) return false;
    origin.feed = {};  // its labels may be others
  }
  owner.origin = &origin;
  owner.spoke = now_;
  owner.request = request_;
  return true;
}

void Receiver::stamp(const Value& value, Sample& sample) const {
  if (value.quality != Quality::good)
    mark(sample, value.quality, value.quality == Quality::bad ? Reason::device_fault : Reason::none);
  sample.time = value.time.value_or(now_);
  if (believable(sample.time, now_)) return;
  sample.time = now_;
  mark(sample, Quality::uncertain, Reason::clock);
}

void Receiver::refuse(std::size_t at, std::string_view text, std::string_view reason) {
  if (at == last_refused_) return;  // a line is told once, with the first that is wrong
  last_refused_ = at;
  ++pushed_.refused;
  if (pushed_.told.size() < Pushed::kMostTold) pushed_.told.push_back({at, std::string(reason)});
  sink_.reject(from_, text.empty() ? json_.text() : std::string(text), reason);
}

}  // namespace tidegate::drivers::push
