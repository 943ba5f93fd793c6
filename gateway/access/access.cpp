#include "gateway/access/access.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "gateway/access/password.h"
#include "gateway/access/people.h"
#include "gateway/access/secret.h"
#include "gateway/core/text.h"

namespace tidegate::access {
namespace {

namespace fs = std::filesystem;
namespace sql = journal::sql;

Timestamp time_of(std::int64_t ticks) { return Timestamp{Micros{ticks}}; }

Throttle::Instant instant() { return std::chrono::steady_clock::now(); }

constexpr std::string_view kCodeKey = "code";

/// Of an address of IPv6 its network: who has one address there has 2^64.
std::string address_key(const Access::Attempt& attempt) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, attempt.address.c_str(), &address) != 1) return "address " + attempt.address;
  return fmt::format("address {:02x}", fmt::join(address.s6_addr, address.s6_addr + 8, ""));
}

/// Of a length that is not the visitor's choice.
std::string user_key(const Access::Attempt& attempt) { return "user " + digest_of(attempt.name); }

}  // namespace

Access::Access(state::State& state, const fs::path& directory, const Clock& clock)
    : state_(state), code_file_(directory / "claim-code"), clock_(clock) {}

Result<std::unique_ptr<Access>> Access::open(state::State& state, const fs::path& directory, const Clock& clock) {
  if (sodium_init() < 0) return fail(Errc::io, "libsodium finds no source of random numbers");
  std::unique_ptr<Access> access(new Access(state, directory, clock));
  Status status = access->load();
  if (status) status = access->put_code(access->accounts_.empty());
  if (!status) return fail(std::move(status.error()));
  return access;
}

Status Access::load() {
  return state_.look([this](sql::Connection& connection) -> Status {
    auto users = connection.prepare("SELECT name, role, hash, since FROM user");
    if (!users) return fail(std::move(users.error()));
    Result<bool> row = users->step();
    for (; row && *row; row = users->step()) {
      const auto role = role_of(users->text(1));
      if (role)
        accounts_[std::string(users->text(0))] = {*role, std::string(users->text(2)), time_of(users->integer(3))};
    }
    if (!row) return fail(row.error());
    auto tokens = connection.prepare("SELECT id, name, role, digest, made, made_by, until FROM token");
    if (!tokens) return fail(std::move(tokens.error()));
    for (row = tokens->step(); row && *row; row = tokens->step()) {
      const auto may = parse_grant(tokens->text(2));
      if (!may) continue;  // of a newer version, which may mean less than we would
      Token token{tokens->integer(0),
                  std::string(tokens->text(1)),
                  may->role,
                  time_of(tokens->integer(4)),
                  std::string(tokens->text(5)),
                  {},
                  may->scope};
      if (!tokens->null(6)) token.until = time_of(tokens->integer(6));
      tokens_.emplace(tokens->text(3), std::move(token));
    }
    if (!row) return fail(row.error());
    auto sessions = connection.prepare("SELECT digest, user, made, used FROM session");
    if (!sessions) return fail(std::move(sessions.error()));
    const Moment now = clock_.moment();
    const auto uptime_at = [&](std::int64_t ticks) {
      return uptime() - std::max(now.time - time_of(ticks), Micros{0});
    };
    for (row = sessions->step(); row && *row; row = sessions->step()) {
      if (!accounts_.contains(std::string(sessions->text(1)))) continue;
      const Micros used = uptime_at(sessions->integer(3));
      sessions_.emplace(sessions->text(0),
                        Session{std::string(sessions->text(1)), uptime_at(sessions->integer(2)), used, used});
    }
    return row ? Status{} : fail(row.error());
  });
}

