#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/result.h"

namespace tidegate::access {

/// Each may do what the one before it may.
enum class Role : std::uint8_t {
  viewer,     ///< see
  operator_,  ///< and acknowledge, shelve, push samples
  admin       ///< and change what the gateway does, and who may
};
std::string_view name_of(Role role);  ///< "viewer", "operator", "admin"
std::optional<Role> role_of(std::string_view name);

/// The part of a role to which a token may be held, so that a program has no more than it needs.
struct Scope {
  enum class Kind : std::uint8_t {
    all,      ///< all that the role may
    push,     ///< push samples, of an operator: into the source `of`, or any where that is empty
    read,     ///< values and history, of a viewer: of the series that fit the pattern `of`
    metrics,  ///< /metrics, of a viewer
  };
  Kind kind = Kind::all;
  std::string of{};
  friend bool operator==(const Scope&, const Scope&) = default;
};

/// What a token's holder may do.
struct Grant {
  Role role = Role::viewer;
  Scope scope{};
  Grant(Role whole) : role(whole) {}  // NOLINT(google-explicit-constructor): a role is one
  explicit Grant(Scope part);
};
/// "viewer", "operator", "admin", "push", "push:SOURCE", "read:PATTERN", "metrics". Errc::invalid.
Result<Grant> parse_grant(std::string_view text);
std::string text_of(const Grant& grant);
/// Of the scope alone; empty where it is all.
std::string text_of(const Scope& scope);

}  // namespace tidegate::access
