#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dashboard/doors.h"
#include "gateway/access/access.h"

namespace httplib {
struct Request;
}

namespace tidegate::dashboard {

/// What a request has to show.
enum class Needs : std::uint8_t {
  nothing,    ///< anybody may ask
  viewer,     ///< and from here on an access::Role
  operator_,  //
  admin,
  local  ///< the machine's own user, by the socket
};

/// Of one that is a role's, from viewer to admin.
constexpr access::Role least_role(Needs needs) {
  return static_cast<access::Role>(static_cast<int>(needs) - static_cast<int>(Needs::viewer));
}

/// By what somebody shows who he is.
struct Pass {
  enum class Kind : std::uint8_t { none, socket, session, token };
  Kind kind = Kind::none;
  std::string secret;  ///< of a socket's, the name that its user gives himself
};

/// Who asks, and how he showed it.
struct Caller {
  std::optional<access::Identity> identity;
  Pass pass;
  std::string address;
  bool secure = false;  ///< by TLS

  bool may(Needs needs) const;
  /// A token that is held to a part asks for what is no part of it.
  bool strays(Needs needs, access::Scope::Kind route) const;
};

/// Tells from a request who asks. Any thread.
class Gate {
 public:
  /// The header in which a program that comes by the socket says on whose behalf.
  static constexpr const char* kUserHeader = "Tidegate-User";
  static constexpr const char* kCsrfHeader = "X-CSRF-Token";

  /// Without `access` nobody can show who he is but by the socket. `port`: browsers keep cookies by host alone, and two
  /// gateways on one machine are to be logged in to at once.
  Gate(access::Access* access, int port) : access_(access), port_(port) {}

  Caller caller(const httplib::Request& request, const Peer& peer) const;
  /// Again, of somebody who came in before.
  std::optional<access::Identity> identity(const Pass& pass) const;
  int port() const { return port_; }
  /// Changes when a pass may have become worth less.
  std::uint64_t revision() const { return access_ != nullptr ? access_->revision() : 0; }

  /// What the page of a session sends with each change, and no other page can know.
  static std::string csrf_token(const Pass& pass);
  /// The Set-Cookie header that gives a browser its session, or takes it away where the secret is empty.
  std::string set_cookie(std::string_view secret, bool secure) const;

 private:
  std::string cookie_name(bool secure) const;

  access::Access* const access_;
  const int port_;
};

}  // namespace tidegate::dashboard
