#include <fmt/format.h>

#include <array>

#include "dashboard/json.h"
#include "dashboard/replies.h"

namespace tidegate::dashboard {
namespace {

constexpr std::size_t kMaxLog = 1000;

Reply alerts(Backend& backend, const Call&) {
  const auto alerts = backend.journal.alerts();
  if (!alerts) return failed(alerts.error());
  Json list = Json::array();
  for (const auto& alert : *alerts) list.push_back(alert_json(alert));
  return json_reply(text(Json{{"alerts", std::move(list)}}));
}

/// Where a list of events goes on.
journal::EventQuery::Place place_of(const ListPage& page) {
  return page.before ? journal::EventQuery::Place{Seq{*page.before}, page.ordinal} : journal::EventQuery::Place{};
}

Reply alert_log(Backend& backend, const Call& call) {
  const auto page = parse_list_page(call.query, 100, kMaxLog);
  if (!page) return failed(page.error());
  auto events = backend.journal.events(
      {.before = place_of(*page), .limit = page->limit + 1, .newest_first = true, .alerts_only = true});
  if (!events) return failed(events.error());
  const Json next = next_page(*events, page->limit, [](const auto& event) { return cursor(event); });
  Json log = Json::array(), floods = Json::array();
  for (const auto& [seq, ordinal, damaged, event] : *events) {
    if (const auto* transition = std::get_if<AlertTransition>(&event.body)) {
      log.push_back(alert_event_json(seq, event.time, *transition));
    } else if (const auto* flood = std::get_if<Flood>(&event.body)) {
      floods.push_back(flood_event_json(seq, event.time, *flood));
    }
  }
  return json_reply(text(Json{{"log", std::move(log)}, {"floods", std::move(floods)}, {"next", next}}));
}

/// Of one alert they stand among those of all others, which are passed over.
Reply snapshots(Backend& backend, const Call& call) {
  const auto page = parse_list_page(call.query, 100, kMaxLog);
  if (!page) return failed(page.error());
  const auto alert = call.query.find("alert");
  std::vector<journal::StoredEvent> found;
  for (auto before = place_of(*page); found.size() <= page->limit;) {
    auto events =
        backend.journal.events({.before = before, .limit = kMaxLog, .newest_first = true, .snapshots_only = true});
    if (!events) return failed(events.error());
    const bool is_last = events->size() < kMaxLog;
    if (!is_last) before = {events->back().seq, events->back().ordinal};
    for (auto& stored : *events) {
      const bool wanted = alert == call.query.end() || alert->second == std::get<Snapshot>(stored.event.body).alert;
      if (wanted && found.size() <= page->limit) found.push_back(std::move(stored));
    }
    if (is_last) break;
  }
  const Json next = next_page(found, page->limit, [](const auto& stored) { return cursor(stored); });
  Json list = Json::array();
  for (const auto& stored : found) list.push_back(snapshot_json(stored.seq, std::get<Snapshot>(stored.event.body)));
  return json_reply(text(Json{{"snapshots", std::move(list)}, {"next", next}}));
}

Reply snapshot(Backend& backend, const Call& call) {
  const auto id = parse_snapshot(call.query);
  if (!id) return failed(id.error());
  const auto events = backend.journal.events({.after = prev(*id), .limit = 1, .snapshots_only = true});
  if (!events) return failed(events.error());
  if (events->empty() || events->front().seq != *id) {
    return problem(404, fmt::format("there is no snapshot {}; /api/v1/snapshots lists them", number(*id)));
  }
  const auto samples = backend.journal.snapshot(*id);
  if (!samples) return failed(samples.error());
  std::string out = "{\"snapshot\":" + text(snapshot_json(*id, std::get<Snapshot>(events->front().event.body)));
  out += ",\"series\":[";
  append_points(out, backend.journal.catalogue(), *samples);
  return json_reply(out += "]}");
}

// Waits for a commit, so it may hold a worker for seconds: two at once, and the others go on answering.
template <class OneWish>
Reply ask(Backend& backend, const Call& call, Result<OneWish> wish) {
  constexpr int kAtOnce = 2;
  if (!wish) return failed(wish.error());
  wish->who = call.caller.identity->name;
  if (backend.asking.fetch_add(1) >= kAtOnce) {
    backend.asking.fetch_sub(1);
    return problem(503, "what others asked of alerts waits for the disk; try again in a second");
  }
  const auto alert = backend.gateway.ask(*wish);
  backend.asking.fetch_sub(1);
  if (!alert) return failed(alert.error());
  return json_reply(text(Json{{"alert", alert_json(*alert)}}));
}

Reply acknowledge(Backend& backend, const Call& call) { return ask(backend, call, parse_acknowledge(call.body)); }
Reply shelve(Backend& backend, const Call& call) {
  return ask(backend, call, parse_shelve(call.body, backend.clock.now()));
}
Reply unshelve(Backend& backend, const Call& call) { return ask(backend, call, parse_unshelve(call.body)); }
Reply comment(Backend& backend, const Call& call) { return ask(backend, call, parse_comment(call.body)); }

}  // namespace

std::span<const Route> alert_routes() {
  using enum Workers::Lane;
  static constexpr std::array<std::string_view, 3> kSnapshots = {"alert", "limit", "before"};
  static constexpr std::array<std::string_view, 1> kId = {"id"};
  static constexpr std::array<Route, 8> kRoutes = {
      {{"GET", "/api/v1/alerts", alerts, slow, Needs::viewer},
       {"GET", "/api/v1/alerts/log", alert_log, slow, Needs::viewer, kPageParameters},
       {"POST", "/api/v1/alerts/ack", acknowledge, slow, Needs::operator_},
       {"POST", "/api/v1/alerts/shelve", shelve, slow, Needs::operator_},
       {"POST", "/api/v1/alerts/unshelve", unshelve, slow, Needs::operator_},
       {"POST", "/api/v1/alerts/comment", comment, slow, Needs::operator_},
       {"GET", "/api/v1/snapshots", snapshots, slow, Needs::viewer, kSnapshots},
       {"GET", "/api/v1/snapshot", snapshot, slow, Needs::viewer, kId}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
