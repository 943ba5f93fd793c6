// Who may do what: every route with every role, shown in every way, from the table of routes.

#include <gmock/gmock.h>

#include <algorithm>

#include "dashboard/api.h"
#include "tests/dashboard/doorstep.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr Role kRoles[] = {Role::viewer, Role::operator_, Role::admin};

/// What changes one's own password, for which one has logged in: neither a token nor the socket will do.
bool needs_log_in(const Route& route) { return route.path == "/api/v1/password"; }

bool may(Role role, const Route& route) {
  return route.needs != Needs::local && static_cast<int>(role) + 1 >= static_cast<int>(route.needs);
}

HttpResponse ask(const HttpClient& client, const Route& route) {
  const std::string path(route.path);
  return route.method == "GET" ? client.get(path) : client.post(path, "{}");
}
HttpResponse ask(Page& page, const Route& route) {
  const std::string path(route.path);
  return route.method == "GET" ? page.get(path) : page.post(path, json::object());
}
HttpResponse head(const HttpClient& client, const Route& route) {
  return client.request("HEAD", std::string(route.path));
}
HttpResponse head(const Page& page, const Route& route) { return page.head(std::string(route.path)); }

bool let_in(const HttpResponse& response, const Route& route) {
  // Of a route that is open to all a refusal is about what was sent.
  return route.needs == Needs::nothing || (response.status != 401 && response.status != 403);
}

/// To look at what one may read is to read it, and what is not read has no head either.
template <class Client>
void expect_the_same_of_its_head(const Client& client, const Route& route, bool let_in_to_it) {
  const auto response = head(client, route);
  EXPECT_EQ(response.body, "") << route.path;
  if (route.method == "GET") {
    EXPECT_EQ(let_in(response, route), let_in_to_it) << route.path;
  } else if (response.status != 405) {  // some paths are read as well as written
    EXPECT_TRUE(std::ranges::any_of(routes(), [&](const Route& other) {
      return other.path == route.path && other.method == "GET";
    })) << route.path;
  }
}

TEST_F(Doorstep, EveryRouteTakesTheRolesThatItSaysAndNoOther) {
  for (const Role role : kRoles) {
    const HttpClient client(rig.port(), token_of(role));
    for (const Route& route : routes()) {
      const auto response = ask(client, route);
      EXPECT_EQ(let_in(response, route), may(role, route) && !needs_log_in(route))
          << name_of(role) << " " << route.path << " " << response.body;
      expect_the_same_of_its_head(client, route, may(role, route));
    }
  }
}

TEST_F(Doorstep, EveryRouteTakesTheLogInsOfTheRolesThatItSaysAndNoOther) {
  for (const Role role : kRoles) {
    Page browser = logged_in(std::string(name_of(role)), role);
    for (const Route& route : routes()) {
      if (route.needs == Needs::nothing || needs_log_in(route)) continue;  // those that give and take log-ins: below
      const auto response = ask(browser, route);
      EXPECT_EQ(let_in(response, route), may(role, route))
          << name_of(role) << " " << route.path << " " << response.body;
      expect_the_same_of_its_head(browser, route, may(role, route));
    }
    EXPECT_EQ(browser.head("/api/v1/stream").status, 200);
    const auto changed = browser.post("/api/v1/password", {{"old", kGood}, {"new", "another good one"}});
    EXPECT_EQ(changed.status, 200) << name_of(role) << " " << changed.body;
    EXPECT_EQ(browser.post("/api/v1/log-out", json::object()).status, 200);
    EXPECT_EQ(browser.get("/api/v1/session").status, 200);
    EXPECT_EQ(browser.get("/api/v1/series").status, 401);
  }
}

