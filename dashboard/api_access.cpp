#include <fmt/format.h>

#include <array>

#include "dashboard/json.h"
#include "dashboard/replies.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

using access::Access;

Error no_access() {
  return {
      Errc::unavailable,
      "nobody can log in now: who may is kept in state.db, which cannot be used; the log says why, and the commands "
      "on the box work"};
}

/// The body's fields, where there is somebody to keep what comes of them.
Result<Texts> asked(const Backend& backend, const Call& call, std::span<const std::string_view> fields) {
  if (backend.access == nullptr) return fail(no_access());
  return parse_texts(call.body, fields);
}

/// Of an attempt to get in.
Reply refused(const Error& error) {
  if (error.code == Errc::unavailable) return problem(429, error.text);
  return error.code == Errc::not_found ? problem(401, error.text) : failed(error);
}

Json user_json(const access::User& user) {
  return {{"name", user.name}, {"role", name_of(user.role)}, {"password", user.has_password}};
}

/// What the page has to know before it may see anything.
Reply session_reply(const Backend& backend, const Caller& caller) {
  Json json = {{"claimed", backend.access == nullptr || backend.access->claimed()},
               {"name", backend.options.name},
               {"site", backend.options.site},
               {"user", nullptr},
               {"secure", caller.secure},
               {"trouble", backend.access == nullptr ? no_access().text : ""}};
  if (caller.identity) {
    access::User user{caller.identity->name, caller.identity->role, {}, true};
    if (caller.pass.kind == Pass::Kind::session) {
      json["csrf"] = Gate::csrf_token(caller.pass);
      user.has_password = backend.access->has_password(user.name);
    }
    json["user"] = user_json(user);
  }
  return json_reply(text(json));
}

Reply session(Backend& backend, const Call& call) { return session_reply(backend, call.caller); }

/// Gives the browser its session.
Reply welcome(const Backend& backend, const Call& call, const std::string& secret) {
  Caller caller = call.caller;
  caller.pass = {Pass::Kind::session, secret};
  caller.identity = backend.gate.identity(caller.pass);
  Reply reply = session_reply(backend, caller);
  reply.headers.emplace_back("Set-Cookie", backend.gate.set_cookie(secret, caller.secure));
  return reply;
}

