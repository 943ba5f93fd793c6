#include "drivers/coap/client.h"

#include <coap3/coap.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

namespace tidegate::drivers::coap {
namespace {

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    coap_startup();
    coap_set_log_level(LOG_EMERG);
    coap_dtls_set_log_level(LOG_EMERG);
    coap_set_log_handler([](coap_log_t, const char*) {});
  });
}

Result<coap_address_t> resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return fail(Errc::unavailable, "'{}' has no address: {}", host, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  coap_address_t address;
  coap_address_init(&address);
  address.size = found->ai_addrlen;
  std::memcpy(&address.addr, found->ai_addr, std::min<std::size_t>(found->ai_addrlen, sizeof address.addr));
  return address;
}

coap_bin_const_t bytes_of(const std::string& text) {
  return {text.size(), reinterpret_cast<const std::uint8_t*>(text.data())};
}

}  // namespace

class Client::Session {
 public:
  Session(const Access& access, const std::vector<Resource>& resources) : access_(access), resources_(resources) {}
  ~Session() {
    if (session_ != nullptr) coap_session_release(session_);
    if (context_ != nullptr) coap_free_context(context_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status open() {
    const auto server = resolve(access_.host, access_.port);
    if (!server) return fail(server.error());
    context_ = coap_new_context(nullptr);
    if (context_ == nullptr) return fail(Errc::full, "no CoAP context can be made");
    coap_set_app_data(context_, this);
    coap_context_set_block_mode(context_, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
    coap_register_response_handler(context_, on_response);
    coap_register_nack_handler(context_, on_nack);
    session_ = access_.secure ? new_secure_session(*server)
                              : coap_new_client_session(context_, nullptr, &*server, COAP_PROTO_UDP);
    if (session_ == nullptr)
      return fail(Errc::unavailable, "no socket to {}:{} can be made", access_.host, access_.port);
    set_patience();
    return {};
  }

  Status ask(std::size_t number) {
    coap_pdu_t* pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_GET, session_);
    if (pdu == nullptr) return fail(Errc::full, "no memory for a request");
    const std::uint8_t token[2] = {static_cast<std::uint8_t>(number >> 8u), static_cast<std::uint8_t>(number & 0xFFu)};
    coap_add_token(pdu, sizeof token, token);
    add_options(resources_[number], pdu);
    if (coap_send(session_, pdu) == COAP_INVALID_MID) return fail(Errc::unavailable, "cannot send to {}", access_.host);
    return {};
  }

  Status process(Micros at_most, std::vector<Response>& out) {
    out_ = &out;
    failure_.reset();
    const auto wait = std::max<std::int64_t>(at_most.count() / 1000, 1);  // 0 is for ever
    const int done = coap_io_process(context_, static_cast<std::uint32_t>(wait));
    out_ = nullptr;
    if (done < 0) return fail(Errc::io, "waiting for {} failed", access_.host);
    return failure_ ? Status(fail(*failure_)) : Status{};
  }

 private:
  coap_session_t* new_secure_session(const coap_address_t& server) {
    coap_dtls_cpsk_t setup{};
    setup.version = COAP_DTLS_CPSK_SETUP_VERSION;
    setup.psk_info.identity = bytes_of(access_.identity);
    setup.psk_info.key = bytes_of(access_.key);
    return coap_new_client_session_psk2(context_, nullptr, &server, COAP_PROTO_DTLS, &setup);
  }

  // RFC 7252, 4.2: with two repetitions a message is given up after 7 times the first wait, half as long again at most.
  void set_patience() {
    constexpr int kRepetitions = 2, kWaits = 7;
    const std::int64_t first = std::max<std::int64_t>(access_.timeout.count() * 2 / 3 / kWaits / 1000, 20);
    coap_session_set_max_retransmit(session_, kRepetitions);
    coap_session_set_ack_timeout(session_,
                                 {static_cast<std::uint16_t>(first / 1000), static_cast<std::uint16_t>(first % 1000)});
  }

  static void add_options(const Resource& resource, coap_pdu_t* pdu) {
    coap_optlist_t* options = nullptr;
    if (resource.observe) coap_insert_optlist(&options, coap_new_optlist(COAP_OPTION_OBSERVE, 0, nullptr));
    add_parts(resource.path, '/', COAP_OPTION_URI_PATH, options);
    add_parts(resource.query, '&', COAP_OPTION_URI_QUERY, options);
    coap_add_optlist_pdu(pdu, &options);
    coap_delete_optlist(options);
  }

  static void add_parts(std::string_view text, char separator, std::uint16_t number, coap_optlist_t*& options) {
    while (!text.empty()) {
      const std::string_view part = text.substr(0, text.find(separator));
      if (!part.empty()) {
        coap_insert_optlist(&options,
                            coap_new_optlist(number, part.size(), reinterpret_cast<const std::uint8_t*>(part.data())));
      }
      text.remove_prefix(std::min(text.size(), part.size() + 1));
    }
  }

  static Session& of(const coap_session_t* session) {
    return *static_cast<Session*>(coap_get_app_data(coap_session_get_context(session)));
  }

  static coap_response_t on_response(coap_session_t* session, const coap_pdu_t*, const coap_pdu_t* received,
                                     const coap_mid_t) {
    return of(session).take(*received) ? COAP_RESPONSE_OK : COAP_RESPONSE_FAIL;
  }

  // A response that is none of ours is refused with a reset, by which a server forgets an observer of a life before.
  bool take(const coap_pdu_t& received) {
    const coap_bin_const_t token = coap_pdu_get_token(&received);
    if (token.length != 2 || out_ == nullptr) return false;
    Response response;
    response.resource = static_cast<std::size_t>(token.s[0]) << 8u | token.s[1];
    if (response.resource >= resources_.size()) return false;
    const unsigned code = coap_pdu_get_code(&received);
    response.code = (code >> 5u) * 100 + (code & 0x1Fu);
    coap_opt_iterator_t iterator;
    if (const coap_opt_t* format = coap_check_option(&received, COAP_OPTION_CONTENT_FORMAT, &iterator)) {
      response.format = coap_decode_var_bytes(coap_opt_value(format), coap_opt_length(format));
    }
    std::size_t size = 0, offset = 0, total = 0;
    const std::uint8_t* data = nullptr;
    if (coap_get_data_large(&received, &size, &data, &offset, &total) != 0 && data != nullptr) {
      response.payload.assign(reinterpret_cast<const char*>(data), std::min(size, kMostPayload + 1));
    }
    out_->push_back(std::move(response));
    return true;
  }

  static void on_nack(coap_session_t* session, const coap_pdu_t*, const coap_nack_reason_t reason, const coap_mid_t) {
    Session& self = of(session);
    const std::string at = fmt::format("{}:{}", self.access_.host, self.access_.port);
    switch (reason) {
      case COAP_NACK_TLS_FAILED:
        self.failure_ = {Errc::unavailable, at + " refuses identity or key, or does not speak DTLS"};
        break;
      case COAP_NACK_RST:
        self.failure_ = {Errc::io, at + " does not know what it is asked: it sent a reset"};
        break;
      case COAP_NACK_ICMP_ISSUE:
      case COAP_NACK_NOT_DELIVERABLE:
        self.failure_ = {Errc::unavailable, at + " is not listening, or not reachable"};
        break;
      default:
        self.failure_ = {Errc::timed_out, at + " does not answer"};
    }
  }

  const Access& access_;
  const std::vector<Resource>& resources_;
  coap_context_t* context_ = nullptr;
  coap_session_t* session_ = nullptr;
  std::vector<Response>* out_ = nullptr;
  std::optional<Error> failure_;
};

Client::Client(Access access, std::vector<Resource> resources)
    : access_(std::move(access)), resources_(std::move(resources)) {
  initialise_once();
}
Client::~Client() = default;

Status Client::open() {
  session_.reset();
  auto session = std::make_unique<Session>(access_, resources_);
  if (Status opened = session->open(); !opened) return opened;
  session_ = std::move(session);
  return {};
}

Status Client::ask(std::size_t resource) { return session_->ask(resource); }

Status Client::process(Micros at_most, std::vector<Response>& out) { return session_->process(at_most, out); }

}  // namespace tidegate::drivers::coap
