#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "drivers/snmp/oid.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::snmp {

enum class Version : std::uint8_t { v1, v2c, v3 };

/// How an agent is reached, and who asks.
struct Access {
  std::string host;
  int port = 161;
  Version version = Version::v2c;
  std::string community{};                           ///< of v1 and v2c
  std::string user{}, context{};                     ///< of v3
  std::string auth{}, auth_password{};               ///< "" or md5, sha, sha256, sha384, sha512
  std::string privacy{}, privacy_password{};         ///< "" or des, aes, aes256
  Micros timeout = std::chrono::milliseconds(1500);  ///< of one try
  int retries = 1;
};

/// What an agent says of one object.
struct Varbind {
  enum class Type : std::uint8_t { number, counter32, counter64, text, nothing };
  Oid oid;
  Type type = Type::nothing;
  double number = 0;   ///< TimeTicks in seconds
  std::string text{};  ///< bytes as sent; of `nothing` why there is none, in words
  /// Of a counter32 whose agent gave its sysUpTime in the same answer: when the agent was started, in hundredths of a
  /// second modulo 2^32 as that is counted, by a clock of ours that nobody sets.
  std::optional<std::uint32_t> started{};
};

struct Answer {
  int error = 0;       ///< RFC 3416, error-status; 0 is none
  std::size_t at = 0;  ///< the object that it is about, from 1; 0: none of them
  std::vector<Varbind> varbinds;
};

// Of RFC 3416, those that are acted upon.
inline constexpr int kTooBig = 1, kNoSuchName = 2;
std::string error_in_words(int error);

/// A line to one agent by net-snmp's single-session interface. One thread at a time; several sessions may be in use at
/// once. The library's users and clocks of version 3 are the process's: what it computes is done under one lock, and
/// nobody waits for the network under it. Throws and prints nothing, reads no file. Of an agent that was seen to have a
/// Counter32 each request asks for the uptime too.
class Session {
 public:
  explicit Session(Access access);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Asks for these objects. Errc::timed_out: no answer to any try, each of `timeout`; Errc::unavailable: the host has
  /// no address; Errc::invalid: it refuses who asks. After any of them the next request begins anew.
  Result<Answer> get(std::span<const Oid> oids, const std::stop_token& stop);
  /// Asks for what comes after each of them, `repetitions` times over (v1: once). The varbinds are in turns, one an
  /// oid.
  Result<Answer> next(std::span<const Oid> oids, int repetitions, const std::stop_token& stop);

 private:
  class Line;
  Result<Answer> ask(int command, std::span<const Oid> oids, int repetitions, const std::stop_token& stop);
  Result<Answer> exchange(int command, std::span<const Oid> oids, int repetitions, const std::stop_token& stop);

  const Access access_;
  std::unique_ptr<Line> line_;  ///< nothing until it is needed, and after a failure
  enum class Uptime : std::uint8_t { of_no_use, asked, refused } uptime_ = Uptime::of_no_use;
};

}  // namespace tidegate::drivers::snmp
