#include "dashboard/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

Json labels_json(const Labels& labels) {
  Json json = Json::object();
  for (const auto& [key, value] : labels) json[key] = value;
  return json;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, Timestamp>) {
    return value ? Json(micros(*value)) : Json(nullptr);
  } else {
    return value ? Json(*value) : Json(nullptr);
  }
}

/// By the tenth of a millisecond: what nobody can see is no news.
Json turns_json(const Turns& turns) {
  const auto milliseconds = [](double seconds) { return std::round(seconds * 10'000) / 10; };
  return {
      {"lateness_ms", milliseconds(turns.lateness)}, {"time_ms", milliseconds(turns.time)}, {"missed", turns.missed}};
}

Json source_json(const SourceView& source) {
  return {{"name", source.name},
          {"type", source.type},
          {"health", name(source.health)},
          {"text", source.text},
          {"since", micros(source.since)},
          {"series", source.series},
          {"rate", source.rate},
          {"rejected", source.rejected},
          {"turns", source.turns ? turns_json(*source.turns) : Json(nullptr)}};
}

Json rule_json(const RuleView& rule) {
  return {{"name", rule.name},           {"kind", rule.kind},
          {"condition", rule.condition}, {"severity", name(rule.severity)},
          {"series", rule.series},       {"instances", rule.instances},
          {"active", rule.active},       {"unfit", rule.unfit},
          {"problems", rule.problems},   {"off", rule.off.has_value()}};
}

/// Those that are disabled where they stand are nothing to the page.
Json rules_json(const std::vector<RuleView>& rules) {
  Json json = Json::array();
  for (const RuleView& rule : rules) {
    if (rule.enabled) json.push_back(rule_json(rule));
  }
  return json;
}

Json flood_json(const Flood& flood) {
  return {{"since", micros(flood.since)}, {"first", flood.first}, {"count", flood.count}};
}

Json wear_json(const std::optional<WearView>& wear) {
  if (!wear) return nullptr;
  return {
      {"bytes_a_sample", wear->bytes_a_sample}, {"bytes_a_day", wear->bytes_a_day}, {"life_years", wear->life_years}};
}

Json store_json(const StoreView& store, const journal::Stats& stats) {
  return {{"health", name(store.health)},
          {"text", store.text},
          {"takes_samples", store.takes_samples},
          {"takes_alerts", store.takes_alerts},
          {"alerts_waiting", store.alerts_waiting},
          {"notices", store.notices},
          {"rate", store.rate},
          {"commit_p50_ms", store.commit_p50_ms},
          {"commit_p99_ms", store.commit_p99_ms},
          {"queue_depth", store.queue_depth},
          {"queue_capacity", store.queue_capacity},
          {"dropped", store.dropped},
          {"used_bytes", store.used_bytes},
          {"max_bytes", store.max_bytes},
          {"wear", wear_json(store.wear)},
          {"oldest", time_or_null(stats.oldest)},
          {"last_seq", number(stats.last)}};
}

Json certificate_json(const CertificateView& certificate) {
  return {{"fingerprint", certificate.fingerprint},
          {"until", micros(certificate.until)},
          {"own", certificate.own},
          {"trouble", certificate.trouble}};
}

Json uplink_json(const UplinkView& uplink) {
  return {{"name", uplink.name},
          {"type", uplink.type},
          {"health", name(uplink.health)},
          {"text", uplink.text},
          {"backlog_batches", uplink.backlog_batches},
          {"backlog_oldest", or_null(uplink.backlog_oldest)},
          {"rate", uplink.rate},
          {"drain_seconds", or_null(uplink.drain_seconds)},
          {"last_ack", or_null(uplink.last_ack)},
          {"lost_batches", uplink.lost_batches}};
}

template <class T, class ToJson>
Json list(const std::vector<T>& items, ToJson to_json) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(to_json(item));
  return json;
}

}  // namespace

std::string text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json time_or_null(Timestamp time) { return time == Timestamp{} ? Json(nullptr) : Json(micros(time)); }

Json evidence_json(const Evidence& evidence) {
  Json facts = Json::array();
  for (const Fact& fact : evidence.facts)
    facts.push_back({{"name", fact.name}, {"value", fact.value}, {"unit", fact.unit}, {"state", fact.state}});
  return {{"version", evidence.version},
          {"from", time_or_null(evidence.from)},
          {"to", time_or_null(evidence.to)},
          {"series", evidence.series},
          {"facts", std::move(facts)}};
}

Json alert_json(const AlertRecord& alert) {
  const bool out_of_service = alert.shelved_until == kOutOfService;
  return {{"id", alert.id},
          {"rule", alert.rule},
          {"series", alert.series},
          {"phase", name(alert.phase)},
          {"acknowledged", alert.acknowledged},
          {"acknowledged_by", alert.acknowledged_by},
          {"note", alert.note},
          {"severity", name(alert.severity)},
          {"since", micros(alert.since)},
          {"raised", time_or_null(alert.raised)},
          {"value", alert.value},
          {"limit", alert.limit},
          {"unit", alert.unit},
          {"message", alert.message},
          {"labels", labels_json(alert.labels)},
          {"runbook", alert.runbook},
          {"silenced", silenced(alert)},
          {"shelved_until", out_of_service ? Json(nullptr) : time_or_null(alert.shelved_until)},
          {"out_of_service", out_of_service},
          {"shelved_by", alert.shelved_by},
          {"shelved_why", alert.shelved_why},
          {"suppressed_by", alert.suppressed_by},
          {"shadow", alert.shadow},
          {"chatter", alert.chatter},
          {"chatter_band", alert.chatter_band},
          {"commented_by", alert.commented_by},
          {"comment", alert.comment},
          {"evidence", evidence_json(alert.evidence)}};
}