Reply claim(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 3> kFields = {"code", "name", "password"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const auto secret =
      backend.access->claim(body->at("code"), {body->at("name"), body->at("password"), call.caller.address});
  return secret ? welcome(backend, call, *secret) : refused(secret.error());
}

Reply log_in(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 3> kFields = {"name", "password", "link"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const std::string& link = body->at("link");
  const auto secret = link.empty()
                          ? backend.access->log_in({body->at("name"), body->at("password"), call.caller.address})
                          : backend.access->log_in_by_link(link, call.caller.address);
  return secret ? welcome(backend, call, *secret) : refused(secret.error());
}

Reply log_out(Backend& backend, const Call& call) {
  if (const Status nothing = parse_nothing(call.body); !nothing) return failed(nothing.error());
  Caller caller = call.caller;
  if (caller.pass.kind == Pass::Kind::session && backend.access != nullptr) backend.access->log_out(caller.pass.secret);
  caller.identity.reset();
  Reply reply = session_reply(backend, caller);
  reply.headers.emplace_back("Set-Cookie", backend.gate.set_cookie("", caller.secure));
  return reply;
}

/// One's own.
Reply change_password(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 2> kFields = {"old", "new"};
  const auto body = parse_texts(call.body, kFields);
  if (!body) return failed(body.error());
  if (call.caller.pass.kind != Pass::Kind::session) {
    return problem(403, "one changes one's own password after a log-in; an admin sets another's with users/password");
  }
  const auto secret = backend.access->change_password(
      {call.caller.identity->name, body->at("old"), call.caller.address}, body->at("new"));
  return secret ? welcome(backend, call, *secret) : refused(secret.error());
}

/// As this machine's own browser reaches it.
std::string page_url(const Backend& backend) {
  const std::string& address = backend.options.address;
  const bool is_any = address == "0.0.0.0" || address == "::";
  const bool is_v6 = address.find(':') != address.npos;
  return fmt::format("{}://{}:{}/", backend.options.tls != nullptr ? "https" : "http",
                     is_any  ? "localhost"
                     : is_v6 ? "[" + address + "]"
                             : address,
                     backend.gate.port());
}

/// For who has the machine: over the socket alone.
Reply make_link(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 1> kFields = {"name"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const auto secret = backend.access->make_link(*call.caller.identity, body->at("name"));
  if (!secret) return failed(secret.error());
  const auto lasts = std::chrono::duration_cast<std::chrono::seconds>(Access::kLinkLasts);
  return json_reply(text(Json{{"link", *secret}, {"url", page_url(backend)}, {"seconds", lasts.count()}}));
}

/// As a link.
Reply make_reset_code(Backend& backend, const Call& call) {
  if (const Status nothing = parse_nothing(call.body); !nothing) return failed(nothing.error());
  if (backend.access == nullptr) return failed(no_access());
  const auto code = backend.access->make_reset_code(*call.caller.identity);
  if (!code) return failed(code.error());
  const auto lasts = std::chrono::duration_cast<std::chrono::seconds>(Access::kResetCodeLasts);
  return json_reply(text(Json{{"code", *code}, {"seconds", lasts.count()}}));
}

/// Who comes by the socket has the box, and needs no code of it.
Reply factory_reset(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 1> kFields = {"code"};
  const auto body = parse_texts(call.body, kFields);
  if (!body) return failed(body.error());
  const std::string& who = call.caller.identity->name;
  if (call.caller.pass.kind != Pass::Kind::socket) {
    if (body->at("code").empty())
      return problem(400, "\"code\" is missing: on the box `tidegate reset-code` prints it");
    const Status good = backend.access->check_reset_code(body->at("code"), {who, "", call.caller.address});
    if (!good && good.error().code == Errc::unavailable) return problem(429, good.error().text);
    if (!good) return problem(400, good.error().text);
  }
  if (const Status begun = backend.gateway.factory_reset(who); !begun) return failed(begun.error());
  if (backend.access != nullptr) backend.access->spend_reset_code();
  return json_reply(
      text(Json{{"text", "the factory reset has begun: the gateway stops, wipes all it has, and starts as new"}}));
}

Reply users(Backend& backend, const Call&) {
  if (backend.access == nullptr) return failed(no_access());
  Json list = Json::array();
  for (const auto& user : backend.access->users()) {
    Json one = user_json(user);
    one["since"] = time_or_null(user.since);
    list.push_back(std::move(one));
  }
  return json_reply(text(Json{{"users", std::move(list)}}));
}

Result<access::Role> role_in(const Texts& body) {
  const auto role = access::role_of(body.at("role"));
  if (!role)
    return fail(Errc::invalid, "\"role\": '{}' is none of viewer, operator, admin", printable(body.at("role")));
  return *role;
}

Reply done(Backend& backend, const Call& call, const Status& status, Reply (*answer)(Backend&, const Call&)) {
  return status ? answer(backend, call) : failed(status.error());
}

Reply add_user(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 3> kFields = {"name", "role", "password"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const auto role = role_in(*body);
  if (!role) return failed(role.error());
  return done(backend, call,
              backend.access->add_user(*call.caller.identity, body->at("name"), *role, body->at("password")), users);
}

Reply remove_user(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 1> kFields = {"name"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  return done(backend, call, backend.access->remove_user(*call.caller.identity, body->at("name")), users);
}

Reply set_role(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 2> kFields = {"name", "role"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const auto role = role_in(*body);
  if (!role) return failed(role.error());
  return done(backend, call, backend.access->set_role(*call.caller.identity, body->at("name"), *role), users);
}

Reply set_password(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 2> kFields = {"name", "password"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  return done(backend, call,
              backend.access->set_password(*call.caller.identity, body->at("name"), body->at("password")), users);
}

Json token_json(const access::Token& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"role", name_of(token.role)},
          {"scope", text_of(token.scope)},
          {"made", time_or_null(token.made)},
          {"made_by", token.made_by},
          {"until", token.until ? Json(micros(*token.until)) : Json(nullptr)}};
}

Json tokens_json(const Access& access) {
  Json list = Json::array();
  for (const auto& token : access.tokens()) list.push_back(token_json(token));
  return list;
}

Reply tokens(Backend& backend, const Call&) {
  if (backend.access == nullptr) return failed(no_access());
  return json_reply(text(Json{{"tokens", tokens_json(*backend.access)}}));
}

/// How long a token is to last; nothing: until it is taken back.
Result<std::optional<Micros>> lasts_in(const Texts& body) {
  const std::string& written = body.at("lasts");
  if (written.empty()) return std::optional<Micros>();
  const auto lasts = parse_duration(written);
  if (!lasts || *lasts <= Micros{0}) {
    return fail(Errc::invalid, "\"lasts\": '{}' is no duration such as \"90d\"", printable(written));
  }
  return std::optional(*lasts);
}

/// A role, or the part of one that `scope` says.
Result<access::Grant> grant_in(const Texts& body) {
  const std::string &role = body.at("role"), &scope = body.at("scope");
  if (role.empty() == scope.empty()) return fail(Errc::invalid, "say either \"role\" or \"scope\"");
  if (scope.empty()) return role_in(body).map([](access::Role whole) { return access::Grant(whole); });
  const auto grant = access::parse_grant(scope);
  if (!grant) return fail(Errc::invalid, "\"scope\": {}", grant.error().text);
  if (grant->scope == access::Scope{}) return fail(Errc::invalid, "\"scope\": '{}' is a \"role\"", scope);
  return *grant;
}

Reply make_token(Backend& backend, const Call& call) {
  static constexpr std::array<std::string_view, 4> kFields = {"name", "role", "scope", "lasts"};
  const auto body = asked(backend, call, kFields);
  if (!body) return failed(body.error());
  const auto grant = grant_in(*body);
  if (!grant) return failed(grant.error());
  const auto lasts = lasts_in(*body);
  if (!lasts) return failed(lasts.error());
  const auto secret = backend.access->make_token(*call.caller.identity, body->at("name"), *grant, *lasts);
  if (!secret) return failed(secret.error());
  return json_reply(text(Json{{"token", *secret}, {"tokens", tokens_json(*backend.access)}}));
}

Reply remove_token(Backend& backend, const Call& call) {
  if (backend.access == nullptr) return failed(no_access());
  const auto id = parse_number(call.body, "id");
  if (!id) return failed(id.error());
  return done(backend, call, backend.access->remove_token(*call.caller.identity, *id), tokens);
}

}  // namespace

std::span<const Route> access_routes() {
  using enum Workers::Lane;
  static constexpr std::array<Route, 16> kRoutes = {
      {{"GET", "/api/v1/session", session, quick, Needs::nothing},
       {"POST", "/api/v1/claim", claim, log_ins, Needs::nothing},
       {"POST", "/api/v1/log-in", log_in, log_ins, Needs::nothing},
       {"POST", "/api/v1/log-out", log_out, slow, Needs::nothing},
       {"POST", "/api/v1/password", change_password, log_ins, Needs::viewer},
       {"POST", "/api/v1/link", make_link, slow, Needs::local},
       {"POST", "/api/v1/factory-reset", factory_reset, slow, Needs::admin},
       {"POST", "/api/v1/factory-reset/code", make_reset_code, slow, Needs::local},
       {"GET", "/api/v1/users", users, quick, Needs::admin},
       {"POST", "/api/v1/users", add_user, slow, Needs::admin},
       {"POST", "/api/v1/users/remove", remove_user, slow, Needs::admin},
       {"POST", "/api/v1/users/role", set_role, slow, Needs::admin},
       {"POST", "/api/v1/users/password", set_password, slow, Needs::admin},
       {"GET", "/api/v1/tokens", tokens, quick, Needs::admin},
       {"POST", "/api/v1/tokens", make_token, slow, Needs::admin},
       {"POST", "/api/v1/tokens/remove", remove_token, slow, Needs::admin}}};
  return kRoutes;
}

}  // namespace tidegate::dashboard
