#include "gateway/mqtt/client.h"

#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/mqtt/probe.h"

namespace tidegate::mqtt {
namespace {

namespace paho = ::mqtt;
using namespace std::chrono_literals;

constexpr auto kConnectTimeout = 10s;
constexpr auto kProbePatience = 3s;
constexpr auto kSubscribePatience = 10s;
constexpr auto kGoodbyePatience = 1s;
constexpr int kMaxPacketBytes = 16 << 20;
constexpr auto kSubscriptionId = paho::property::SUBSCRIPTION_IDENTIFIER;

bool is_v5(const ConnectionOptions& options) { return options.version == ConnectionOptions::Version::v5; }

/// The reason codes of MQTT 5 (section 2.4) and the return codes of 3.1.1 (table 3.1) that a user can do something
/// about; "" for others. `may_we` is what was asked for on a connection that stands: there, "not authorized" is about
/// that and not about who we are.
std::string refusal(int code, const ConnectionOptions& options, std::string_view may_we = {}) {
  switch (code) {
    case 1:
    case 0x84:
      return "it does not speak this version of MQTT; set 'version' to the other one";
    case 2:
    case 0x85:
      return fmt::format("it does not accept the client id '{}'", options.client_id);
    case 3:
    case 0x88:
      return "it is not available now";
    case 4:
    case 0x86:
      return "bad user name or password";
    case 5:
    case 0x87:
      if (!may_we.empty()) return fmt::format("not authorized; may we {}?", may_we);
      return options.user.empty() ? "not authorized; it asks for 'user' and 'password'"
                                  : "not authorized; are 'user' and 'password' right?";
    case 0x89:
      return "it is busy";
    case 0x8a:
      return "this client is banned";
    case 0x8b:
      return "it is shutting down";
    case 0x8e:
      return fmt::format("another client has connected with the client id '{}'; give each gateway its own 'client_id'",
                         options.client_id);
    case 0x95:
      return "the message is larger than it takes";
    case 0x97:
      return "a quota of it is exceeded";
    case 0x99:
      return "the message is not of the form that it asks for";
    case 0x9f:
      return "too many connections in a short time";
    default:
      return "";
  }
}

/// The reason code of MQTT 5, or the return code of 3.1.1.
int answer_of(const paho::exception& error) {
  const int reason = error.get_reason_code();
  return reason >= 0x80 ? reason : error.get_return_code();
}

std::string plain(const paho::exception& error, const ConnectionOptions& options, std::string_view may_we = {}) {
  const int code = answer_of(error);
  if (std::string known = code > 0 ? refusal(code, options, may_we) : ""; !known.empty()) return known;
  return printable(error.what());
}

void set_session(paho::connect_options& out, const ConnectionOptions& options) {
  const bool clean = options.session_expiry == Micros(0);
  out.set_mqtt_version(is_v5(options) ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
  if (!is_v5(options)) {
    out.set_clean_session(clean);
    return;
  }
  out.set_clean_start(clean);
  paho::properties properties;
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(options.session_expiry);
  properties.add(paho::property(paho::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(expiry.count())));
  properties.add(paho::property(paho::property::MAXIMUM_PACKET_SIZE, kMaxPacketBytes));
  out.set_properties(properties);
}

paho::ssl_options ssl_options(const config::ClientTls& tls) {
  paho::ssl_options out;
  if (!tls.ca.empty()) out.set_trust_store(tls.ca);
  if (!tls.certificate.empty()) out.set_key_store(tls.certificate);
  if (!tls.key.empty()) out.set_private_key(tls.key);
  if (!tls.key_password.empty()) out.set_private_key_password(tls.key_password);
  out.set_enable_server_cert_auth(tls.verify);
  out.set_verify(tls.verify);
  return out;
}

paho::connect_options connect_options(const ConnectionOptions& options) {
  paho::connect_options out;
  set_session(out, options);
  out.set_keep_alive_interval(std::chrono::duration_cast<std::chrono::seconds>(options.keep_alive));
  out.set_connect_timeout(kConnectTimeout);
  out.set_automatic_reconnect(false);
  if (!options.user.empty()) out.set_user_name(options.user);
  if (!options.password.empty()) out.set_password(options.password);
  if (options.will) {
    out.set_will_message(
        paho::message(options.will->topic, options.will->payload, options.will->qos, options.will->retain));
  }
  if (options.broker.secure()) out.set_ssl(ssl_options(options.tls));
  return out;
}

/// Of a CONNACK: whether the broker does not want this client, or no client now.
Errc code_of_refusal(int code) {
  constexpr std::array kNotThisClient = {2, 4, 5, 0x85, 0x86, 0x87, 0x8a};
  const bool who = std::find(kNotThisClient.begin(), kNotThisClient.end(), code) != kNotThisClient.end();
  return who ? Errc::invalid : Errc::unavailable;
}

/// Only what lies in the message itself: whatever else is wrong (rights, quotas) may be mended while it waits.
Errc code_of(int reason) {
  constexpr int kPacketTooLarge = 0x95, kPayloadFormatInvalid = 0x99;
  return reason == kPacketTooLarge || reason == kPayloadFormatInvalid ? Errc::invalid : Errc::unavailable;
}

/// Throws what went wrong.
Status wait_for(const paho::token_ptr& token, Micros patience, const std::stop_token& stop) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!token->wait_for(50ms)) {
    if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Errc::timed_out, "no answer for {}", age_text(patience));
  }
  return {};
}

