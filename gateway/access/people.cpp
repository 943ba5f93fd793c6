#include "gateway/access/people.h"

#include <algorithm>

#include "gateway/access/access.h"
#include "gateway/access/password.h"
#include "gateway/access/secret.h"

namespace tidegate::access {

namespace sql = journal::sql;

namespace {

Status end_sessions(sql::Connection& connection, const std::string& user) {
  return run(connection, "DELETE FROM session WHERE user = ?", user);
}

}  // namespace

std::string problem_of_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return "a name has 1 to 64 bytes";
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(name.begin(), name.end(), odd)) return "a name has no control characters";
  return name.front() == ' ' || name.back() == ' ' ? "a name neither begins nor ends with a space" : "";
}

Status fitting(std::string_view name, std::string_view password) {
  std::string problem = problem_of_name(name);
  if (problem.empty()) problem = problem_of(password, name);
  return problem.empty() ? Status{} : fail(Errc::invalid, "{}", problem);
}

std::vector<User> Access::users() const {
  const std::lock_guard lock(mutex_);
  std::vector<User> all;
  for (const auto& [name, account] : accounts_) {
    all.push_back({name, account.role, account.since, !account.hash.empty()});
  }
  return all;
}

Status Access::put_user(const state::Deed& deed, const std::string& name, const Account& account) {
  Status status = state_.change(deed, [&](sql::Connection& connection) {
    return run(connection, "INSERT OR REPLACE INTO user VALUES(?,?,?,?)", name, name_of(account.role), account.hash,
               micros(account.since));
  });
  if (status) accounts_[name] = account;
  return status;
}

Status Access::add_user(const Identity& by, const std::string& name, Role role, const std::string& password) {
  if (Status status = fitting(name, password); !status) return status;
  const auto hash = hash_of(password);
  if (!hash) return fail(hash.error());
  const std::lock_guard lock(mutex_);
  if (accounts_.contains(name)) return fail(Errc::conflict, "there is a user '{}' already", name);
  if (accounts_.size() >= kMostUsers) return fail(Errc::full, "there are {} users already", kMostUsers);
  return put_user({by.name, "add user", name, std::string(name_of(role))}, name, {role, *hash, clock_.now()});
}

std::size_t Access::admins() const {
  return static_cast<std::size_t>(std::count_if(accounts_.begin(), accounts_.end(),
                                                [](const auto& one) { return one.second.role == Role::admin; }));
}

Status Access::remove_user(const Identity& by, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) return fail(Errc::not_found, "there is no user '{}'", name);
  if (found->second.role == Role::admin && admins() == 1) {
    return fail(Errc::conflict, "'{}' is the only admin: make another one first", name);
  }
  Status status = state_.change({by.name, "remove user", name, ""}, [&](sql::Connection& connection) {
    Status removed = run(connection, "DELETE FROM user WHERE name = ?", name);
    return removed ? end_sessions(connection, name) : removed;
  });
  if (!status) return status;
  accounts_.erase(found);
  forget_sessions(name);
  return {};
}

Status Access::set_role(const Identity& by, const std::string& name, Role role) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) return fail(Errc::not_found, "there is no user '{}'", name);
  if (found->second.role == Role::admin && role != Role::admin && admins() == 1) {
    return fail(Errc::conflict, "'{}' is the only admin: make another one first", name);
  }
  Account changed = found->second;
  changed.role = role;
  Status status = put_user({by.name, "set role", name, std::string(name_of(role))}, name, changed);
  if (status) ++revision_;
  return status;
}

Status Access::set_password(const Identity& by, const std::string& name, const std::string& password) {
  if (Status status = fitting(name, password); !status) return status;
  const auto hash = hash_of(password);
  if (!hash) return fail(hash.error());
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) return fail(Errc::not_found, "there is no user '{}'", name);
  Status status = state_.change({by.name, "set password", name, ""}, [&](sql::Connection& connection) {
    Status put = run(connection, "UPDATE user SET hash = ? WHERE name = ?", *hash, name);
    return put ? end_sessions(connection, name) : put;
  });
  if (!status) return status;
  found->second.hash = *hash;
  forget_sessions(name);
  return {};
}

std::vector<Token> Access::tokens() const {
  const std::lock_guard lock(mutex_);
  std::vector<Token> all;
  for (const auto& [digest, token] : tokens_) all.push_back(token);
  std::sort(all.begin(), all.end(), [](const Token& a, const Token& b) { return a.id < b.id; });
  return all;
}

Result<std::string> Access::make_token(const Identity& by, const std::string& name, const Grant& grant,
                                       std::optional<Micros> lasts) {
  if (const std::string problem = problem_of_name(name); !problem.empty()) return fail(Errc::invalid, "{}", problem);
  std::string secret = random_secret();
  const std::string digest = digest_of(secret);
  const std::lock_guard lock(mutex_);
  if (tokens_.size() >= kMostTokens)
    return fail(Errc::full, "there are {} tokens already: remove one first", kMostTokens);
  Token token{0, name, grant.role, clock_.now(), by.name, {}, grant.scope};
  if (lasts) token.until = token.made + *lasts;
  const std::optional<std::int64_t> until = lasts ? std::optional(micros(*token.until)) : std::nullopt;
  const std::string may = text_of(grant);
  const Status status = state_.change({by.name, "make token", name, may}, [&](sql::Connection& connection) {
    Status put = run(connection, "INSERT INTO token(name, role, digest, made, made_by, until) VALUES(?,?,?,?,?,?)",
                     name, may, digest, micros(token.made), by.name, until);
    token.id = connection.last_id();
    return put;
  });
  if (!status) return fail(status.error());
  tokens_.emplace(digest, std::move(token));
  return secret;
}

Status Access::remove_token(const Identity& by, std::int64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(tokens_.begin(), tokens_.end(), [id](const auto& token) { return token.second.id == id; });
  if (found == tokens_.end()) return fail(Errc::not_found, "there is no token {}", id);
  Status status = state_.change({by.name, "remove token", found->second.name, ""}, [&](sql::Connection& connection) {
    return run(connection, "DELETE FROM token WHERE id = ?", id);
  });
  if (!status) return status;
  tokens_.erase(found);
  ++revision_;
  return {};
}

}  // namespace tidegate::access
