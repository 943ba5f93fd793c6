#include "gateway/uplink/mqtt/payload.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "gateway/core/text.h"
#include "gateway/journal/event_json.h"

namespace tidegate::uplink::mqtt {
namespace {

using nlohmann::json;

std::string json_text(std::string_view text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

std::string head(const Context& context, const Parcel& parcel) {
  return fmt::format(R"({{"id":{},"gateway":{},"time":{})", json_text(message_id(context, parcel)),
                     json_text(context.gateway), parcel.batch->committed.time_since_epoch().count());
}

void put_point(std::string& out, const Sample& sample, const std::vector<std::string>& states) {
  fmt::format_to(std::back_inserter(out), "[{},", sample.time.time_since_epoch().count());
  if (sample.quality == Quality::bad || !std::isfinite(sample.value)) {
    out += "null";
  } else if (!states.empty() && sample.value >= 0 && sample.value < static_cast<double>(states.size())) {
    out += json_text(states[static_cast<std::size_t>(sample.value)]);
  } else {
    out += number_text(sample.value);
  }
  if (sample.quality != Quality::good) {
    fmt::format_to(std::back_inserter(out), ",\"{}\",\"{}\"", name(sample.quality), name(sample.reason));
  }
  out += ']';
}

/// As the journal keeps it, and whether somebody is to be called. A shelf that ends when somebody says so has no time.
json flood_json(Timestamp time, const Flood& flood) {
  return {{"time", time.time_since_epoch().count()},
          {"on", flood.on},
          {"since", flood.since.time_since_epoch().count()},
          {"first", flood.first},
          {"count", flood.count}};
}

json alert_json(const AlertRecord& alert) {
  json out = json::parse(journal::to_json(alert));
  if (silenced(alert)) out["silenced"] = true;
  if (alert.shelved_until == kOutOfService) {
    out.erase("shelved_until");
    out["out_of_service"] = true;
  }
  return out;
}

}  // namespace

std::string message_id(const Context& context, const Parcel& parcel) {
  std::string id = fmt::format("{}/{}/{}", context.gateway, context.epoch, number(parcel.batch->seq));
  return parcel.part ? fmt::format("{}/{}", id, parcel.first) : id;
}

namespace {

void put_series(std::string& out, const Context& context, const Parcel& parcel) {
  const Batch& batch = *parcel.batch;
  // By series, each in its order: a stable sort of places leaves the batch alone.
  std::vector<std::uint32_t> order(parcel.count);
  std::iota(order.begin(), order.end(), static_cast<std::uint32_t>(parcel.first));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return batch.samples[a].series < batch.samples[b].series; });
  out.reserve(out.size() + 32 * order.size());
  out += ",\"series\":{";
  for (std::size_t i = 0; i < order.size();) {
    const SeriesId series = batch.samples[order[i]].series;
    const auto entry = context.catalogue.entry(series);
    if (i > 0) out += ',';
    out += json_text(entry.name) + ":{";
    if (!entry.info.unit.empty()) out += "\"unit\":" + json_text(entry.info.unit) + ",";
    out += "\"points\":[";
    for (const std::size_t first = i; i < order.size() && batch.samples[order[i]].series == series; ++i) {
      if (i > first) out += ',';
      put_point(out, batch.samples[order[i]], entry.labels);
    }
    out += "]}";
  }
  out += "}}";
}

}  // namespace

std::string samples_json(const Context& context, const Parcel& parcel) {
  std::string out = head(context, parcel);
  put_series(out, context, parcel);
  return out;
}

std::string snapshot_json(const Context& context, const Parcel& parcel) {
  const auto& snapshot = std::get<Snapshot>(parcel.batch->events.front().body);
  const auto ticks = [](Timestamp time) { return time.time_since_epoch().count(); };
  std::string out = head(context, parcel);
  fmt::format_to(std::back_inserter(out),
                 R"(,"snapshot":{{"alert":{},"raised":{},"from":{},"until":{},"samples":{},"left_out":{}}})",
                 json_text(snapshot.alert), ticks(snapshot.breach), ticks(snapshot.from), ticks(snapshot.until),
                 snapshot.samples, snapshot.left_out);
  put_series(out, context, parcel);
  return out;
}

std::string alerts_json(const Context& context, const Parcel& parcel) {
  json transitions = json::array(), floods = json::array();
  for (const Event& event : std::span(parcel.batch->events).subspan(parcel.first, parcel.count)) {
    if (const auto* flood = std::get_if<Flood>(&event.body)) floods.push_back(flood_json(event.time, *flood));
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition == nullptr) continue;
    transitions.push_back({{"time", event.time.time_since_epoch().count()},
                           {"cause", transition->cause},
                           {"from", name(transition->from)},
                           {"alert", alert_json(transition->alert)}});
  }
  const auto dump = [](const json& list) { return list.dump(-1, ' ', false, json::error_handler_t::replace); };
  return head(context, parcel) + ",\"alerts\":" + dump(transitions) +
         (floods.empty() ? "" : ",\"floods\":" + dump(floods)) + "}";
}

std::string gap_json(const Context& context, Lane lane, const Parcel& parcel) {
  const Gap& gap = *parcel.batch->gap;
  const std::string part =
      parcel.part ? fmt::format(",\"{}\":{}", lane == Lane::alerts ? "alerts" : "samples", parcel.count) : "";
  return fmt::format(R"({{"id":{},"gateway":{},"gap":{{"first":{},"last":{},"why":{}{}}}}})",
                     json_text(message_id(context, parcel)), json_text(context.gateway), number(gap.first),
                     number(gap.last), json_text(gap.why), part);
}

}  // namespace tidegate::uplink::mqtt