void* context_of(std::uint32_t round) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(round)); }
std::uint32_t round_of(const paho::token& token) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
}

}  // namespace

struct Client::Impl final : paho::iaction_listener {
  Impl(const ConnectionOptions& its_options, Events its_events)
      : options(its_options), events(std::move(its_events)), where(options.broker.text()) {}

  void on_success(const paho::token& token) override { events.answered(round_of(token), std::nullopt); }
  void on_failure(const paho::token& token) override;
  void arrived(const paho::const_message_ptr& message);

  const ConnectionOptions& options;
  const Events events;
  const std::string where;
  std::mutex handler_mutex;
  bool closed = false;
  std::vector<std::uint32_t> ids;  ///< of the message that is being handled
  bool ids_available = true;
  std::optional<paho::async_client> paho;
};

void Client::Impl::on_failure(const paho::token& token) {
  const int reason = token.get_reason_code();
  if (reason < 0x80 || reason == paho::ReasonCode::MQTTPP_V3_CODE) {
    const int code = token.get_return_code();
    events.answered(round_of(token), Error{Errc::interrupted, fmt::format("{}: not delivered (code {})", where, code)});
    return;
  }
  std::string known = refusal(reason, options, fmt::format("publish to '{}'", (*token.get_topics())[0]));
  if (known.empty()) known = fmt::format("it refuses the message (reason 0x{:02x})", reason);
  events.answered(round_of(token), Error{code_of(reason), fmt::format("{}: {}", where, known)});
}

void Client::Impl::arrived(const paho::const_message_ptr& message) {
  const std::scoped_lock lock(handler_mutex);
  if (closed || !events.message || !message) return;
  const paho::properties& said = message->get_properties();
  ids.resize(said.count(kSubscriptionId));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = paho::get<std::uint32_t>(said, kSubscriptionId, i);
  events.message({message->get_topic(), message->get_payload_str(), message->get_qos(), message->is_retained(), ids});
}

Client::Client(const ConnectionOptions& options, Events events)
    : impl_(std::make_unique<Impl>(options, std::move(events))) {
  Impl* impl = impl_.get();
  paho::async_client& paho =
      impl->paho.emplace(options.broker.paho_uri(), options.client_id,
                         paho::create_options(is_v5(options) ? MQTTVERSION_5 : MQTTVERSION_3_1_1), nullptr);
  paho.set_message_callback([impl](const paho::const_message_ptr& message) { impl->arrived(message); });
  paho.set_connection_lost_handler([impl](const std::string&) {
    impl->events.lost({Errc::interrupted, fmt::format("the connection to {} is lost", impl->where)});
  });
  paho.set_disconnected_handler([impl](const paho::properties&, paho::ReasonCode reason) {
    const std::string known = refusal(reason, impl->options);
    impl->events.lost({code_of(reason) == Errc::invalid ? Errc::invalid : Errc::interrupted,
                       fmt::format("{} closed the connection{}{}", impl->where, known.empty() ? "" : ": ", known)});
  });
}

Client::~Client() {
  {
    const std::scoped_lock wait_for_a_running_handler(impl_->handler_mutex);
    impl_->closed = true;
  }
  // Paho looks at the client once more after our handler has returned, and has no way to wait for that.
  std::this_thread::sleep_for(10ms);
  impl_->paho.reset();
}

std::size_t packet_bytes(const Outgoing& message) {
  // Before topic and payload: the topic's length, the packet id, the length of the properties, and they.
  const std::size_t properties = message.expiry ? 5 : 0;
  const std::size_t rest =
      2 + message.topic.size() + (message.qos > 0 ? 2 : 0) + 1 + properties + message.payload.size();
  const std::size_t length = rest < 1u << 7 ? 1 : rest < 1u << 14 ? 2 : rest < 1u << 21 ? 3 : 4;
  return 1 + length + rest;
}

