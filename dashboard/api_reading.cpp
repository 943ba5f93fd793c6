#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "dashboard/json.h"
#include "dashboard/metrics_text.h"
#include "dashboard/openapi.h"
#include "dashboard/replies.h"
#include "dashboard/security_txt.h"
#include "gateway/core/csv.h"
#include "gateway/core/pattern.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

constexpr std::int64_t kNewest = INT64_MAX;
constexpr std::size_t kMaxLetters = 1000, kMaxDeeds = 1000;

/// Of the series, those that a caller may see: a token may be held to some.
auto seen_by(const Caller& caller) {
  const access::Scope& scope = caller.identity->scope;
  auto pattern = scope.kind == access::Scope::Kind::read ? Pattern::parse(scope.of) : Pattern::parse("#");
  return [pattern = std::move(pattern)](std::string_view name) { return pattern && pattern->matches(name); };
}

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

/// By the parameter, else by what the client takes.
Result<bool> wants_csv(const Call& call) {
  const auto format = call.query.find("format");
  if (format == call.query.end()) return call.accept.find("text/csv") != call.accept.npos;
  if (format->second == "csv") return true;
  if (format->second == "json") return false;
  return fail(Errc::invalid, "format: '{}' is none of json, csv", printable(format->second, 64));
}

/// A line for each bucket, series by series. What a failed read leaves out is empty.
Reply csv_reply(const HistoryQuery& query, const std::vector<journal::SeriesHistory>& histories) {
  std::string out = "series,time,min,max,avg,last,count,bad\r\n";
  for (std::size_t i = 0; i < query.series.size(); ++i) {
    std::string name;
    append_csv_text(name, query.series[i]);
    for (const journal::Bucket& bucket : histories.at(i).buckets) {
      out += name + ',' + rfc3339(bucket.last_time);
      for (const double value : {bucket.min, bucket.max, bucket.sum / bucket.count, bucket.last}) {
        out += ',';
        if (bucket.count > 0) out += number_text(value);
      }
      fmt::format_to(std::back_inserter(out), ",{},{}\r\n", bucket.count, bucket.bad);
    }
  }
  Reply reply{200, "text/csv; charset=utf-8; header=present", std::move(out)};
  reply.headers = {{"Content-Disposition", "attachment; filename=\"history.csv\""}, {"Vary", "Accept"}};
  return reply;
}

Reply told(int status, const std::string& body) { return {status, "text/plain; charset=utf-8", body + "\n"}; }

/// What is the matter, or empty.
std::string illness(const Backend& backend, const StoreView& store) {
  constexpr Micros kStuck = std::chrono::seconds(10);
  if (const Micros age = backend.gateway.pump_age(); age >= kStuck) {
    return fmt::format(
        "The pump has not moved for {}: samples wait and are not stored. Is the disk full or failing? See the log.",
        age_text(age));
  }
  return store.health == SourceHealth::down ? "The store is down: " + store.text : "";
}

Reply health(Backend& backend, const Call&) {
  const std::string ill = illness(backend, backend.gateway.view().store);
  return ill.empty() ? told(200, "ok") : told(503, ill);
}

/// Would a sample that came now be on disk soon?
Reply readiness(Backend& backend, const Call&) {
  const StoreView store = backend.gateway.view().store;
  std::string why = illness(backend, store);
  if (why.empty() && !store.takes_samples) why = "The disk takes no samples now: " + store.text;
  if (why.empty() && store.queue_depth > store.queue_capacity / 2) {
    why = fmt::format("{} samples wait for the disk, of {} that may: send no more for a while.", store.queue_depth,
                      store.queue_capacity);
  }
  return why.empty() ? told(200, "ready") : told(503, why);
}

Reply metrics(Backend& backend, const Call&) {
  const auto alerts = backend.journal.alerts();
  if (!alerts) return failed(alerts.error());  // without them a rule over tidegate_alerts would see all clear
  return {200, "text/plain; version=0.0.4; charset=utf-8",
          metrics_text(backend.metrics, backend.gateway.view(), *alerts, backend.options.version)};
}

Reply series(Backend& backend, const Call& call) {
  const auto sees = seen_by(call.caller);
  const auto latest = backend.journal.latest();
  const auto entries = backend.journal.catalogue().entries();
  const std::size_t count = std::min(shown_count(latest), entries.size());
  std::string out = "{\"series\":[";
  for (std::size_t i = 0; i < count; ++i) {
    if (!sees(entries[i].name)) continue;
    if (out.back() != '[') out += ',';
    append_series(out, series_head(entries[i]), backend.gateway.stale_after(entries[i].id), latest[i]);
  }
  return json_reply(out += "]}");
}

Reply counts(Backend& backend, const Call& call) {
  const auto sees = seen_by(call.caller);
  const auto counts = backend.gateway.sample_counts();
  const auto entries = backend.journal.catalogue().entries();
  std::string out = fmt::format("{{\"time\":{},\"counts\":{{", micros(backend.clock.now()));
  for (const auto& entry : entries) {
    const std::size_t at = index(entry.id);
    if (at >= counts.size() || counts[at] == 0 || !sees(entry.name)) continue;
    fmt::format_to(std::back_inserter(out), "{}{}:{}", out.back() == '{' ? "" : ",", json_string(entry.name),
                   counts[at]);
  }
  return json_reply(out += "}}");
}

