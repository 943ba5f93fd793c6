#include "gateway/journal/event_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace tidegate::journal {
namespace {

using Json = nlohmann::json;

/// What a field of stored JSON is not; caught at this file's edge.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Json number_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_from(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto& text = json.get_ref<const std::string&>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  throw Malformed("a number is '" + text.substr(0, 32) + "'");
}

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }

/// nlohmann would convert a number that is too large, or none.
std::int64_t integer_from(const Json& json) {
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)) {
    throw Malformed("a time is no integer of 64 bits");
  }
  return json.get<std::int64_t>();
}
std::uint32_t count_from(const Json& json) {
  const std::int64_t count = integer_from(json);
  if (count < 0 || count > UINT32_MAX) throw Malformed("a count is out of its range");
  return static_cast<std::uint32_t>(count);
}
Timestamp time_from(const Json& json) { return Timestamp{Micros{integer_from(json)}}; }

template <class Enum>
Enum enum_from(const Json& json, std::optional<Enum> (*parse)(std::string_view)) {
  const auto& text = json.get_ref<const std::string&>();
  if (const std::optional<Enum> value = parse(text)) return *value;
  throw Malformed("'" + text.substr(0, 32) + "' is not known here");
}

/// Text that may be missing: it is left out where it is empty.
std::string text_from(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? std::string() : found->get<std::string>();
}
void put_text(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

Json labels_json(const Labels& labels) {
  Json json = Json::array();
  for (const auto& [key, value] : labels) json.push_back({key, value});
  return json;
}

Labels labels_from(const Json& json) {
  Labels labels;
  for (const Json& pair : json) labels.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
  return labels;
}

Json fact_json(const Fact& fact) {
  Json json = {{"name", fact.name}, {"value", number_json(fact.value)}};
  put_text(json, "unit", fact.unit);
  put_text(json, "state", fact.state);
  return json;
}

Json evidence_json(const Evidence& evidence) {
  Json json = {{"from", ticks(evidence.from)}, {"to", ticks(evidence.to)}};
  put_text(json, "version", evidence.version);
  if (!evidence.series.empty()) json["series"] = evidence.series;
  for (const Fact& fact : evidence.facts) json["facts"].push_back(fact_json(fact));
  return json;
}

Evidence evidence_from(const Json& json) {
  Evidence evidence{text_from(json, "version"), time_from(json.at("from")), time_from(json.at("to")), {}, {}};
  if (json.contains("series")) evidence.series = json.at("series").get<std::vector<std::string>>();
  if (!json.contains("facts")) return evidence;
  for (const Json& fact : json.at("facts")) {
    evidence.facts.push_back({fact.at("name").get<std::string>(), number_from(fact.at("value")),
                              text_from(fact, "unit"), text_from(fact, "state")});
  }
  return evidence;
}

Json publications_json(const std::vector<Publication>& publications) {
  Json json = Json::array();
  for (const Publication& one : publications) {
    json.push_back({{"to", one.to}, {"topic", one.topic}, {"payload", one.payload}});
    if (one.retain) json.back()["retain"] = true;
  }
  return json;
}

std::vector<Publication> publications_from(const Json& json, const char* key) {
  std::vector<Publication> publications;
  if (!json.contains(key)) return publications;
  for (const Json& one : json.at(key)) {
    publications.push_back({one.at("to").get<std::string>(), one.at("topic").get<std::string>(),
                            one.at("payload").get<std::string>(), one.value("retain", false)});
  }
  return publications;
}

Json settings_json(const std::vector<PointSetting>& settings) {
  Json json = Json::array();
  for (const PointSetting& one : settings) {
    json.push_back({{"point", one.point}, {"value", one.value}, {"within", one.within.count()}});
    if (one.asked != Timestamp{}) json.back()["asked"] = ticks(one.asked);
  }
  return json;
}

std::vector<PointSetting> settings_from(const Json& json, const char* key) {
  std::vector<PointSetting> settings;
  if (!json.contains(key)) return settings;
  for (const Json& one : json.at(key)) {
    settings.push_back({one.at("point").get<std::string>(), one.at("value").get<std::string>(),
                        Micros{integer_from(one.at("within"))},
                        one.contains("asked") ? time_from(one.at("asked")) : Timestamp{}});
  }
  return settings;
}

Json alert_json(const AlertRecord& alert) {
  Json json = {{"id", alert.id},
               {"rule", alert.rule},
               {"series", alert.series},
               {"phase", name(alert.phase)},
               {"severity", name(alert.severity)},
               {"since", ticks(alert.since)},
               {"raised", ticks(alert.raised)},
               {"value", number_json(alert.value)},
               {"limit", number_json(alert.limit)}};
  if (alert.acknowledged) json["acknowledged"] = true;
  if (!alert.labels.empty()) json["labels"] = labels_json(alert.labels);
  put_text(json, "unit", alert.unit);
  put_text(json, "message", alert.message);
  put_text(json, "runbook", alert.runbook);
  put_text(json, "acknowledged_by", alert.acknowledged_by);
  put_text(json, "note", alert.note);
  if (alert.heading_since != Timestamp{}) {
    json["heading"] = name(alert.heading);
    json["heading_since"] = ticks(alert.heading_since);
  }
  if (alert.shelved_until != Timestamp{}) json["shelved_until"] = ticks(alert.shelved_until);
  if (alert.shelved_at != Timestamp{}) json["shelved_at"] = ticks(alert.shelved_at);
  put_text(json, "shelved_by", alert.shelved_by);
  put_text(json, "shelved_why", alert.shelved_why);
  put_text(json, "suppressed_by", alert.suppressed_by);
  if (alert.shadow) json["shadow"] = true;
  if (alert.chatter != 0) {
    json["chatter"] = alert.chatter;
    json["chatter_band"] = number_json(alert.chatter_band);
  }
  if (alert.evidence != Evidence{}) json["evidence"] = evidence_json(alert.evidence);
  if (!alert.farewell.empty()) json["farewell"] = publications_json(alert.farewell);
  if (!alert.release.empty()) json["release"] = settings_json(alert.release);
  put_text(json, "commented_by", alert.commented_by);
  put_text(json, "comment", alert.comment);
  return json;
}

AlertRecord alert_from(const Json& json) {
  AlertRecord alert;
  alert.id = json.at("id").get<std::string>();
  alert.rule = json.at("rule").get<std::string>();
  alert.series = json.at("series").get<std::string>();
  alert.phase = enum_from(json.at("phase"), &phase_from);
  alert.severity = enum_from(json.at("severity"), &severity_from);
  alert.since = time_from(json.at("since"));
  alert.raised = time_from(json.at("raised"));
  alert.value = number_from(json.at("value"));
  alert.limit = number_from(json.at("limit"));
  alert.acknowledged = json.value("acknowledged", false);
  if (const auto labels = json.find("labels"); labels != json.end()) alert.labels = labels_from(*labels);
  alert.unit = text_from(json, "unit");
  alert.message = text_from(json, "message");
  alert.runbook = text_from(json, "runbook");
  alert.acknowledged_by = text_from(json, "acknowledged_by");
  alert.note = text_from(json, "note");
  alert.heading = alert.severity;
  if (json.contains("heading_since")) {
    alert.heading = enum_from(json.at("heading"), &severity_from);
    alert.heading_since = time_from(json.at("heading_since"));
  }
  if (json.contains("shelved_until")) alert.shelved_until = time_from(json.at("shelved_until"));
  if (json.contains("shelved_at")) alert.shelved_at = time_from(json.at("shelved_at"));
  alert.shelved_by = text_from(json, "shelved_by");
  alert.shelved_why = text_from(json, "shelved_why");
  alert.suppressed_by = text_from(json, "suppressed_by");
  alert.shadow = json.value("shadow", false);
  if (json.contains("chatter")) {
    alert.chatter = count_from(json.at("chatter"));
    alert.chatter_band = number_from(json.at("chatter_band"));
  }
  if (json.contains("evidence")) alert.evidence = evidence_from(json.at("evidence"));
  alert.farewell = publications_from(json, "farewell");
  alert.release = settings_from(json, "release");
  alert.commented_by = text_from(json, "commented_by");
  alert.comment = text_from(json, "comment");
  return alert;
}

Json body_json(const AlertTransition& body) {
  Json json = {{"kind", "alert"}, {"alert", alert_json(body.alert)}, {"from", name(body.from)}, {"cause", body.cause}};
  if (!body.publish.empty()) json["publish"] = publications_json(body.publish);
  if (!body.write.empty()) json["write"] = settings_json(body.write);
  if (const auto& wish = body.snapshot) {
    json["snapshot"] = {{"from", ticks(wish->from)}, {"until", ticks(wish->until)}, {"series", wish->series}};
  }
  return json;
}
Json body_json(const SourceChange& body) {
  return {{"kind", "source"}, {"source", body.source}, {"health", name(body.health)}, {"text", body.text}};
}
Json body_json(const Acknowledge& body) {
  return {{"kind", "acknowledge"}, {"alert", body.alert}, {"who", body.who}, {"note", body.note}};
}
Json body_json(const Shelve& body) {
  return {
      {"kind", "shelve"}, {"alert", body.alert}, {"who", body.who}, {"why", body.why}, {"until", ticks(body.until)}};
}
Json body_json(const Comment& body) {
  return {{"kind", "comment"}, {"alert", body.alert}, {"who", body.who}, {"text", body.text}};
}
Json body_json(const ClockStep& body) { return {{"kind", "clock"}, {"by", body.by.count()}}; }
Json body_json(const Unwatched& body) { return {{"kind", "unwatched"}, {"since", ticks(body.since)}}; }
Json body_json(const Notice& body) { return {{"kind", "notice"}, {"notice", body.kind}, {"text", body.text}}; }
Json body_json(const Snapshot& body) {
  Json json = {
      {"kind", "snapshot"},           {"alert", body.alert},      {"asked", {number(body.asked), body.asked_ordinal}},
      {"breach", ticks(body.breach)}, {"from", ticks(body.from)}, {"until", ticks(body.until)},
      {"series", body.series},        {"samples", body.samples}};
  if (body.left_out > 0) json["left_out"] = body.left_out;
  return json;
}
Json body_json(const Flood& body) {
  return {
      {"kind", "flood"}, {"on", body.on}, {"since", ticks(body.since)}, {"first", body.first}, {"count", body.count}};
}

AlertTransition transition_from(const Json& json) {
  AlertTransition body{alert_from(json.at("alert")), enum_from(json.at("from"), &phase_from),
                       json.at("cause").get<std::string>(), publications_from(json, "publish")};
  body.write = settings_from(json, "write");
  if (const auto wish = json.find("snapshot"); wish != json.end()) {
    body.snapshot = SnapshotWish{time_from(wish->at("from")), time_from(wish->at("until")),
                                 wish->at("series").get<std::vector<std::string>>()};
  }
  return body;
}

Snapshot snapshot_from(const Json& json) {
  Snapshot body;
  body.alert = json.at("alert").get<std::string>();
  body.asked = Seq{integer_from(json.at("asked").at(0))};
  body.asked_ordinal = static_cast<int>(count_from(json.at("asked").at(1)));
  body.breach = time_from(json.at("breach"));
  body.from = time_from(json.at("from"));
  body.until = time_from(json.at("until"));
  body.series = count_from(json.at("series"));
  body.samples = count_from(json.at("samples"));
  if (const auto left = json.find("left_out"); left != json.end()) {
    body.left_out = static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer_from(*left)));
  }
  return body;
}

