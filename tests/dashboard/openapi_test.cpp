// The OpenAPI document that is served: it has every route, with what it needs and takes, and answers are as it says.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "dashboard/api.h"
#include "tests/dashboard/rig.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using tidegate::test::HttpResponse;

const char* word(Needs needs) {
  switch (needs) {
    case Needs::nothing:
      return "nothing";
    case Needs::viewer:
      return "viewer";
    case Needs::operator_:
      return "operator";
    case Needs::admin:
      return "admin";
    case Needs::local:
      return "local";
  }
  return "";
}

/// A gateway in which there is one of everything.
void fill(Rig& rig) {
  const auto boiler = rig.series("boiler1/temperature", {.unit = "°C", .source = "plant"});
  const auto mode = rig.series("boiler1/mode", {.kind = SeriesKind::state});
  static_cast<void>(rig.journal->catalogue().label(mode, "idle"));
  rig.commit({reading(boiler, 20), reading(mode, 0)});
  Batch batch = transition(hot_boiler(Phase::active), Phase::pending, "raised");
  batch.events.push_back({kStart, Flood{true, kStart, "hot:boiler1", 12}});
  rig.commit(std::move(batch));
  rig.journal->dead_letter({kStart, "plant", "a/b", "payload", "no number"});
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  GatewayView view;
  view.started = kStart;
  view.sources.push_back({.name = "plant", .type = "mqtt", .text = "ok", .health = SourceHealth::up});
  view.sources.push_back({.name = "line", .type = "modbus", .text = "ok", .turns = Turns{0.003, 0.012, 2}});
  view.rules.push_back({.name = "hot", .kind = "threshold", .condition = "value > 90", .series = "+/temperature"});
  view.uplinks.push_back({.name = "cloud", .type = "mqtt", .text = ""});
  rig.gateway.set_view(std::move(view));
}

TEST(OpenApi, IsTheRoutesAndWhatTheyAnswer) {
  TempDir directory;
  Rig rig({.socket = directory / "t.sock"});
  fill(rig);
  rig.gateway.backup_directory = directory.path();
  rig.serve();
  const HttpClient http = rig.http(), local(directory / "t.sock"), stranger(rig.port());
  json observed = {{"routes",
                    {{{"method", "GET"},
                      {"path", "/api/v1/stream"},
                      {"needs", "viewer"},
                      {"scope", ""},
                      {"parameters", {"last_event_id", "series"}}}}},
                   {"answers", json::array()}};
  const auto note = [&](const char* method, const std::string& path, const HttpResponse& response) {
    const auto type = response.headers.find("content-type");
    observed["answers"].push_back({{"method", method},
                                   {"path", path.substr(0, path.find('?'))},
                                   {"status", response.status},
                                   {"type", type == response.headers.end() ? "" : type->second},
                                   {"body", response.body}});
  };
  for (const Route& route : routes()) {
    const std::string path(route.path);
    observed["routes"].push_back(
        {{"method", route.method},
         {"path", path},
         {"needs", word(route.needs)},
         {"scope", text_of(access::Scope{route.scope})},
         {"parameters", std::vector<std::string>(route.parameters.begin(), route.parameters.end())}});
    const bool reads = route.method == "GET";
    note(reads ? "GET" : "POST", path, reads ? http.get(path) : http.post(path, "{}"));
    note(reads ? "GET" : "POST", path, reads ? stranger.get(path) : stranger.post(path, "{}"));
  }
  for (const std::string path : {"/api/v1/history?series=boiler1/temperature&from=1600000000000000&to=1800000000000000",
                                 "/api/v1/history?series=boiler1/temperature&format=csv",
                                 "/api/v1/dead-letters?limit=0", "/api/v1/rules/diff?from=1"}) {
    note("GET", path, http.get(path));
  }
  for (const auto& [path, body] : std::vector<std::pair<std::string, json>>{
           {"/api/v1/alerts/ack", {{"id", "hot:boiler1"}}},
           {"/api/v1/alerts/shelve", {{"id", "hot:boiler1"}, {"for", "1h"}, {"why", "test"}}},
           {"/api/v1/alerts/unshelve", {{"id", "hot:boiler1"}}},
           {"/api/v1/alerts/comment", {{"id", "hot:boiler1"}, {"text", "the valve"}}},
           {"/api/v1/users", {{"name", "ada"}, {"role", "admin"}, {"password", "correct horse battery"}}},
           {"/api/v1/log-in", {{"name", "ada"}, {"password", "correct horse battery"}}},
           {"/api/v1/rules/validate", {{"text", "rules: []"}}},
           {"/api/v1/rules/disable", {{"name", "hot"}}},
           {"/api/v1/dead-letters/resubmit", {{"id", 7}}},
           {"/api/v1/points/write", {{"series", "boiler1/setpoint"}, {"value", "21.5"}}},
           {"/api/v1/samples", {{"samples", json::array()}}},
           {"/api/v1/tokens", {{"name", "t"}, {"role", "viewer"}, {"lasts", "90d"}}},
           {"/api/v1/tokens", {{"name", "p"}, {"scope", "push:plant"}}}}) {
    const auto response = http.post(path, body.dump());
    EXPECT_EQ(response.status, 200) << path << response.body;
    note("POST", path, response);
  }
  for (const char* rules : {"rules: []", "wrong"}) {
    const std::string path = "/api/v1/rules/text";
    note("POST", path,
         http.post(path, json{{"text", rules}}.dump(), {{"Content-Type", "application/json"}, {"If-Match", "*"}}));
  }
  for (const char* path : {"/api/v1/factory-reset", "/api/v1/factory-reset/code"})
    note("POST", path, local.post(path, "{}"));
  note("POST", "/api/v1/link", local.post("/api/v1/link", R"({"name": "ada"})"));
  note("GET", "/api/v1/users", http.get("/api/v1/users"));

  const auto document = directory.write("openapi.yaml", http.get("/api/v1/openapi.yaml").body);
  const auto seen = directory.write("observed.json", observed.dump());
  const auto checked = tidegate::test::run({"python3", TIDEGATE_CHECK_OPENAPI, document.string(), seen.string()});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

}  // namespace
}  // namespace tidegate::dashboard::test
