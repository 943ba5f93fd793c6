#include <fmt/format.h>

#include <algorithm>

#include "gateway/access/access.h"
#include "gateway/access/people.h"
#include "gateway/access/secret.h"

namespace tidegate::access {

namespace sql = journal::sql;

/// A secret of its own each time: what somebody put into a browser before is nobody's session.
Result<std::string> Access::begin_session(const std::string& user, const std::string& hash,
                                          const std::string& address) {
  std::string secret = random_secret();
  const std::string digest = digest_of(secret);
  const std::lock_guard lock(mutex_);
  const auto account = accounts_.find(user);
  if (account == accounts_.end() || account->second.hash != hash) {
    return fail(Errc::not_found, "the password was changed just now: log in with the new one");
  }
  const std::string gives_way = session_that_gives_way(user);
  const std::int64_t now = micros(clock_.now());
  const Status status = state_.change({user, "log in", user, "from " + address}, [&](sql::Connection& connection) {
    Status room = run(connection, "DELETE FROM session WHERE digest = ?", gives_way);
    return room ? run(connection, "INSERT INTO session VALUES(?,?,?,?)", digest, user, now, now) : room;
  });
  if (!status) return fail(status.error());
  if (sessions_.erase(gives_way) > 0) ++revision_;
  sessions_.emplace(digest, Session{user, uptime(), uptime(), uptime()});
  return secret;
}

/// Its digest, or empty where there is room for one more.
std::string Access::session_that_gives_way(const std::string& user) const {
  auto oldest = sessions_.end();
  std::size_t own = 0;
  for (auto session = sessions_.begin(); session != sessions_.end(); ++session) {
    if (session->second.user != user) continue;
    ++own;
    if (oldest == sessions_.end() || session->second.used < oldest->second.used) oldest = session;
  }
  return own < kMostSessions ? "" : oldest->first;
}

/// Those of a user whose sessions are deleted on disk.
void Access::forget_sessions(const std::string& user) {
  std::erase_if(sessions_, [&](const auto& session) { return session.second.user == user; });
  std::erase_if(links_, [&](const auto& link) { return link.second.user == user; });
  ++revision_;
}

void Access::log_out(std::string_view session) {
  const std::string digest = digest_of(session);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(digest);
  if (found == sessions_.end()) return;
  const std::string& user = found->second.user;
  const Status status = state_.change({user, "log out", user, ""}, [&](sql::Connection& connection) {
    return run(connection, "DELETE FROM session WHERE digest = ?", digest);
  });
  if (status) {
    sessions_.erase(found);
  } else {
    found->second.is_over = true;
  }
  ++revision_;
}

Micros Access::uptime() const {
  const Moment now = clock_.moment();
  return now.time.time_since_epoch() - now.ahead;
}

bool Access::is_over(const Session& session, Micros uptime) {
  return session.is_over || uptime - session.used > kIdle || uptime - session.made > kAtMost;
}

std::optional<Identity> Access::of_session(std::string_view session) {
  const std::string digest = digest_of(session);
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(digest);
  if (found == sessions_.end() || is_over(found->second, uptime())) return std::nullopt;
  const auto account = accounts_.find(found->second.user);
  if (account == accounts_.end()) return std::nullopt;
  found->second.used = uptime();
  return Identity{account->first, account->second.role};
}

std::optional<Identity> Access::of_token(std::string_view token) {
  const std::string digest = digest_of(token);
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(digest);
  if (found == tokens_.end() || (found->second.until && *found->second.until < clock_.now())) return std::nullopt;
  return Identity{found->second.name, found->second.role, found->second.scope};
}

Status Access::keep_sessions(sql::Connection& connection, const Moment& now) const {
  for (const auto& [digest, session] : sessions_) {
    Status status;
    if (is_over(session, uptime())) {
      status = run(connection, "DELETE FROM session WHERE digest = ?", digest);
    } else if (is_worth_keeping(session)) {
      const auto by_the_clock = [&](Micros at) { return (at + now.ahead).count(); };
      status = run(connection, "UPDATE session SET made = ?, used = ? WHERE digest = ?", by_the_clock(session.made),
                   by_the_clock(session.used), digest);
    }
    if (!status) return status;
  }
  return {};
}

// A page that is open uses its session all day: what is written of it is a few lines an hour, not one a minute.
bool Access::is_worth_keeping(const Session& session) { return session.used - session.kept >= kKeptEvery; }

void Access::maintain() {
  const Moment now = clock_.moment();
  const std::lock_guard lock(mutex_);
  std::erase_if(links_, [&](const auto& link) { return link.second.until < uptime(); });
  const bool due = std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& session) {
    return is_over(session.second, uptime()) || is_worth_keeping(session.second);
  });
  if (!due || !state_.keep([&](sql::Connection& connection) { return keep_sessions(connection, now); })) return;
  std::erase_if(sessions_, [&](const auto& session) { return is_over(session.second, uptime()); });
  for (auto& [digest, session] : sessions_) {
    if (is_worth_keeping(session)) session.kept = session.used;
  }
}

/// Of a link that may be used: its user, who may use it no more. Else empty.
std::string Access::take_link(std::string_view link) {
  const std::lock_guard lock(mutex_);
  const auto found = links_.find(digest_of(link));
  if (found == links_.end()) return {};
  const Link taken = found->second;
  links_.erase(found);
  return taken.until < uptime() ? "" : taken.user;
}

Result<std::string> Access::log_in_by_link(std::string_view link, const std::string& address) {
  const std::string user = take_link(link);
  if (user.empty())
    return fail(Errc::not_found, "this link was used already, or it is too old: log in, or ask for another");
  return begin_session(user, stored_hash(user), address);
}

Result<std::string> Access::make_link(const Identity& by, const std::string& user) {
  if (const std::string problem = problem_of_name(user); !problem.empty()) return fail(Errc::invalid, "{}", problem);
  std::string secret = random_secret();
  const std::lock_guard lock(mutex_);
  if (accounts_.empty()) {
    Status status = put_user({by.name, "claim", user, "without a password"}, user, {Role::admin, "", clock_.now()});
    if (status) status = put_code(false);
    if (!status) return fail(std::move(status.error()));
  } else if (!accounts_.contains(user)) {
    return fail(Errc::not_found, "there is no user '{}'", user);
  }
  if (links_.size() >= kMostLinks)
    return fail(Errc::full, "{} links wait to be used: they end within the hour", kMostLinks);
  if (Status told = state_.record({by.name, "make link", user, ""}); !told) return fail(std::move(told.error()));
  links_.emplace(digest_of(secret), Link{user, uptime() + kLinkLasts});
  return secret;
}

}  // namespace tidegate::access
