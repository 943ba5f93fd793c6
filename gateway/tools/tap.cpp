#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "gateway/core/pattern.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/live.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/samples.h"

namespace tidegate::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// What a reading is to be read with.
struct Described {
  std::string unit;
  std::vector<std::string> states;  ///< texts by code; none where it is no state
};

/// One reading of the stream: `[t, value, "quality", "reason"]`.
struct Reading {
  std::string series, time, quality, reason;
  Value value;             ///< none where it is bad
  std::string_view label;  ///< of a state
};

Reading reading_of(const std::string& series, const Json& parts, const Described& described) {
  Reading reading{.series = series,
                  .time = rfc3339_micros(time_of(parts.at(0))),
                  .quality = parts.at(2).get<std::string>(),
                  .reason = parts.at(3).get<std::string>(),
                  .value = {},
                  .label = {}};
  if (parts.at(1).is_null()) return reading;
  const auto value = parts.at(1).get<double>();
  reading.value = value;
  if (value >= 0 && value < static_cast<double>(described.states.size())) {
    reading.label = described.states[static_cast<std::size_t>(value)];
  }
  return reading;
}

std::string in_words(const Reading& reading, const Described& described) {
  std::string value = "-";
  if (!reading.label.empty()) {
    value = reading.label;
  } else if (const auto* number = std::get_if<double>(&reading.value)) {
    value = number_text(*number) + (described.unit.empty() ? "" : ' ' + described.unit);
  }
  std::string line = fmt::format("{}  {}  {}", reading.time, reading.series, value);
  if (reading.quality != name(Quality::good)) line += fmt::format("  {}: {}", reading.quality, reading.reason);
  return printable(line, 4000) + '\n';
}

/// Follows the stream's events and prints what was asked for.
class Tap {
 public:
  explicit Tap(const TapOptions& options) : count_(options.count), rows_(Rows::make(Format::jsonl, output_)) {
    json_ = options.json;
    if (json_) status_ = rows_->columns(kSampleColumns);
  }

  bool take(std::string_view event, std::string_view data) {
    if (event == "delta") return take_values(Json::parse(data).at("values"));
    if (event == "snapshot" || event == "series") describe(Json::parse(data).at("series"));
    if (event == "snapshot" && described_.empty()) {
      fmt::print(stderr,
                 "no series matches yet (+ stands for one level, # for all below); one that comes will be shown\n");
    }
    if (event == "busy") status_ = fail(Errc::unavailable, "too many viewers watch already: http.max_streams");
    return status_.has_value();
  }

  Status status() const { return status_; }

 private:
  void describe(const Json& series) {
    for (const Json& one : series) {
      Described described{.unit = one.at("unit").get<std::string>(), .states = {}};
      if (one.contains("states")) described.states = one["states"].get<std::vector<std::string>>();
      described_.insert_or_assign(one.at("name").get<std::string>(), std::move(described));
    }
  }

  bool take_values(const Json& values) {
    for (const auto& [series, parts] : values.items()) {
      const auto described = described_.find(series);
      if (described == described_.end()) continue;
      if (status_ = put(reading_of(series, parts, described->second), described->second); !status_) return false;
      if (++shown_ == count_) break;
    }
    status_ = output_.flush();
    return status_.has_value() && (count_ == 0 || shown_ < count_);
  }

  Status put(const Reading& reading, const Described& described) {
    if (!json_) return output_.write(in_words(reading, described));
    const std::array<Value, 5> cells = {std::string_view(reading.series), std::string_view(reading.time), reading.value,
                                        std::string_view(reading.quality),
                                        reading.label.empty() ? Value() : Value(reading.label)};
    return rows_->row(cells);
  }

  const std::size_t count_;
  bool json_ = false;
  Output output_;
  std::unique_ptr<Rows> rows_;
  std::map<std::string, Described> described_;
  std::size_t shown_ = 0;
  Status status_;
};

Result<Clock::time_point> end_of(const std::string& lasts) {
  if (lasts.empty()) return Clock::time_point::max();
  const auto duration = parse_duration(lasts);
  if (!duration || *duration > std::chrono::hours(24 * 365)) {
    return fail(Errc::invalid, "--for {}: is no duration, such as 10s, 5m, 1h", printable(lasts));
  }
  return Clock::now() + *duration;
}

}  // namespace

Result<int> tap(const TapOptions& options, const GatewayClient& gateway, const Surroundings& surroundings) {
  for (const std::string& text : options.patterns) {
    if (const auto pattern = Pattern::parse(text); !pattern) return fail(Errc::invalid, "{}", pattern.error().text);
  }
  const auto end = end_of(options.lasts);
  if (!end) return fail(end.error());
  Tap tap(options);
  const Status followed = gateway.follow(
      options.patterns, [&](auto event, auto data) { return tap.take(event, data); }, *end, surroundings.stop);
  if (Status shown = tap.status(); !shown) return fail(std::move(shown.error()));
  if (!followed && followed.error().code == Errc::stopped) return kInterrupted;  // how one that has no end is ended
  if (!followed) return fail(followed.error());
  return kDone;
}

}  // namespace tidegate::tools