Json flood_event_json(Seq seq, Timestamp time, const Flood& flood) {
  Json json = flood_json(flood);
  json["seq"] = number(seq);
  json["time"] = micros(time);
  json["on"] = flood.on;
  return json;
}

Json publication_json(const Publication& one) {
  return {{"to", one.to}, {"topic", one.topic}, {"payload", one.payload}, {"retain", one.retain}};
}

Json setting_json(const PointSetting& one) { return {{"point", one.point}, {"value", one.value}}; }

Json alert_event_json(Seq seq, Timestamp time, const AlertTransition& transition) {
  return {{"seq", number(seq)},
          {"time", micros(time)},
          {"cause", transition.cause},
          {"from", name(transition.from)},
          {"alert", alert_json(transition.alert)},
          {"publish", list(transition.publish, publication_json)},
          {"write", list(transition.write, setting_json)}};
}

Json snapshot_json(Seq seq, const Snapshot& snapshot) {
  return {{"id", number(seq)},
          {"alert", snapshot.alert},
          {"raised", micros(snapshot.breach)},
          {"from", micros(snapshot.from)},
          {"until", micros(snapshot.until)},
          {"series", snapshot.series},
          {"samples", snapshot.samples},
          {"left_out", snapshot.left_out}};
}

Json source_change_json(Timestamp time, const SourceChange& change) {
  return {{"time", micros(time)}, {"source", change.source}, {"health", name(change.health)}, {"text", change.text}};
}

Json sources_json(const GatewayView& view) { return {{"sources", list(view.sources, source_json)}}; }
Json uplinks_json(const GatewayView& view) { return {{"uplinks", list(view.uplinks, uplink_json)}}; }

Json written_rule_json(const RuleView& rule) {
  const RuleView::Off off = rule.off.value_or(RuleView::Off{});
  Json json = rule_json(rule);
  json["off_by"] = off.who;
  json["off_since"] = time_or_null(off.since);
  json["off_note"] = off.note;
  json["version"] = rule.version;
  json["enabled"] = rule.enabled;
  json["file"] = rule.file;
  json["line"] = rule.line;
  json["editable"] = rule.editable;
  return json;
}

Json state_json(const GatewayView& view, const StateContext& context) {
  return {{"gateway",
           {{"name", context.options->name},
            {"site", context.options->site},
            {"version", context.options->version},
            {"started", micros(view.started)},
            {"epoch", context.epoch},
            {"demo", context.options->demo},
            {"insecure", context.options->insecure},
            {"certificate", view.certificate ? certificate_json(*view.certificate) : Json(nullptr)}}},
          {"sources", list(view.sources, source_json)},
          {"rules", rules_json(view.rules)},
          {"flood", view.flood ? flood_json(*view.flood) : Json(nullptr)},
          {"store", store_json(view.store, context.stats)},
          {"uplinks", list(view.uplinks, uplink_json)}};
}

std::string json_string(std::string_view value) { return text(Json(value)); }

std::size_t shown_count(const std::vector<Sample>& latest) {
  const auto last =
      std::find_if(latest.rbegin(), latest.rend(), [](const Sample& one) { return one.time != Timestamp{}; });
  return static_cast<std::size_t>(latest.rend() - last);
}

void append_number(std::string& out, double value) {
  if (std::isfinite(value)) {
    out += number_text(value);
  } else {
    out += "null";
  }
}

void append_points(std::string& out, const journal::Catalogue& catalogue, std::span<const Sample> samples) {
  for (std::size_t i = 0; i < samples.size();) {
    const SeriesId series = samples[i].series;
    const auto entry = catalogue.entry(series);
    Json head = {{"name", entry.name}, {"unit", entry.info.unit}};
    if (entry.info.kind == SeriesKind::state) head["states"] = entry.labels;
    std::string opened = text(head);
    opened.back() = ',';
    out += (i == 0 ? "" : ",") + opened + "\"points\":[";
    for (const std::size_t first = i; i < samples.size() && samples[i].series == series; ++i) {
      if (i > first) out += ',';
      append_reading(out, samples[i]);
    }
    out += "]}";
  }
}

void append_reading(std::string& out, const Sample& sample) {
  fmt::format_to(std::back_inserter(out), "[{},", micros(sample.time));
  if (sample.quality == Quality::bad) {
    out += "null";
  } else {
    append_number(out, sample.value);
  }
  fmt::format_to(std::back_inserter(out), ",\"{}\",\"{}\"]", name(sample.quality),
                 sample.reason == Reason::none ? std::string_view() : name(sample.reason));
}

std::string series_head(const journal::Catalogue::Entry& entry) {
  Json json = {{"name", entry.name},
               {"kind", name(entry.info.kind)},
               {"unit", entry.info.unit},
               {"source", entry.info.source},
               {"labels", labels_json(entry.info.labels)}};
  if (entry.info.kind == SeriesKind::state) json["states"] = entry.labels;
  std::string head = text(json);
  head.back() = ',';
  return head += "\"stale_after\":";
}

void append_series(std::string& out, std::string_view head, Micros stale_after, const Sample& last) {
  out += head;
  fmt::format_to(std::back_inserter(out), "{},\"last\":", stale_after.count());
  if (last.time == Timestamp{}) {
    out += "null";
  } else {
    append_reading(out, last);
  }
  out += '}';
}

}  // namespace tidegate::dashboard