EventBody body_from(const Json& json) {
  const auto& kind = json.at("kind").get_ref<const std::string&>();
  const auto text = [&json](const char* key) { return json.at(key).get<std::string>(); };
  if (kind == "alert") return transition_from(json);
  if (kind == "snapshot") return snapshot_from(json);
  if (kind == "source") return SourceChange{text("source"), enum_from(json.at("health"), &health_from), text("text")};
  if (kind == "acknowledge") return Acknowledge{text("alert"), text("who"), text("note")};
  if (kind == "shelve") return Shelve{text("alert"), text("who"), text("why"), time_from(json.at("until"))};
  if (kind == "comment") return Comment{text("alert"), text("who"), text("text")};
  if (kind == "clock") return ClockStep{Micros{integer_from(json.at("by"))}};
  if (kind == "unwatched") return Unwatched{time_from(json.at("since"))};
  if (kind == "notice") return Notice{text("notice"), text("text")};
  if (kind == "flood") {
    return Flood{json.at("on").get<bool>(), time_from(json.at("since")), text("first"), count_from(json.at("count"))};
  }
  throw Malformed("an event of kind '" + kind.substr(0, 32) + "'");
}

/// Bytes that are no UTF-8 (a device's doing) are stored as U+FFFD rather than not at all.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class From>
auto parsed(std::string_view text, const char* what, const From& from) -> Result<decltype(from(Json()))> {
  try {
    return from(Json::parse(text));
  } catch (const std::exception& problem) {  // nlohmann's and Malformed alike
    return fail(Errc::corrupt, "{} in the journal cannot be read: {}", what, problem.what());
  }
}

}  // namespace