Result<Limits> Client::connect(std::stop_token stop) try {
  const paho::token_ptr token = impl_->paho->connect(connect_options(impl_->options));
  if (const Status answered = wait_for(token, kConnectTimeout + 5s, stop); !answered) return fail(answered.error());
  const paho::properties said = token->get_connect_response().get_properties();
  // Paho holds back what exceeds the broker's Receive Maximum and looks at it again only once a second, so we do not
  // let it come to that.
  constexpr auto kReceiveMaximum = paho::property::RECEIVE_MAXIMUM, kPacketSize = paho::property::MAXIMUM_PACKET_SIZE;
  Limits limits{.in_flight = impl_->options.max_in_flight};
  if (said.contains(kReceiveMaximum)) {
    limits.in_flight = std::min<std::size_t>(limits.in_flight, paho::get<std::uint16_t>(said, kReceiveMaximum));
  }
  constexpr auto kIdsAvailable = paho::property::SUBSCRIPTION_IDENTIFIERS_AVAILABLE;
  impl_->ids_available = !said.contains(kIdsAvailable) || paho::get<std::uint8_t>(said, kIdsAvailable) != 0;
  if (said.contains(kPacketSize)) limits.packet_bytes = paho::get<std::uint32_t>(said, kPacketSize);
  return limits;
} catch (const paho::exception& error) {
  const ConnectionOptions& options = impl_->options;
  if (error.get_return_code() > 0 || error.get_reason_code() >= 0x80) {
    return fail(code_of_refusal(answer_of(error)), "refused by {}: {}", impl_->where, plain(error, options));
  }
  return fail(Errc::unavailable, "cannot reach {}: {}", impl_->where, why_unreachable(options, kProbePatience, stop));
}

Result<std::string> Client::subscribe(std::span<const Subscription> subscriptions, std::stop_token stop) {
  const ConnectionOptions& options = impl_->options;
  std::vector<paho::token_ptr> tokens;
  try {
    for (const auto& subscription : subscriptions) {
      paho::properties properties;
      if (is_v5(options) && impl_->ids_available && subscription.id != 0) {
        properties.add(paho::property(kSubscriptionId, static_cast<std::int32_t>(subscription.id)));
      }
      tokens.push_back(impl_->paho->subscribe(
          subscription.filter, subscription.qos,
          is_v5(options) ? paho::subscribe_options(false, false) : paho::subscribe_options(), properties));
    }
  } catch (const paho::exception& error) {
    return fail(Errc::unavailable, "cannot subscribe at {}: {}", impl_->where, plain(error, options));
  }
  std::string refused;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    try {
      if (const Status answered = wait_for(tokens[i], kSubscribePatience, stop); !answered)
        return fail(answered.error());
    } catch (const paho::exception& error) {
      if (!connected()) return fail(Errc::unavailable, "{} closed the connection", impl_->where);
      refused += fmt::format("{}'{}' ({})", refused.empty() ? "" : ", ", subscriptions[i].filter,
                             plain(error, options, "subscribe to it"));
    }
  }
  return refused;
}

Status Client::send_and_wait(const Outgoing& message, Micros patience, std::stop_token stop) try {
  return wait_for(
      impl_->paho->publish(message.topic, message.payload.data(), message.payload.size(), message.qos, message.retain),
      patience, stop);
} catch (const paho::exception& error) {
  return fail(Errc::unavailable, "{} did not take '{}': {}", impl_->where, message.topic, plain(error, impl_->options));
}

Status Client::publish(Outgoing message, std::uint32_t round) try {
  paho::properties properties;
  if (message.expiry && is_v5(impl_->options)) {
    const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(*message.expiry), 1s);
    properties.add(paho::property(paho::property::MESSAGE_EXPIRY_INTERVAL, static_cast<std::int32_t>(seconds.count())));
  }
  impl_->paho->publish(paho::message::create(std::move(message.topic), std::move(message.payload), message.qos,
                                             message.retain, properties),
                       context_of(round), *impl_);
  return {};
} catch (const paho::exception& error) {
  return fail(Errc::unavailable, "{}: {}", impl_->where, plain(error, impl_->options));
}

bool Client::connected() const { return impl_->paho->is_connected(); }

void Client::leave() try {
  if (connected()) impl_->paho->disconnect(kGoodbyePatience)->wait_for(kGoodbyePatience);
} catch (const paho::exception&) {
  // Gone already: there is nobody left to say goodbye to.
}

}  // namespace tidegate::mqtt
