#pragma once

#include <string>

#include "gateway/core/result.h"
#include "gateway/tools/gateway_client.h"
#include "gateway/tools/surroundings.h"

/// Who may use the gateway, for whoever has the machine: no password is asked for here. `json` has the answer for a
/// program, as docs/api.md has it.
namespace tidegate::tools {

/// What the first user has to know, on a line of its own. Errc::not_found: it is claimed, or was never started.
Result<int> claim_code(const Surroundings& surroundings);

struct LinkOptions {
  std::string name = "admin";
  std::string url;  ///< the page's; empty: as the gateway itself says
  bool json = false;
};
/// The address of the page with a link that logs this user in, once.
Result<int> login_link(const LinkOptions& options, const GatewayClient& gateway);

struct PersonOptions {
  std::string name;
  std::string role = "viewer";
  std::string scope;    ///< of a token, in the place of a role
  std::string lasts;    ///< of a token: a duration; empty: until it is removed
  std::int64_t id = 0;  ///< of a token
  bool json = false;
};
/// Each prints who there is then. Passwords are read from the terminal, without being seen, or the first line of what
/// is not one.
Result<int> list_users(const PersonOptions& options, const GatewayClient& gateway);
Result<int> add_user(const PersonOptions& options, const GatewayClient& gateway);
Result<int> remove_user(const PersonOptions& options, const GatewayClient& gateway);
Result<int> set_role(const PersonOptions& options, const GatewayClient& gateway);
Result<int> set_password(const PersonOptions& options, const GatewayClient& gateway);

Result<int> list_tokens(const PersonOptions& options, const GatewayClient& gateway);
/// Prints the token alone: it is shown this once.
Result<int> add_token(const PersonOptions& options, const GatewayClient& gateway);
Result<int> remove_token(const PersonOptions& options, const GatewayClient& gateway);

}  // namespace tidegate::tools