std::string to_json(const Event& event) {
  Json json = std::visit([](const auto& body) { return body_json(body); }, event.body);
  json["time"] = ticks(event.time);
  return dump(json);
}

Result<Event> event_from_json(std::string_view text) {
  return parsed(text, "an event", [](const Json& json) { return Event{time_from(json.at("time")), body_from(json)}; });
}

std::string to_json(const AlertRecord& alert) { return dump(alert_json(alert)); }

Result<AlertRecord> alert_from_json(std::string_view text) {
  return parsed(text, "an alert", [](const Json& json) { return alert_from(json); });
}

std::string to_json(std::span<const AlertRecord> alerts) {
  Json json = Json::array();
  for (const AlertRecord& alert : alerts) json.push_back(alert_json(alert));
  return dump(json);
}

Result<std::vector<AlertRecord>> alerts_from_json(std::string_view text) {
  return parsed(text, "a batch's alerts", [](const Json& json) {
    std::vector<AlertRecord> alerts;
    for (const Json& alert : json) alerts.push_back(alert_from(alert));
    return alerts;
  });
}

std::string to_json(const Labels& labels) { return dump(labels_json(labels)); }

Result<Labels> labels_from_json(std::string_view text) {
  return parsed(text, "a series' labels", [](const Json& json) { return labels_from(json); });
}

}  // namespace tidegate::journal
