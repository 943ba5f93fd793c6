#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/access/scope.h"
#include "gateway/access/throttle.h"
#include "gateway/core/clock.h"
#include "gateway/core/result.h"
#include "gateway/state/state.h"

/// Who may do what: users and their log-ins, tokens for programs, and how a new box gets its first user. All of it is
/// in state.db, each change in one transaction with its line of the audit, and in memory for those who ask.
namespace tidegate::access {

/// Who asks.
struct Identity {
  std::string name;  ///< of the user, or of the token
  Role role = Role::viewer;
  Scope scope{};
};

struct User {
  std::string name;
  Role role = Role::viewer;
  Timestamp since;
  bool has_password = true;  ///< without one, only a link leads in
};

/// A token for a program: its holder may do what `role` may within `scope`, until it is taken back or `until` has
/// passed (by the gateway's clock: one that was made before that was set may be over when it is).
struct Token {
  std::int64_t id = 0;
  std::string name;
  Role role = Role::viewer;
  Timestamp made;
  std::string made_by;
  std::optional<Timestamp> until;
  Scope scope{};
};

class Access {
 public:
  static constexpr Micros kIdle = std::chrono::hours(12);         ///< a log-in that is not used ends
  static constexpr Micros kAtMost = std::chrono::hours(24 * 30);  ///< and so does any
  static constexpr Micros kLinkLasts = std::chrono::hours(1);
  static constexpr Micros kResetCodeLasts = std::chrono::hours(1);
  static constexpr std::size_t kMostUsers = 200, kMostTokens = 200, kMostLinks = 20;
  static constexpr std::size_t kMostSessions = 20;  ///< of a user: one more ends the one that was not used the longest

  /// `directory` gets the file `claim-code` (0600) while nobody has claimed the box. State outlives it.
  static Result<std::unique_ptr<Access>> open(state::State& state, const std::filesystem::path& directory,
                                              const Clock& clock);

  /// There is a user.
  bool claimed() const;
  /// What the first user has to know; empty once there is one.
  std::string claim_code() const;

  /// What comes with each attempt to get in. Those of one address and of one name wait longer and longer.
  struct Attempt {
    std::string name, password, address;
  };
  /// Makes the first user, an admin, and logs in. The secret of the session. Errc::not_found: the code is wrong;
  /// Errc::invalid: the name or the password will not do; Errc::conflict: it is claimed; Errc::unavailable: too many
  /// attempts, wait.
  Result<std::string> claim(std::string_view code, const Attempt& attempt);
  /// Errc::not_found: name or password is wrong, and nobody is told which; Errc::unavailable: too many attempts, wait.
  Result<std::string> log_in(const Attempt& attempt);
  /// The secret of a link that logs this user in: once, within kLinkLasts, and not after a restart. For who has the
  /// machine anyway. Errc::not_found; where nobody has claimed the gateway, it makes this user its first, an admin
  /// without a password.
  Result<std::string> make_link(const Identity& by, const std::string& user);
  /// Errc::not_found: it is used up, or too old.
  Result<std::string> log_in_by_link(std::string_view link, const std::string& address);
  /// What an admin who is elsewhere has to be told by who has the machine before the gateway is reset: once, within
  /// kResetCodeLasts, until there is another one, and not after a restart.
  Result<std::string> make_reset_code(const Identity& by);
  /// Errc::not_found: it is wrong, used up or too old; Errc::unavailable: too many attempts, wait.
  Status check_reset_code(std::string_view code, const Attempt& attempt);
  /// Once the reset has begun, it is used up.
  void spend_reset_code();
  /// At once; where that cannot be stored now, it is tried again with maintain().
  void log_out(std::string_view session);

  std::optional<Identity> of_session(std::string_view session);
  std::optional<Identity> of_token(std::string_view token);
  /// Another number whenever somebody may do less than before: who lets in somebody for longer than a moment asks anew.
  std::uint64_t revision() const { return revision_.load(); }

  std::vector<User> users() const;
  bool has_password(const std::string& user) const { return !stored_hash(user).empty(); }
  /// Errc::conflict: there is one of that name; Errc::invalid: name or password will not do.
  Status add_user(const Identity& by, const std::string& name, Role role, const std::string& password);
  /// Errc::not_found; Errc::conflict: it would leave no admin. Their sessions end.
  Status remove_user(const Identity& by, const std::string& name);
  Status set_role(const Identity& by, const std::string& name, Role role);
  /// All their sessions end.
  Status set_password(const Identity& by, const std::string& name, const std::string& password);
  /// By the user himself, whose old password this attempt has, and all his sessions end; the secret of a new one.
  /// Errc::not_found: the old one is wrong; Errc::invalid: the new one will not do; Errc::unavailable: too many
  /// attempts, wait.
  Result<std::string> change_password(const Attempt& attempt, const std::string& password);

  std::vector<Token> tokens() const;
  /// The secret, which is kept by nobody: it is shown this once.
  Result<std::string> make_token(const Identity& by, const std::string& name, const Grant& grant,
                                 std::optional<Micros> lasts);
  Status remove_token(const Identity& by, std::int64_t id);

  /// Each minute or so: ends what is over, and keeps when sessions were used, to the hour.
  void maintain();

 private:
  struct Account {
    Role role;
    std::string hash;
    Timestamp since;
  };
  struct Session {
    std::string user;
    Micros made, used;     ///< by the machine's uptime: a clock that is set ends nothing, and lengthens nothing
    Micros kept{};         ///< what is stored of `used`
    bool is_over = false;  ///< it was ended, and that is not stored yet
  };
  struct Link {
    std::string user;
    Micros until;  ///< by the machine's uptime
  };
  struct ResetCode {
    std::string code;
    Micros until;  ///< by the machine's uptime
  };

  Access(state::State& state, const std::filesystem::path& directory, const Clock& clock);
  Status load();
  Status put_code(bool wanted);
  Status begin_attempt(const Attempt& attempt, bool has_code);
  void succeed(const Attempt& attempt);
  std::string stored_hash(const std::string& user) const;
  Result<std::string> check_password(const Attempt& attempt);
  std::string take_link(std::string_view link);
  Status put_user(const state::Deed& deed, const std::string& name, const Account& account);
  Result<std::string> begin_session(const std::string& user, const std::string& hash, const std::string& address);
  std::string session_that_gives_way(const std::string& user) const;
  Micros uptime() const;
  void forget_sessions(const std::string& user);
  static bool is_over(const Session& session, Micros uptime);
  static constexpr Micros kKeptEvery = std::chrono::hours(1);
  static bool is_worth_keeping(const Session& session);
  Status keep_sessions(journal::sql::Connection& connection, const Moment& now) const;
  std::size_t admins() const;

  state::State& state_;
  const std::filesystem::path code_file_;
  const Clock& clock_;

  mutable std::mutex mutex_;  ///< of all below; never held while a hash is computed
  std::string code_;
  std::map<std::string, Account> accounts_;
  std::unordered_map<std::string, Session> sessions_;  ///< by digest
  std::unordered_map<std::string, Token> tokens_;      ///< by digest
  std::unordered_map<std::string, Link> links_;        ///< by digest
  std::optional<ResetCode> reset_code_;
  Throttle throttle_;
  std::atomic<std::uint64_t> revision_{1};
};

}  // namespace tidegate::access