TEST_F(Doorstep, ATokenWithAScopeIsTakenWhereARouteSaysSoAndNowhereElse) {
  using Kind = access::Scope::Kind;
  std::map<Kind, std::vector<std::string>> open;
  for (const char* scope : {"push", "push:plant", "read:boiler1/#", "metrics"}) {
    const auto grant = part(scope);
    const HttpClient client(rig.port(), rig.access->make_token(kBy, "p", grant, {}).value());
    for (const Route& route : routes()) {
      if (route.needs == Needs::nothing) continue;
      const auto response = ask(client, route);
      EXPECT_EQ(let_in(response, route), route.scope == grant.scope.kind) << scope << route.path << response.body;
      if (let_in(response, route)) open[grant.scope.kind].emplace_back(route.path);
    }
    const auto refused = client.get("/api/v1/stream");
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, HasSubstr(std::string("the token 'p' is for ") + scope + " alone"));
  }
  EXPECT_THAT(open[Kind::push], testing::Contains("/api/v1/samples"));
  EXPECT_THAT(open[Kind::read], testing::ElementsAre("/api/v1/series", "/api/v1/series/counts", "/api/v1/history"));
  EXPECT_THAT(open[Kind::metrics], testing::ElementsAre("/metrics"));
}

TEST_F(Doorstep, BySocketEveryRouteIsOpen) {
  const HttpClient local(directory / "t.sock");
  for (const Route& route : routes()) {
    EXPECT_EQ(let_in(ask(local, route), route), !needs_log_in(route)) << route.path;
    expect_the_same_of_its_head(local, route, true);
  }
}

/// The paths at which somebody who shows nothing that is worth anything gets further than to be refused.
template <class Client>
std::vector<std::string> open_to(Client client) {
  std::vector<std::string> open;
  for (const Route& route : routes()) {
    const auto response = ask(client, route);
    expect_the_same_of_its_head(client, route, route.needs == Needs::nothing);
    if (route.needs == Needs::nothing) {
      open.emplace_back(route.path);
    } else {
      EXPECT_EQ(response.status, route.needs == Needs::local ? 403 : 401) << route.path;
    }
  }
  for (const char* reads : {"/api/v1/stream", "/api/v1/stream?last_event_id=x"}) {
    EXPECT_EQ(client.get(reads).status, 401);
  }
  return open;
}

const std::vector<std::string> kOpenToAll = {"/healthz",        "/readyz",       "/.well-known/security.txt",
                                             "/api/v1/session", "/api/v1/claim", "/api/v1/log-in",
                                             "/api/v1/log-out"};

TEST_F(Doorstep, ABoxThatNobodyHasClaimedAnswersOnlyWhatAClaimNeeds) {
  const HttpClient stranger(rig.port());
  EXPECT_THAT(open_to(stranger), testing::UnorderedElementsAreArray(kOpenToAll));
  EXPECT_EQ(stranger.get("/").status, 200);
  const auto refused = stranger.get("/api/v1/series");
  EXPECT_EQ(refused.headers.at("www-authenticate"), "Bearer");
  EXPECT_THAT(refused.body, HasSubstr("log in first"));
}

TEST_F(Doorstep, AClaimedBoxAnswersStrangersNoMoreThanThat) {
  Page ada = logged_in("ada", Role::admin);
  EXPECT_THAT(open_to(HttpClient(rig.port())), testing::UnorderedElementsAreArray(kOpenToAll));
  EXPECT_THAT(open_to(HttpClient(rig.port(), "nonsense")), testing::UnorderedElementsAreArray(kOpenToAll));
  Page forged = page();
  forged.cookie = ada.cookie.substr(0, ada.cookie.find('=') + 1) + "nonsense";
  forged.csrf = ada.csrf;
  EXPECT_THAT(open_to(forged), testing::UnorderedElementsAreArray(kOpenToAll));
  Page left = ada;
  ASSERT_EQ(ada.post("/api/v1/log-out", json::object()).status, 200);
  EXPECT_THAT(open_to(left), testing::UnorderedElementsAreArray(kOpenToAll)) << "the log-in is over";
  const auto claim = page().post("/api/v1/claim", {{"code", "2222-2222"}, {"name", "eve"}, {"password", kGood}});
  EXPECT_EQ(claim.status, 409) << claim.body;
}

}  // namespace
}  // namespace tidegate::dashboard::test
