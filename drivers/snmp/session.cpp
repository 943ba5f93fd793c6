#include "drivers/snmp/session.h"

#include <net-snmp/net-snmp-config.h>
// The order matters to the library.
#include <fmt/format.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/net-snmp-includes.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>

#include "drivers/snmp/address.h"
#include "drivers/snmp/varbind.h"

namespace tidegate::drivers::snmp {
namespace {

// The library's users (USM), engines' clocks and request numbers belong to the process and have no lock of their own.
std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

// No file of the machine's changes what the gateway does, and nothing is printed.
void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    const std::lock_guard lock(library());
    for (const int setting : {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                              NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE}) {
      netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, setting, 1);
    }
    netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIBDIRS, "/nonexistent");
    netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
    init_snmp("tidegate");
  });
}

struct Protocol {
  std::string_view name;
  const oid* id;
  std::size_t length;
};

const Protocol& protocol_of(std::string_view name) {
  static const Protocol all[] = {{"md5", usmHMACMD5AuthProtocol, OID_LENGTH(usmHMACMD5AuthProtocol)},
                                 {"sha", usmHMACSHA1AuthProtocol, OID_LENGTH(usmHMACSHA1AuthProtocol)},
                                 {"sha256", usmHMAC192SHA256AuthProtocol, OID_LENGTH(usmHMAC192SHA256AuthProtocol)},
                                 {"sha384", usmHMAC256SHA384AuthProtocol, OID_LENGTH(usmHMAC256SHA384AuthProtocol)},
                                 {"sha512", usmHMAC384SHA512AuthProtocol, OID_LENGTH(usmHMAC384SHA512AuthProtocol)},
                                 {"des", usmDESPrivProtocol, OID_LENGTH(usmDESPrivProtocol)},
                                 {"aes", usmAESPrivProtocol, OID_LENGTH(usmAESPrivProtocol)},
                                 {"aes256", usmAES256PrivProtocol, OID_LENGTH(usmAES256PrivProtocol)}};
  return *std::find_if(std::begin(all), std::end(all) - 1, [&](const Protocol& known) { return known.name == name; });
}

// A request under way. The library itself writes to `state` through its callback's pointer when an agent's clock
// differs too often, so it comes first.
struct Pending {
  synch_state state{};
  std::optional<Answer> answer;
  int failure = 0;
};

int on_answer(int operation, netsnmp_session*, int id, netsnmp_pdu* pdu, void* to) {
  Pending& pending = *static_cast<Pending*>(to);
  const bool report = pdu != nullptr && pdu->command == SNMP_MSG_REPORT;
  if (pdu != nullptr && !report && id != pending.state.reqid) return 0;
  pending.state.waiting = 0;
  if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || pdu == nullptr) {
    pending.failure = SNMPERR_TIMEOUT;
  } else if (report) {
    pending.failure = snmpv3_get_report_type(pdu);
    pending.state.waiting = pending.failure == SNMPERR_NOT_IN_TIME_WINDOW ? 1 : 0;  // the library asks once more
  } else if (pdu->command == SNMP_MSG_RESPONSE) {
    pending.answer = decode(*pdu);
  } else {
    pending.failure = SNMPERR_PROTOCOL;
  }
  return 1;
}

// A user of this name at this engine may be there from a session with another password.
void forget_user(const netsnmp_session& session) {
  usmUser* user = usm_get_user(session.securityEngineID, session.securityEngineIDLen, session.securityName);
  if (user == nullptr) return;
  usm_remove_user(user);
  usm_free_user(user);
}

// Asks an engine who it is (RFC 3414, 4).
netsnmp_pdu* discovery() {
  netsnmp_pdu* pdu = snmp_pdu_create(SNMP_MSG_GET);
  if (pdu == nullptr) return nullptr;
  pdu->version = SNMP_VERSION_3;
  pdu->securityName = strdup("");
  pdu->securityNameLen = 0;
  pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  pdu->securityModel = SNMP_SEC_MODEL_USM;
  return pdu;
}

}  // namespace

