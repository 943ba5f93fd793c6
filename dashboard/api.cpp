#include "dashboard/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "dashboard/json.h"
#include "dashboard/metrics_text.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

constexpr std::size_t kMaxLog = 1000;

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid:
      return 400;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::unavailable:
    case Errc::interrupted:
    case Errc::timed_out:
    case Errc::full:
    case Errc::stopped:
      return 503;
    case Errc::io:
    case Errc::corrupt:
      return 500;
  }
  return 500;
}

Reply failed(const Error& error) { return problem(status_of(error.code), error.text); }
Reply json_reply(std::string body) { return {200, "application/json", std::move(body)}; }

/// `[t, min, max, avg, last, count, bad]`; t is the time of `last`.
void append_bucket(std::string& out, const journal::Bucket& bucket) {
  fmt::format_to(std::back_inserter(out), "[{},", micros(bucket.last_time));
  if (bucket.count == 0) {
    out += "null,null,null,null";
  } else {
    for (const double value : {bucket.min, bucket.max, bucket.sum / bucket.count, bucket.last}) {
      append_number(out, value);
      out += ',';
    }
    out.pop_back();
  }
  fmt::format_to(std::back_inserter(out), ",{},{}]", bucket.count, bucket.bad);
}

std::string history_text(const HistoryQuery& query, const std::vector<journal::SeriesHistory>& histories) {
  std::string out = fmt::format("{{\"from\":{},\"to\":{},\"series\":[", micros(query.from), micros(query.to));
  for (std::size_t i = 0; i < query.series.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{{\"name\":{},\"points\":[", i == 0 ? "" : ",",
                   json_string(query.series[i]));
    const auto& buckets = histories.at(i).buckets;
    for (std::size_t j = 0; j < buckets.size(); ++j) {
      if (j > 0) out += ',';
      append_bucket(out, buckets[j]);
    }
    out += "]}";
  }
  return out += "]}";
}

}  // namespace

std::string_view status_title(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 15> kTitles = {{{400, "Bad Request"},
                                                                         {403, "Forbidden"},
                                                                         {404, "Not Found"},
                                                                         {405, "Method Not Allowed"},
                                                                         {408, "Request Timeout"},
                                                                         {409, "Conflict"},
                                                                         {411, "Length Required"},
                                                                         {413, "Content Too Large"},
                                                                         {414, "URI Too Long"},
                                                                         {415, "Unsupported Media Type"},
                                                                         {417, "Expectation Failed"},
                                                                         {421, "Misdirected Request"},
                                                                         {431, "Request Header Fields Too Large"},
                                                                         {500, "Internal Server Error"},
                                                                         {503, "Service Unavailable"}}};
  const auto found =
      std::find_if(kTitles.begin(), kTitles.end(), [&](const auto& known) { return known.first == status; });
  return found != kTitles.end() ? found->second : "Error";
}

Reply problem(int status, std::string_view detail) {
  return {status, "application/problem+json",
          text(Json{{"title", status_title(status)}, {"status", status}, {"detail", detail}})};
}

Api::Api(const Options& options, const journal::Journal& journal, Gateway& gateway, const Clock& clock,
         Metrics& metrics)
    : options_(options), journal_(journal), gateway_(gateway), clock_(clock), metrics_(metrics) {}