Reply history(Backend& backend, const Call& call) {
  const auto query = parse_history(call.query, backend.clock.now());
  if (!query) return failed(query.error());
  const auto as_csv = wants_csv(call);
  if (!as_csv) return failed(as_csv.error());
  const auto sees = seen_by(call.caller);
  std::vector<SeriesId> ids;
  for (const auto& name : query->series) {
    const auto id = backend.journal.catalogue().find(name);
    if (!id || !sees(name)) {
      return problem(404, fmt::format("there is no series '{}'; /api/v1/series lists them", printable(name)));
    }
    ids.push_back(*id);
  }
  const auto histories = backend.journal.history(ids, query->from, query->to, query->points);
  if (!histories) return failed(histories.error());
  return *as_csv ? csv_reply(*query, *histories) : json_reply(history_text(*query, *histories));
}

Reply state(Backend& backend, const Call&) {
  Json state = state_json(backend.gateway.view(), {&backend.options, backend.journal.epoch(), backend.journal.stats()});
  state["gateway"]["time"] = micros(backend.clock.now());
  return json_reply(text(state));
}

Reply reload(Backend& backend, const Call& call) {
  if (const Status nothing = parse_nothing(call.body); !nothing) return failed(nothing.error());
  const auto done = backend.gateway.ask_reload(call.caller.identity->name);
  if (!done) return failed(done.error());
  return json_reply(text(Json{{"text", *done}}));
}

/// A letter that is not on disk yet has no id: behind it all that are go on, and what was saved meanwhile comes again.
Reply dead_letters(Backend& backend, const Call& call) {
  const auto page = parse_list_page(call.query, 100, kMaxLetters);
  if (!page) return failed(page.error());
  auto letters = backend.journal.dead_letters(page->limit + 1, page->before);
  if (!letters) return failed(letters.error());
  const Json next =
      next_page(*letters, page->limit, [](const auto& letter) { return cursor(letter.id == 0 ? kNewest : letter.id); });
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
  return json_reply(text(Json{{"dead_letters", std::move(list)}, {"next", next}}));
}

Reply resubmit(Backend& backend, const Call& call) {
  const auto id = parse_number(call.body, "id");
  if (!id) return failed(id.error());
  const auto done = backend.gateway.resubmit(*id, call.caller.identity->name);
  if (!done) return failed(done.error());
  return json_reply(text(Json{{"text", *done}}));
}

Reply sources(Backend& backend, const Call&) { return json_reply(text(sources_json(backend.gateway.view()))); }
Reply uplinks(Backend& backend, const Call&) { return json_reply(text(uplinks_json(backend.gateway.view()))); }

Reply audit(Backend& backend, const Call& call) {
  const auto page = parse_list_page(call.query, 100, kMaxDeeds);
  if (!page) return failed(page.error());
  auto entries = backend.gateway.deeds(page->limit + 1, page->before);
  if (!entries) return failed(entries.error());
  const Json next = next_page(*entries, page->limit, [](const auto& entry) { return cursor(entry.id); });
  Json list = Json::array();
  for (const auto& [id, time, deed, sealed] : *entries) {
    list.push_back({{"id", id},
                    {"time", micros(time)},
                    {"who", deed.who},
                    {"what", deed.what},
                    {"about", deed.about},
                    {"detail", deed.detail},
                    {"sealed", sealed}});
  }
  return json_reply(text(Json{{"audit", std::move(list)}, {"next", next}}));
}

Reply backup(Backend& backend, const Call& call) {
  auto turn = backend.backups.begin(call.caller.identity->name);
  if (!turn) return problem(503, "a backup is under way already; try again when it is done");
  Reply reply{200, "application/x-tar", ""};
  reply.backup = std::move(turn);
  return reply;
}

Reply openapi(Backend&, const Call&) { return {200, "application/yaml", std::string(openapi_document())}; }

Reply security(Backend& backend, const Call&) {
  const Options& options = backend.options;
  if (options.security_contact.empty())
    return problem(404, "nobody has said whom to tell of a weakness here: http.security_contact of the configuration");
  return {200, "text/plain; charset=utf-8", security_txt(options.security_contact, options.released)};
}

}  // namespace

std::span<const Route> reading_routes() {
  using enum Workers::Lane;
  constexpr auto read = access::Scope::Kind::read;
  static constexpr std::array<std::string_view, 5> kHistory = {"series", "from", "to", "points", "format"};
  static constexpr std::array<Route, 16> kRoutes = {
      {{"GET", "/healthz", health, quick, Needs::nothing},
       {"GET", "/readyz", readiness, quick, Needs::nothing},
       {"GET", "/.well-known/security.txt", security, quick, Needs::nothing},
       {"GET", "/metrics", metrics, slow, Needs::viewer, {}, false, access::Scope::Kind::metrics},
       {"GET", "/api/v1/openapi.yaml", openapi, quick, Needs::viewer},
       {"GET", "/api/v1/series", series, quick, Needs::viewer, {}, false, read},
       {"GET", "/api/v1/series/counts", counts, quick, Needs::viewer, {}, false, read},
       {"GET", "/api/v1/history", history, slow, Needs::viewer, kHistory, false, read},
       {"GET", "/api/v1/state", state, quick, Needs::viewer},
       {"GET", "/api/v1/dead-letters", dead_letters, slow, Needs::viewer, kPageParameters},
       {"POST", "/api/v1/dead-letters/resubmit", resubmit, slow, Needs::operator_},
       {"GET", "/api/v1/sources", sources, quick, Needs::viewer},
       {"GET", "/api/v1/uplinks", uplinks, quick, Needs::viewer},
       {"GET", "/api/v1/audit", audit, slow, Needs::admin, kPageParameters},
       {"POST", "/api/v1/reload", reload, slow, Needs::admin},
       {"GET", "/api/v1/backup", backup, quick, Needs::admin}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