/// Kept in a file, so that it is the same after a restart and whoever may read the directory can look it up.
Status Access::put_code(bool wanted) {
  std::error_code ignored;
  if (!wanted) {
    code_.clear();
    fs::remove(code_file_, ignored);
    return {};
  }
  const fs::perms mode = fs::status(code_file_, ignored).permissions();
  const bool is_private = (mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none;
  if (std::ifstream file(code_file_); is_private && file >> code_ && code_.size() == 9) return {};
  code_ = random_code();
  fs::remove(code_file_, ignored);
  if (Status status = journal::sql::make_private(code_file_); !status) return status;
  std::ofstream file(code_file_);
  file << code_ << std::endl;
  return file ? Status{} : fail(Errc::io, "{} cannot be written", code_file_.string());
}

bool Access::claimed() const {
  const std::lock_guard lock(mutex_);
  return !accounts_.empty();
}

std::string Access::claim_code() const {
  const std::lock_guard lock(mutex_);
  return code_;
}

/// Counted as one that failed until it succeeds: so that many at once are no way round the waiting.
Status Access::begin_attempt(const Attempt& attempt, bool has_code) {
  constexpr std::chrono::seconds kLongestForCode{30};  // whoever else tries, the code's owner gets a turn
  const auto now = instant();
  const std::lock_guard lock(mutex_);
  auto wait = std::max(throttle_.wait(address_key(attempt), now), throttle_.wait(user_key(attempt), now));
  if (has_code) {
    wait = std::max(wait, std::min<Throttle::Instant::duration>(throttle_.wait(kCodeKey, now), kLongestForCode));
  }
  if (wait > wait.zero()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    return fail(Errc::unavailable, "too many attempts that failed: try again in {} s", seconds);
  }
  throttle_.failed(address_key(attempt), now);
  throttle_.failed(user_key(attempt), now);
  if (has_code) throttle_.failed(kCodeKey, now);
  return {};
}

/// What else was tried from there still counts.
void Access::succeed(const Attempt& attempt) {
  const std::lock_guard lock(mutex_);
  throttle_.succeeded(user_key(attempt));
  throttle_.forgive(address_key(attempt));
}

Result<std::string> Access::claim(std::string_view code, const Attempt& attempt) {
  if (claimed()) return fail(Errc::conflict, "this gateway has its first user already: log in");
  if (Status status = begin_attempt(attempt, true); !status) return fail(std::move(status.error()));
  if (!is_code(code, claim_code())) {
    return fail(Errc::not_found, "the code is wrong: on the box `tidegate claim-code` prints it");
  }
  if (Status status = fitting(attempt.name, attempt.password); !status) return fail(std::move(status.error()));
  const auto hash = hash_of(attempt.password);
  if (!hash) return fail(hash.error());
  const state::Deed deed{attempt.name, "claim", attempt.name, "from " + attempt.address};
  {
    const std::lock_guard lock(mutex_);
    if (!accounts_.empty()) return fail(Errc::conflict, "somebody else has claimed this gateway just now: log in");
    Status status = put_user(deed, attempt.name, {Role::admin, *hash, clock_.now()});
    if (status) status = put_code(false);
    if (!status) return fail(std::move(status.error()));
  }
  succeed(attempt);
  return begin_session(attempt.name, *hash, attempt.address);
}

Result<std::string> Access::log_in(const Attempt& attempt) {
  const auto hash = check_password(attempt);
  return hash ? begin_session(attempt.name, *hash, attempt.address) : hash;
}

/// Empty where there is no such user, or he has no password.
std::string Access::stored_hash(const std::string& user) const {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(user);
  return found == accounts_.end() ? "" : found->second.hash;
}

/// The hash that the password fits.
Result<std::string> Access::check_password(const Attempt& attempt) {
  if (Status status = begin_attempt(attempt, false); !status) return fail(std::move(status.error()));
  std::string hash = stored_hash(attempt.name);
  if (hash.empty()) fit_nobody(attempt.password);
  const Result<bool> right = hash.empty() ? Result<bool>(false) : fits(attempt.password, hash);
  if (!right) return fail(right.error());
  if (!*right) return fail(Errc::not_found, "the name or the password is wrong");
  succeed(attempt);
  return hash;
}

Result<std::string> Access::change_password(const Attempt& attempt, const std::string& password) {
  if (has_password(attempt.name)) {
    if (const auto right = check_password(attempt); !right) {
      return right.error().code == Errc::not_found ? fail(Errc::not_found, "the old password is wrong")
                                                   : fail(right.error());
    }
  }
  if (Status set = set_password({attempt.name, Role::viewer}, attempt.name, password); !set) {
    return fail(std::move(set.error()));
  }
  return begin_session(attempt.name, stored_hash(attempt.name), attempt.address);
}

}  // namespace tidegate::access