std::span<const Api::Route> Api::routes() {
  using enum Workers::Lane;
  static constexpr std::array<std::string_view, 4> kHistory = {"series", "from", "to", "points"};
  static constexpr std::array<std::string_view, 1> kLimit = {"limit"};
  static constexpr std::array<std::string_view, 2> kSnapshots = {"alert", "limit"};
  static constexpr std::array<std::string_view, 1> kId = {"id"};
  static constexpr std::array<Route, 13> kRoutes = {
      {{"GET", "/healthz", &Api::health, quick},
       {"GET", "/metrics", &Api::metrics, slow},
       {"GET", "/api/v1/series", &Api::series, quick},
       {"GET", "/api/v1/history", &Api::history, slow, kHistory},
       {"GET", "/api/v1/alerts", &Api::alerts, slow},
       {"GET", "/api/v1/alerts/log", &Api::alert_log, slow, kLimit},
       {"POST", "/api/v1/alerts/ack", &Api::acknowledge, slow},
       {"POST", "/api/v1/alerts/shelve", &Api::shelve, slow},
       {"POST", "/api/v1/alerts/unshelve", &Api::unshelve, slow},
       {"GET", "/api/v1/snapshots", &Api::snapshots, slow, kSnapshots},
       {"GET", "/api/v1/snapshot", &Api::snapshot, slow, kId},
       {"GET", "/api/v1/state", &Api::state, quick},
       {"GET", "/api/v1/dead-letters", &Api::dead_letters, slow, kLimit}}};
  return kRoutes;
}

Workers::Lane Api::lane(std::string_view path) {
  if (path.find('%') != path.npos) return Workers::Lane::slow;
  const auto all = routes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Route& route) { return route.path == path; });
  return found != all.end() ? found->lane : Workers::Lane::quick;
}

Reply Api::health(const Call&) {
  constexpr Micros kStuck = std::chrono::seconds(10);
  const auto told = [](int status, std::string body) {
    return Reply{status, "text/plain; charset=utf-8", body + "\n"};
  };
  if (const Micros age = gateway_.pump_age(); age >= kStuck) {
    return told(503, fmt::format("The pump has not moved for {}: samples wait and are not stored. Is the disk full or "
                                 "failing? See the log.",
                                 age_text(age)));
  }
  const StoreView store = gateway_.view().store;
  if (store.health == SourceHealth::down) return told(503, "The store is down: " + store.text);
  return told(200, "ok");
}

Reply Api::metrics(const Call&) {
  const auto alerts = journal_.alerts();
  if (!alerts) return failed(alerts.error());  // without them a rule over tidegate_alerts would see all clear
  return {200, "text/plain; version=0.0.4; charset=utf-8",
          metrics_text(metrics_, gateway_.view(), *alerts, options_.version)};
}

Reply Api::series(const Call&) {
  const auto latest = journal_.latest();
  const auto entries = journal_.catalogue().entries();
  const std::size_t count = std::min(shown_count(latest), entries.size());
  std::string out = "{\"series\":[";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_series(out, series_head(entries[i]), gateway_.stale_after(entries[i].id), latest[i]);
  }
  return json_reply(out += "]}");
}

Reply Api::history(const Call& call) {
  const auto query = parse_history(call.query, clock_.now());
  if (!query) return failed(query.error());
  std::vector<SeriesId> ids;
  for (const auto& name : query->series) {
    const auto id = journal_.catalogue().find(name);
    if (!id) {
      return problem(404, fmt::format("there is no series '{}'; /api/v1/series lists them", printable(name)));
    }
    ids.push_back(*id);
  }
  const auto histories = journal_.history(ids, query->from, query->to, query->points);
  if (!histories) return failed(histories.error());
  return json_reply(history_text(*query, *histories));
}

Reply Api::alerts(const Call&) {
  const auto alerts = journal_.alerts();
  if (!alerts) return failed(alerts.error());
  Json list = Json::array();
  for (const auto& alert : *alerts) list.push_back(alert_json(alert));
  return json_reply(text(Json{{"alerts", std::move(list)}}));
}

Reply Api::alert_log(const Call& call) {
  const auto limit = parse_limit(call.query, 100, kMaxLog);
  if (!limit) return failed(limit.error());
  const auto events = journal_.events({.limit = *limit, .newest_first = true, .alerts_only = true});
  if (!events) return failed(events.error());
  Json log = Json::array(), floods = Json::array();
  for (const auto& [seq, ordinal, damaged, event] : *events) {
    if (const auto* transition = std::get_if<AlertTransition>(&event.body)) {
      log.push_back(alert_event_json(seq, event.time, *transition));
    } else if (const auto* flood = std::get_if<Flood>(&event.body)) {
      floods.push_back(flood_event_json(seq, event.time, *flood));
    }
  }
  return json_reply(text(Json{{"log", std::move(log)}, {"floods", std::move(floods)}}));
}

