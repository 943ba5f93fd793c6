#include "gateway/app/read_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "drivers/registry.h"
#include "gateway/app/one_reading.h"
#include "gateway/app/settings.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/gateway_client.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"

namespace tidegate::app {
namespace {

using tools::Json;
using tools::Value;

/// What is shown of one point.
struct Line {
  std::string series, time;
  Value value;
  std::string unit, quality, reason, label;
  bool bad = true;
};

Line line_of(const OneReading::Series& series) {
  const Sample& last = series.last;
  Line line{.series = series.name,
            .time = {},
            .value = {},
            .unit = series.info.unit,
            .quality = {},
            .reason = {},
            .label = {}};
  if (last.time == Timestamp{}) {
    line.quality = "none";
    return line;
  }
  line.bad = last.quality == Quality::bad;
  line.time = rfc3339_micros(last.time);
  line.quality = name(last.quality);
  line.reason = last.reason == Reason::none ? "" : name(last.reason);
  if (!line.bad) line.value = last.value;
  if (!line.bad && series.info.kind == SeriesKind::state) {
    line.label = series.labels.at(static_cast<std::size_t>(last.value));
  }
  return line;
}

/// One of /api/v1/series.
Line line_of(const Json& series) {
  Line line{.series = tools::word(series, "name"),
            .time = {},
            .value = {},
            .unit = tools::word(series, "unit"),
            .quality = {},
            .reason = {},
            .label = {}};
  const Json& last = series.at("last");
  if (last.is_null()) {
    line.quality = "none";
    return line;
  }
  line.time = rfc3339_micros(tools::time_of(last.at(0)));
  line.quality = last.at(2).get<std::string>();
  line.reason = last.at(3).get<std::string>();
  if (line.reason == name(Reason::none)) line.reason.clear();
  if (last.at(1).is_null()) return line;
  line.bad = false;
  const auto value = last.at(1).get<double>();
  line.value = value;
  line.label = tools::state_text(series, value);
  return line;
}

/// Of the source: its health, and whether that is a good one.
struct Health {
  bool well;
  std::string text;
};

Result<int> show(std::vector<Line> lines, const Health& health, bool json) {
  static constexpr std::array<std::string_view, 7> kColumns = {"series",  "value",  "unit", "label",
                                                               "quality", "reason", "time"};
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.series < b.series; });
  tools::Output output;
  const auto rows = tools::Rows::make(json ? tools::Format::json : tools::Format::table, output);
  Status written = rows->columns(kColumns);
  const auto text = [](const std::string& of) { return of.empty() ? Value() : Value(std::string_view(of)); };
  for (const Line& line : lines) {
    const std::array<Value, 7> cells = {text(line.series),  line.value,        text(line.unit), text(line.label),
                                        text(line.quality), text(line.reason), text(line.time)};
    if (written) written = rows->row(cells);
  }
  if (written) written = rows->end();
  if (const auto done = finish(written, output); !done) return done;
  fmt::print(stderr, "{}\n", printable(health.text, 2000));
  const bool nothing = std::all_of(lines.begin(), lines.end(), [](const Line& line) { return line.quality == "none"; });
  if (nothing) return tools::kFailed;
  const bool bad = std::any_of(lines.begin(), lines.end(), [](const Line& line) { return line.bad; });
  return bad || !health.well ? tools::kUnwell : tools::kDone;
}

/// What the gateway that runs read last of it; nothing: it does not run this source.
Result<std::optional<int>> read_there(const ReadSource& options, const tools::GatewayClient& gateway) {
  const auto state = gateway.get("/api/v1/state");
  if (!state) return fail(state.error());
  const Json& sources = state->at("sources");
  const auto source = std::find_if(sources.begin(), sources.end(),
                                   [&](const Json& one) { return tools::word(one, "name") == options.source; });
  if (source == sources.end()) return std::nullopt;
  const auto all = gateway.get("/api/v1/series");
  if (!all) return fail(all.error());
  std::vector<Line> lines;
  for (const Json& series : all->at("series")) {
    if (tools::word(series, "source") == options.source) lines.push_back(line_of(series));
  }
  const std::string health = tools::word(*source, "health");
  const auto shown =
      show(std::move(lines),
           {health == name(SourceHealth::up), fmt::format("{} is {}: {} (what the running gateway read last)",
                                                          options.source, health, tools::word(*source, "text"))},
           options.json);
  if (!shown) return fail(shown.error());
  return *shown;
}

Result<config::Node> section_of(const std::string& source, const tools::Surroundings& surroundings) {
  config::Problems problems;
  const Settings settings = load_to_look(surroundings.configuration, problems);
  if (!problems.empty()) return fail(Errc::invalid, "the configuration has problems:\n{}", problems.text());
  std::vector<std::string> names;
  for (const config::Node& section : settings.sources) {
    names.push_back(section.string("name"));
    if (names.back() == source) return section;
  }
  return fail(Errc::invalid, "{} has no enabled source '{}'{}; it has: {}", surroundings.configuration.string(),
              printable(source), did_you_mean(source, names),
              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

Result<int> read_here(const ReadSource& options, const tools::Surroundings& surroundings) {
  const auto lasts = parse_duration(options.lasts);
  if (!lasts || *lasts > std::chrono::hours(1)) {
    return fail(Errc::invalid, "--for {}: is no duration up to an hour, such as 10s or 2m", printable(options.lasts));
  }
  const auto section = section_of(options.source, surroundings);
  if (!section) return fail(section.error());
  const GatewayClock clock;
  Metrics metrics;
  OneReading sink;
  config::Problems problems;
  const auto* type = drivers::find_type(section->string("type"));
  const auto driver = type->make(*section, {options.source, clock, metrics, true}, problems);
  if (!driver) return fail(Errc::invalid, "{}", problems.text());
  if (driver->inlet() != nullptr) {
    return fail(Errc::conflict, "programs push to '{}': it reads nothing by itself, and is fed by the running gateway",
                options.source);
  }
  std::string ended;
  bool waited = false;
  {
    std::jthread thread([&](std::stop_token stop) {
      if (const Status status = driver->run(sink, std::move(stop)); !status) ended = status.error().text;
    });
    waited = sink.wait(std::chrono::steady_clock::now() + *lasts, surroundings.stop);
  }
  if (!waited) return tools::kInterrupted;
  for (const std::string& refused : sink.refused()) fmt::print(stderr, "refused: {}\n", printable(refused, 2000));
  std::vector<Line> lines;
  for (const auto& series : sink.all()) lines.push_back(line_of(series));
  const auto said = sink.said();
  const std::string text = ended.empty() ? said.text : ended;
  return show(std::move(lines),
              {ended.empty() && said.health == SourceHealth::up,
               fmt::format("{} is {}: {}", options.source, ended.empty() ? name(said.health) : "down",
                           text.empty() ? fmt::format("nothing came within {}", options.lasts) : text)},
              options.json);
}

}  // namespace

Result<int> read_source(const ReadSource& options, const tools::Surroundings& surroundings) {
  const tools::GatewayClient gateway(surroundings.store / tools::kSocketName);
  if (gateway.health()) {
    const auto there = read_there(options, gateway);
    if (!there) return fail(there.error());
    if (*there) return **there;
  }
  return read_here(options, surroundings);
}

}  // namespace tidegate::app