/// A socket with the library's state around it.
class Session::Line {
 public:
  explicit Line(const Access& access) : access_(access) {}
  ~Line() {
    const std::lock_guard lock(library());
    if (handle_ != nullptr) snmp_sess_close(handle_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Status open(const std::stop_token& stop) {
    const auto address = resolve(access_.host, access_.port);
    if (!address) return fail(address.error());
    if (Status opened = open_at(*address); !opened) return opened;
    return access_.version == Version::v3 ? discover(stop) : Status{};
  }

  Result<Answer> ask(netsnmp_pdu* pdu, const std::stop_token& stop) {
    if (Status sent = send(pdu); !sent) return fail(sent.error());
    if (Status waited = wait(stop); !waited) return fail(waited.error());
    if (pending_.answer) return std::move(*pending_.answer);
    return fail(failure(pending_.failure));
  }

 private:
  Status open_at(const std::string& address) {
    const std::lock_guard lock(library());
    netsnmp_session wanted;
    snmp_sess_init(&wanted);
    std::string peer = address, community = access_.community, user = access_.user, context = access_.context;
    wanted.peername = peer.data();
    wanted.timeout = static_cast<long>(access_.timeout.count());
    wanted.retries = access_.retries;
    if (access_.version == Version::v3) {
      wanted.securityName = user.data();
      wanted.securityNameLen = user.size();
      wanted.contextName = context.data();
      wanted.contextNameLen = context.size();
      if (Status keyed = add_keys(wanted); !keyed) return keyed;
    } else {
      wanted.version = access_.version == Version::v1 ? SNMP_VERSION_1 : SNMP_VERSION_2c;
      wanted.community = reinterpret_cast<u_char*>(community.data());
      wanted.community_len = community.size();
    }
    handle_ = snmp_sess_open(&wanted);
    if (handle_ == nullptr) {
      return fail(Errc::unavailable, "cannot open a socket to {}: {}", address,
                  snmp_api_errstring(wanted.s_snmp_errno));
    }
    // Else the library looks for the agent's engine in its first send, and waits for the network there.
    snmp_sess_session(handle_)->flags |= SNMP_FLAGS_DONT_PROBE;
    return {};
  }

  Status add_keys(netsnmp_session& wanted) const {
    wanted.version = SNMP_VERSION_3;
    wanted.securityModel = SNMP_SEC_MODEL_USM;
    wanted.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
    if (access_.auth.empty()) return {};
    const Protocol& auth = protocol_of(access_.auth);
    wanted.securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
    wanted.securityAuthProto = const_cast<oid*>(auth.id);  // only read
    wanted.securityAuthProtoLen = auth.length;
    wanted.securityAuthKeyLen = USM_AUTH_KU_LEN;
    if (!add_key(auth, access_.auth_password, wanted.securityAuthKey, wanted.securityAuthKeyLen)) return no_key();
    if (access_.privacy.empty()) return {};
    const Protocol& privacy = protocol_of(access_.privacy);
    wanted.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    wanted.securityPrivProto = const_cast<oid*>(privacy.id);
    wanted.securityPrivProtoLen = privacy.length;
    wanted.securityPrivKeyLen = USM_PRIV_KU_LEN;
    return add_key(auth, access_.privacy_password, wanted.securityPrivKey, wanted.securityPrivKeyLen) ? Status{}
                                                                                                      : no_key();
  }

  static bool add_key(const Protocol& auth, const std::string& password, u_char* key, std::size_t& size) {
    return generate_Ku(auth.id, static_cast<u_int>(auth.length), reinterpret_cast<const u_char*>(password.data()),
                       password.size(), key, &size) == SNMPERR_SUCCESS;
  }
  static Status no_key() { return fail(Errc::invalid, "no key can be made of the passwords: each needs 8 characters"); }

  // Asks the agent's engine who it is, which it answers with a report.
  Status discover(const std::stop_token& stop) {
    const auto answer = ask(discovery(), stop);
    const std::lock_guard lock(library());
    netsnmp_session* session = snmp_sess_session(handle_);
    if (session->securityEngineIDLen == 0) {
      return fail(answer ? Error{Errc::io, "the agent does not say who it is: does it speak version 3?"}
                         : answer.error());
    }
    forget_user(*session);
    if (create_user_from_session(session) != SNMPERR_SUCCESS) {
      return fail(Errc::invalid, "the user '{}' cannot be used with these protocols", access_.user);
    }
    return {};
  }

  Status send(netsnmp_pdu* pdu) {
    if (pdu == nullptr) return fail(Errc::full, "no memory for a request");
    const std::lock_guard lock(library());
    pending_ = {};
    pending_.state.waiting = 1;
    pending_.state.reqid = snmp_sess_async_send(handle_, pdu, on_answer, &pending_);
    if (pending_.state.reqid != 0) return {};
    snmp_free_pdu(pdu);
    const int code = snmp_sess_session(handle_)->s_snmp_errno;
    return fail(Errc::unavailable, "cannot send to {}: {}", access_.host, snmp_api_errstring(code));
  }

  // The library tries again by itself when it is called after a try's time. The bound is for what it may not foresee.
  Status wait(const std::stop_token& stop) {
    constexpr int kSliceMs = 50;
    const auto bound = std::chrono::steady_clock::now() + access_.timeout * (access_.retries + 2);
    while (pending_.state.waiting != 0) {
      if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
      if (std::chrono::steady_clock::now() > bound) return fail(failure(SNMPERR_TIMEOUT));
      pollfd ready{socket(), POLLIN, 0};
      const bool readable = ::poll(&ready, 1, kSliceMs) > 0;
      const std::lock_guard lock(library());
      if (readable) read(ready.fd);
      if (pending_.state.waiting != 0) snmp_sess_timeout(handle_);
    }
    return {};
  }

  int socket() const { return snmp_sess_transport(handle_)->sock; }

  void read(int fd) {
    netsnmp_large_fd_set set;
    netsnmp_large_fd_set_init(&set, fd + 1);
    netsnmp_large_fd_setfd(fd, &set);
    snmp_sess_read2(handle_, &set);
    netsnmp_large_fd_set_cleanup(&set);
  }

  Error failure(int code) const {
    switch (code) {
      case SNMPERR_TIMEOUT: {
        const bool three = access_.version == Version::v3;
        return {Errc::timed_out,
                fmt::format("{}:{} does not answer within {} ms, {} times: is its agent on, and is {} right?",
                            access_.host, access_.port, access_.timeout.count() / 1000, access_.retries + 1,
                            three ? "privacy_password" : "the community")};
      }
      case SNMPERR_UNKNOWN_USER_NAME:
        return {Errc::invalid, fmt::format("the agent knows no user '{}'", access_.user)};
      case SNMPERR_AUTHENTICATION_FAILURE:
        return {Errc::invalid, "the agent refuses auth or auth_password"};
      case SNMPERR_DECRYPTION_ERR:
        return {Errc::invalid, "the agent refuses privacy or privacy_password"};
      case SNMPERR_UNSUPPORTED_SEC_LEVEL:
        return {Errc::invalid, "the agent does not let this user ask in this way: give it auth, or privacy too"};
      default:
        return {Errc::io, fmt::format("the agent's answer is none: {}", snmp_api_errstring(code))};
    }
  }

  const Access& access_;
  void* handle_ = nullptr;
  Pending pending_;
};

Session::Session(Access access) : access_(std::move(access)) { initialise_once(); }
Session::~Session() = default;

Result<Answer> Session::get(std::span<const Oid> oids, const std::stop_token& stop) {
  return ask(SNMP_MSG_GET, oids, 0, stop);
}

Result<Answer> Session::next(std::span<const Oid> oids, int repetitions, const std::stop_token& stop) {
  return ask(access_.version == Version::v1 ? SNMP_MSG_GETNEXT : SNMP_MSG_GETBULK, oids, repetitions, stop);
}

namespace {

const Oid& uptime() {
  static const Oid oid({1, 3, 6, 1, 2, 1, 1, 3});
  return oid;
}

// Takes the first varbind, the uptime, out of the answer and gives it to those for which it matters.
void apply_uptime(Answer& answer) {
  if (answer.varbinds.empty()) return;
  const Varbind first = std::move(answer.varbinds.front());
  answer.varbinds.erase(answer.varbinds.begin());
  if (first.type != Varbind::Type::number || !first.oid.begins_with(uptime())) return;
  using Hundredths = std::chrono::duration<std::int64_t, std::centi>;
  const auto now = std::chrono::duration_cast<Hundredths>(std::chrono::steady_clock::now().time_since_epoch());
  const auto ticks = std::llround(first.number * 100);
  for (Varbind& varbind : answer.varbinds) {
    if (varbind.type == Varbind::Type::counter32) varbind.started = static_cast<std::uint32_t>(now.count() - ticks);
  }
}

}  // namespace

Result<Answer> Session::ask(int command, std::span<const Oid> oids, int repetitions, const std::stop_token& stop) {
  const bool with_uptime = uptime_ == Uptime::asked;
  std::vector<Oid> all;
  if (with_uptime) all.push_back(command == SNMP_MSG_GET ? Oid({1, 3, 6, 1, 2, 1, 1, 3, 0}) : uptime());
  all.insert(all.end(), oids.begin(), oids.end());
  auto answer = exchange(command, all, repetitions, stop);
  if (!answer) return answer;
  if (with_uptime && answer->error != 0 && answer->at == 1) {
    uptime_ = Uptime::refused;
    return ask(command, oids, repetitions, stop);
  }
  if (with_uptime && answer->at > 0) --answer->at;
  if (with_uptime && answer->error == 0) apply_uptime(*answer);
  const bool counts = std::any_of(answer->varbinds.begin(), answer->varbinds.end(),
                                  [](const Varbind& varbind) { return varbind.type == Varbind::Type::counter32; });
  if (counts && uptime_ == Uptime::of_no_use) uptime_ = Uptime::asked;
  return answer;
}

Result<Answer> Session::exchange(int command, std::span<const Oid> oids, int repetitions, const std::stop_token& stop) {
  if (!line_) {
    auto line = std::make_unique<Line>(access_);
    if (Status opened = line->open(stop); !opened) return fail(opened.error());
    line_ = std::move(line);
  }
  netsnmp_pdu* pdu = snmp_pdu_create(command);
  if (pdu != nullptr && command == SNMP_MSG_GETBULK) {
    pdu->non_repeaters = uptime_ == Uptime::asked ? 1 : 0;
    pdu->max_repetitions = repetitions;
  }
  for (const Oid& wanted : oids) {
    const std::vector<oid> numbers(wanted.numbers().begin(), wanted.numbers().end());
    if (pdu != nullptr) snmp_add_null_var(pdu, numbers.data(), numbers.size());
  }
  auto answer = line_->ask(pdu, stop);
  if (!answer) line_.reset();
  return answer;
}

}  // namespace tidegate::drivers::snmp
