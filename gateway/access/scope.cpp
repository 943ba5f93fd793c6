#include "gateway/access/scope.h"

#include <algorithm>
#include <array>

#include "gateway/core/pattern.h"
#include "gateway/core/text.h"

namespace tidegate::access {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"viewer", "operator", "admin"};
constexpr std::string_view kPush = "push", kRead = "read", kMetrics = "metrics";

}  // namespace

std::string_view name_of(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

std::optional<Role> role_of(std::string_view name) {
  const auto found = std::find(kRoles.begin(), kRoles.end(), name);
  if (found == kRoles.end()) return std::nullopt;
  return static_cast<Role>(found - kRoles.begin());
}

Grant::Grant(Scope part)
    : role(part.kind == Scope::Kind::push ? Role::operator_ : Role::viewer), scope(std::move(part)) {}

Result<Grant> parse_grant(std::string_view text) {
  if (const auto role = role_of(text)) return Grant(*role);
  constexpr std::size_t kLongest = 512;
  const auto colon = std::min(text.find(':'), text.size());
  const std::string_view kind = text.substr(0, colon), of = text.substr(std::min(colon + 1, text.size()));
  const bool has_more = colon < text.size(), is_named = !of.empty() && text.size() <= kLongest;
  if (kind == kMetrics && !has_more) return Grant(Scope{Scope::Kind::metrics});
  if (kind == kPush && (!has_more || is_named)) return Grant(Scope{Scope::Kind::push, std::string(of)});
  if (kind == kRead && is_named) {
    const auto pattern = Pattern::parse(of);
    if (!pattern) return fail(pattern.error());
    return Grant(Scope{Scope::Kind::read, std::string(of)});
  }
  return fail(
      Errc::invalid,
      "'{}' is none of viewer, operator, admin, push, push:SOURCE, read:PATTERN such as read:boiler1/#, metrics",
      printable(text, 64));
}

std::string text_of(const Scope& scope) {
  const auto with = [&](std::string_view kind) {
    return scope.of.empty() ? std::string(kind) : std::string(kind) + ':' + scope.of;
  };
  switch (scope.kind) {
    case Scope::Kind::all:
      return {};
    case Scope::Kind::push:
      return with(kPush);
    case Scope::Kind::read:
      return with(kRead);
    case Scope::Kind::metrics:
      return std::string(kMetrics);
  }
  return {};
}

std::string text_of(const Grant& grant) {
  return grant.scope.kind == Scope::Kind::all ? std::string(name_of(grant.role)) : text_of(grant.scope);
}

}  // namespace tidegate::access
