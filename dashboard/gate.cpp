#include "dashboard/gate.h"

#include <fmt/format.h>
#include <httplib.h>

#include "gateway/access/people.h"
#include "gateway/access/secret.h"
#include "gateway/core/text.h"

namespace tidegate::dashboard {
namespace {

/// The value of one of "a=1; b=2", or empty.
std::string cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const auto end = std::min(cookies.find(';'), cookies.size());
    const std::string_view one = trim(cookies.substr(0, end));
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=') {
      return std::string(one.substr(name.size() + 1));
    }
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
  }
  return {};
}

/// With the space behind it: RFC 6750's, and InfluxDB's word for the same.
std::string_view scheme_of(std::string_view authorization) {
  for (const std::string_view scheme : {"Bearer ", "Token "}) {
    if (authorization.starts_with(scheme)) return scheme;
  }
  return {};
}

}  // namespace

bool Caller::may(Needs needs) const {
  if (needs == Needs::nothing) return true;
  if (needs == Needs::local) return pass.kind == Pass::Kind::socket;
  return identity && identity->role >= least_role(needs);
}

bool Caller::strays(Needs needs, access::Scope::Kind route) const {
  if (needs == Needs::nothing || !identity || identity->scope.kind == access::Scope::Kind::all) return false;
  return identity->scope.kind != route;
}

// A token that is wrong is not made up for by a cookie: its sender would believe that it works.
Caller Gate::caller(const httplib::Request& request, const Peer& peer) const {
  const std::string shown = request.get_header_value("Authorization");
  Caller caller{{}, {}, peer.address, peer.secure};
  if (peer.address == kLocal) {
    caller.pass = {Pass::Kind::socket, request.get_header_value(kUserHeader)};
  } else if (const auto scheme = scheme_of(shown); !scheme.empty()) {
    caller.pass = {Pass::Kind::token, shown.substr(scheme.size())};
  } else if (std::string secret = cookie(request.get_header_value("Cookie"), cookie_name(peer.secure));
             !secret.empty()) {
    caller.pass = {Pass::Kind::session, std::move(secret)};
  }
  caller.identity = identity(caller.pass);
  return caller;
}

std::optional<access::Identity> Gate::identity(const Pass& pass) const {
  switch (pass.kind) {
    case Pass::Kind::none:
      return std::nullopt;
    case Pass::Kind::socket:
      return access::Identity{access::problem_of_name(pass.secret).empty() ? pass.secret : std::string(kLocal),
                              access::Role::admin};
    case Pass::Kind::session:
      return access_ != nullptr ? access_->of_session(pass.secret) : std::nullopt;
    case Pass::Kind::token:
      return access_ != nullptr ? access_->of_token(pass.secret) : std::nullopt;
  }
  return std::nullopt;
}

std::string Gate::csrf_token(const Pass& pass) { return access::digest_of("csrf " + pass.secret); }

// A browser takes a name with this prefix only by TLS, for this host and from this host alone (RFC 6265bis).
std::string Gate::cookie_name(bool secure) const {
  return fmt::format("{}tidegate-{}", secure ? "__Host-" : "", port_);
}

std::string Gate::set_cookie(std::string_view secret, bool secure) const {
  const auto lasts = std::chrono::duration_cast<std::chrono::seconds>(access::Access::kAtMost);
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", cookie_name(secure), secret,
                     secret.empty() ? 0 : lasts.count(), secure ? "; Secure" : "");
}

}  // namespace tidegate::dashboard