Reply Api::snapshots(const Call& call) {
  const auto limit = parse_limit(call.query, 100, kMaxLog);
  if (!limit) return failed(limit.error());
  const auto events = journal_.events({.limit = kMaxLog, .newest_first = true, .snapshots_only = true});
  if (!events) return failed(events.error());
  const auto alert = call.query.find("alert");
  Json list = Json::array();
  for (const auto& stored : *events) {
    const auto& snapshot = std::get<Snapshot>(stored.event.body);
    if (list.size() == *limit) break;
    if (alert == call.query.end() || alert->second == snapshot.alert)
      list.push_back(snapshot_json(stored.seq, snapshot));
  }
  return json_reply(text(Json{{"snapshots", std::move(list)}}));
}

Reply Api::snapshot(const Call& call) {
  const auto id = parse_snapshot(call.query);
  if (!id) return failed(id.error());
  const auto events = journal_.events({.after = prev(*id), .limit = 1, .snapshots_only = true});
  if (!events) return failed(events.error());
  if (events->empty() || events->front().seq != *id) {
    return problem(404, fmt::format("there is no snapshot {}; /api/v1/snapshots lists them", number(*id)));
  }
  const auto samples = journal_.snapshot(*id);
  if (!samples) return failed(samples.error());
  std::string out = "{\"snapshot\":" + text(snapshot_json(*id, std::get<Snapshot>(events->front().event.body)));
  out += ",\"series\":[";
  append_points(out, journal_.catalogue(), *samples);
  return json_reply(out += "]}");
}

Reply Api::acknowledge(const Call& call) { return ask(parse_acknowledge(call.body), call.address); }
Reply Api::shelve(const Call& call) { return ask(parse_shelve(call.body, clock_.now()), call.address); }
Reply Api::unshelve(const Call& call) { return ask(parse_unshelve(call.body), call.address); }

// Waits for a commit, so it may hold a worker for seconds: two at once, and the others go on answering.
template <class OneWish>
Reply Api::ask(Result<OneWish> wish, const std::string& address) {
  constexpr int kAtOnce = 2;
  if (!wish) return failed(wish.error());
  if (wish->who.empty()) wish->who = address;
  if (asking_.fetch_add(1) >= kAtOnce) {
    asking_.fetch_sub(1);
    return problem(503, "what others asked of alerts waits for the disk; try again in a second");
  }
  const auto alert = gateway_.ask(*wish);
  asking_.fetch_sub(1);
  if (!alert) return failed(alert.error());
  return json_reply(text(Json{{"alert", alert_json(*alert)}}));
}

Reply Api::state(const Call&) {
  Json state = state_json(gateway_.view(), {&options_, journal_.epoch(), journal_.stats()});
  state["gateway"]["time"] = micros(clock_.now());
  return json_reply(text(state));
}

Reply Api::dead_letters(const Call& call) {
  const auto limit = parse_limit(call.query, 100, kMaxLog);
  if (!limit) return failed(limit.error());
  const auto letters = journal_.dead_letters(*limit);
  if (!letters) return failed(letters.error());
  Json list = Json::array();
  for (const auto& [id, times, letter] : *letters) {
    list.push_back({{"id", id},
                    {"time", micros(letter.time)},
                    {"times", times},
                    {"source", letter.source},
                    {"topic", letter.topic},
                    {"payload", letter.payload},
                    {"reason", letter.reason}});
  }
  return json_reply(text(Json{{"dead_letters", std::move(list)}}));
}

}  // namespace tidegate::dashboard
