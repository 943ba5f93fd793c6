#include "gateway/mqtt/connection.h"

#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "gateway/core/backoff.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/mqtt/probe.h"

namespace tidegate::mqtt {
namespace {

namespace paho = ::mqtt;
using namespace std::chrono_literals;

constexpr auto kConnectTimeout = 10s;
constexpr auto kProbePatience = 3s;
constexpr auto kGoodbyePatience = 1s;
constexpr auto kAnswerPatience = 10s;  // for a SUBACK and the greeting's PUBACK
constexpr auto kAckPatience = 30s;
constexpr auto kLookAgain = 2s;        // should Paho have told nobody that the connection broke
constexpr auto kHeldLongEnough = 10s;  // a connection that breaks sooner does not reset the backoff
constexpr int kMaxPacketBytes = 16 << 20;

/// The reason codes of MQTT 5 (section 2.4) and the return codes of 3.1.1 (table 3.1) that a user can do something
/// about; "" for others.
std::string refusal(int code, const ConnectionOptions& options) {
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
    case 0x9f:
      return "too many connections in a short time";
    default:
      return "";
  }
}

std::string plain(const paho::exception& error, const ConnectionOptions& options) {
  const int reason = error.get_reason_code();
  const int code = reason >= 0x80 ? reason : error.get_return_code();
  if (std::string known = code > 0 ? refusal(code, options) : ""; !known.empty()) return known;
  return printable(error.what());
}

void* context_of(std::uint32_t round) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(round)); }

}  // namespace

struct Connection::Impl final : paho::iaction_listener {
  ConnectionOptions options;
  std::vector<Subscription> subscriptions;
  Handlers handlers;
  std::optional<Outgoing> greeting, farewell;
  std::string where;

  mutable std::mutex mutex;
  mutable std::condition_variable_any changed;
  State current;
  bool lost = false;
  std::string why_lost;
  std::uint32_t round = 0;  ///< publishes since one flush(); a late answer of an older round says nothing
  std::size_t in_flight = 0;
  std::size_t window = 1;  ///< publishes that may wait for their acknowledgement at the same time
  std::uint64_t answers = 0;
  std::optional<Error> failed;

  std::mutex handler_mutex;
  bool handlers_closed = false;

  std::shared_ptr<paho::async_client> client;  ///< replaced by the connection's thread only, under `mutex`
  std::jthread thread;

  // The connection's thread.
  void run(std::stop_token stop);
  Status join(std::stop_token stop);
  Status connect(std::stop_token stop);
  Status subscribe(std::stop_token stop, std::string& refused);
  Status send_and_wait(const Outgoing& message, std::stop_token stop);
  std::string wait_until_lost(std::stop_token stop);
  void leave();
  void make_client();
  void retire(std::shared_ptr<paho::async_client> old);
  void set(State::Phase phase, std::string text, std::string why = {});
  Status wait_for(const paho::token_ptr& token, Micros patience, std::stop_token stop);
  paho::connect_options connect_options() const;

  // Paho's threads.
  void arrived(const paho::const_message_ptr& message);
  void note_lost(std::string why);
  void on_success(const paho::token& token) override { settle(round_of(token), std::nullopt); }
  void on_failure(const paho::token& token) override;
  static std::uint32_t round_of(const paho::token& token) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
  }
  void settle(std::uint32_t of_round, std::optional<Error> error);

  Error give_up(Micros patience);
  template <class Condition>
  Status wait_for_answers(std::unique_lock<std::mutex>& lock, const Condition& condition, Micros patience,
                          const std::stop_token& stop);
  void begin_round();
};

paho::connect_options Connection::Impl::connect_options() const {
  paho::connect_options out;
  const bool v5 = options.version == ConnectionOptions::Version::v5;
  const bool clean = options.session_expiry == Micros(0);
  out.set_mqtt_version(v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1);
  if (v5) {
    out.set_clean_start(clean);
    paho::properties properties;
    const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(options.session_expiry);
    properties.add(paho::property(paho::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(expiry.count())));
    properties.add(paho::property(paho::property::MAXIMUM_PACKET_SIZE, kMaxPacketBytes));
    out.set_properties(properties);
  } else {
    out.set_clean_session(clean);
  }
  out.set_keep_alive_interval(std::chrono::duration_cast<std::chrono::seconds>(options.keep_alive));
  out.set_connect_timeout(kConnectTimeout);
  out.set_automatic_reconnect(false);
  if (!options.user.empty()) out.set_user_name(options.user);
  if (!options.password.empty()) out.set_password(options.password);
  if (options.will) {
    out.set_will_message(
        paho::message(options.will->topic, options.will->payload, options.will->qos, options.will->retain));
  }
  if (options.broker.secure()) {
    paho::ssl_options tls;
    if (!options.tls.ca.empty()) tls.set_trust_store(options.tls.ca);
    if (!options.tls.certificate.empty()) tls.set_key_store(options.tls.certificate);
    if (!options.tls.key.empty()) tls.set_private_key(options.tls.key);
    if (!options.tls.key_password.empty()) tls.set_private_key_password(options.tls.key_password);
    tls.set_enable_server_cert_auth(options.tls.verify);
    tls.set_verify(options.tls.verify);
    out.set_ssl(tls);
  }
  return out;
}

void Connection::Impl::set(State::Phase phase, std::string text, std::string why) {
  State told{phase, std::move(text), std::move(why)};
  {
    const std::scoped_lock lock(mutex);
    current = told;
    changed.notify_all();
  }
  if (handlers.state) handlers.state(told);
}

Status Connection::Impl::wait_for(const paho::token_ptr& token, Micros patience, std::stop_token stop) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!token->wait_for(50ms)) {  // throws what went wrong
    if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Errc::timed_out, "no answer for {}", age_text(patience));
  }
  return {};
}

Status Connection::Impl::connect(std::stop_token stop) try {
  {
    const std::scoped_lock lock(mutex);
    lost = false;
  }
  const paho::token_ptr token = client->connect(connect_options());
  if (const Status answered = wait_for(token, kConnectTimeout + 5s, stop); !answered) return answered;
  const paho::properties& said = token->get_connect_response().get_properties();
  // Paho holds back what exceeds the broker's Receive Maximum and looks at it again only once a second, so we do not
  // let it come to that.
  constexpr auto kReceiveMaximum = paho::property::RECEIVE_MAXIMUM;
  const std::scoped_lock lock(mutex);
  window = options.max_in_flight;
  if (said.contains(kReceiveMaximum)) {
    window = std::min<std::size_t>(window, paho::get<std::uint16_t>(said, kReceiveMaximum));
  }
  return {};
} catch (const paho::exception& error) {
  if (error.get_return_code() > 0 || error.get_reason_code() >= 0x80) {
    return fail(Errc::unavailable, "refused by {}: {}", where, plain(error, options));
  }
  return fail(Errc::unavailable, "cannot reach {}: {}", where, why_unreachable(options, kProbePatience));
}

Status Connection::Impl::send_and_wait(const Outgoing& message, std::stop_token stop) try {
  return wait_for(
      client->publish(message.topic, message.payload.data(), message.payload.size(), message.qos, message.retain),
      kAnswerPatience, stop);
} catch (const paho::exception& error) {
  return fail(Errc::unavailable, "{} did not take '{}': {}", where, message.topic, plain(error, options));
}

Status Connection::Impl::subscribe(std::stop_token stop, std::string& refused) {
  const bool v5 = options.version == ConnectionOptions::Version::v5;
  std::vector<paho::token_ptr> tokens;
  try {
    for (const auto& subscription : subscriptions) {
      tokens.push_back(client->subscribe(subscription.filter, subscription.qos,
                                         v5 ? paho::subscribe_options(false, false) : paho::subscribe_options()));
    }
  } catch (const paho::exception& error) {
    return fail(Errc::unavailable, "cannot subscribe at {}: {}", where, plain(error, options));
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    try {
      if (const Status answered = wait_for(tokens[i], kAnswerPatience, stop); !answered) return answered;
    } catch (const paho::exception& error) {
      if (!client->is_connected()) return fail(Errc::unavailable, "{} closed the connection", where);
      refused +=
          fmt::format("{}'{}' ({})", refused.empty() ? "" : ", ", subscriptions[i].filter, plain(error, options));
    }
  }
  return {};
}

/// Connects, says hello, subscribes: anew on every connect, because neither a broker that lost its sessions nor Paho
/// remembers.
Status Connection::Impl::join(std::stop_token stop) {
  set(State::Phase::connecting, fmt::format("connecting to {}", where));
  if (const Status connected = connect(stop); !connected) return connected;
  if (greeting) {
    if (const Status greeted = send_and_wait(*greeting, stop); !greeted) return greeted;
  }
  std::string refused;
  if (const Status subscribed = subscribe(stop, refused); !subscribed) return subscribed;
  if (refused.empty()) {
    set(State::Phase::connected, fmt::format("connected to {}", where));
  } else {
    set(State::Phase::limited, fmt::format("connected to {}, but it refused to subscribe us to {}", where, refused));
  }
  return {};
}

std::string Connection::Impl::wait_until_lost(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex);
    if (changed.wait_for(lock, stop, kLookAgain, [this] { return lost; })) return why_lost;
    lock.unlock();  // Paho's own lock is not to be asked for under ours
    if (!client->is_connected()) note_lost(fmt::format("the connection to {} is lost", where));
  }
  return "";
}

void Connection::Impl::run(std::stop_token stop) {
  Backoff backoff(options.first_wait, options.longest_wait, std::random_device{}());
  while (!stop.stop_requested()) {
    std::string why;
    if (const Status joined = join(stop); joined) {
      const auto since = std::chrono::steady_clock::now();
      why = wait_until_lost(stop);
      if (std::chrono::steady_clock::now() - since > kHeldLongEnough) {
        backoff.reset();
      } else if (!why.empty()) {
        // Most brokers close the older of two connections with one client id without a word.
        why += fmt::format(" soon after it was made; if this repeats, look for another client with the id '{}'",
                           options.client_id);
      }
    } else {
      why = joined.error().text;
    }
    if (stop.stop_requested()) break;
    leave();
    // Paho keeps publishes that it had queued and sends them on the next connection, ahead of those that went before
    // them. A clean session has nothing to keep: a new client forgets them.
    if (options.session_expiry == Micros(0)) make_client();
    const Micros wait = backoff.next();
    set(State::Phase::waiting, fmt::format("{}; next try in {}", why, age_text(wait)), why);
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, wait, [] { return false; });
  }
  if (farewell && client->is_connected()) {
    if (!send_and_wait(*farewell, {})) { /* the last will says the same */
    }
  }
  leave();
}

void Connection::Impl::leave() try {
  if (client->is_connected()) client->disconnect(kGoodbyePatience)->wait_for(kGoodbyePatience);
} catch (const paho::exception&) {
  // Gone already: there is nobody left to say goodbye to.
}

void Connection::Impl::arrived(const paho::const_message_ptr& message) {
  const std::scoped_lock lock(handler_mutex);
  if (handlers_closed || !handlers.message || !message) return;
  handlers.message({message->get_topic(), message->get_payload_str(), message->get_qos(), message->is_retained()});
}

void Connection::Impl::note_lost(std::string why) {
  const std::scoped_lock lock(mutex);
  if (lost) return;
  lost = true;
  why_lost = std::move(why);
  if (in_flight > 0 && !failed) failed = Error{Errc::unavailable, why_lost};
  changed.notify_all();
}

void Connection::Impl::on_failure(const paho::token& token) {
  const int reason = token.get_reason_code();
  const int code = reason >= 0x80 && reason != paho::ReasonCode::MQTTPP_V3_CODE ? reason : token.get_return_code();
  std::string known = code > 0 ? refusal(code, options) : "";
  if (known.empty()) known = fmt::format("not delivered (code {})", code);
  settle(round_of(token), Error{Errc::unavailable, fmt::format("{}: {}", where, known)});
}

void Connection::Impl::settle(std::uint32_t of_round, std::optional<Error> error) {
  const std::scoped_lock lock(mutex);
  if (of_round != round) return;
  if (in_flight > 0) --in_flight;
  ++answers;
  if (error && !failed) failed = std::move(error);
  changed.notify_all();
}

/// Under `mutex`. The connection's thread then makes a new one.
Error Connection::Impl::give_up(Micros patience) {
  Error error{Errc::timed_out, fmt::format("{} acknowledged nothing for {}", where, age_text(patience))};
  lost = true;
  why_lost = error.text;
  changed.notify_all();
  return error;
}

/// Until `condition` holds. As long as acknowledgements come, patience does not end.
template <class Condition>
Status Connection::Impl::wait_for_answers(std::unique_lock<std::mutex>& lock, const Condition& condition,
                                          Micros patience, const std::stop_token& stop) {
  while (true) {
    const std::uint64_t seen = answers;
    if (changed.wait_for(lock, stop, patience, condition)) return {};
    if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
    if (answers == seen) return fail(give_up(patience));
  }
}

/// Under `mutex`.
void Connection::Impl::begin_round() {
  ++round;
  in_flight = 0;
  failed.reset();
}

void Connection::Impl::make_client() {
  const paho::create_options create(options.version == ConnectionOptions::Version::v5 ? MQTTVERSION_5
                                                                                      : MQTTVERSION_3_1_1);
  auto made = std::make_shared<paho::async_client>(options.broker.paho_uri(), options.client_id, create, nullptr);
  made->set_message_callback([this](const paho::const_message_ptr& message) { arrived(message); });
  made->set_connection_lost_handler(
      [this](const std::string&) { note_lost(fmt::format("the connection to {} is lost", where)); });
  made->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode code) {
    const std::string known = refusal(code, options);
    note_lost(fmt::format("{} closed the connection{}{}", where, known.empty() ? "" : ": ", known));
  });
  {
    const std::scoped_lock lock(mutex);
    client.swap(made);
  }
  retire(std::move(made));
}

/// Lets go of a client, outside `mutex`: what was under way is called off, which comes back to settle(). Paho looks at
/// the client once more after our handler has returned, and has no way to wait for that.
void Connection::Impl::retire(std::shared_ptr<paho::async_client> old) {
  if (!old) return;
  { const std::scoped_lock wait_for_a_running_handler(handler_mutex); }
  std::this_thread::sleep_for(10ms);
  old.reset();
}

Connection::Connection(ConnectionOptions options, std::vector<Subscription> subscriptions, Handlers handlers)
    : impl_(std::make_unique<Impl>()) {
  impl_->where = options.broker.text();
  impl_->options = std::move(options);
  impl_->subscriptions = std::move(subscriptions);
  impl_->handlers = std::move(handlers);
}

Connection::~Connection() {
  impl_->thread = {};  // stops and joins
  {
    const std::scoped_lock lock(impl_->handler_mutex);
    impl_->handlers_closed = true;
  }
  impl_->retire(std::move(impl_->client));
}

void Connection::announce(Outgoing greeting, Outgoing farewell) {
  impl_->greeting = std::move(greeting);
  impl_->farewell = std::move(farewell);
}

void Connection::start() {
  impl_->make_client();
  impl_->thread = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->run(std::move(stop)); });
}

State Connection::state() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->current;
}

bool Connection::wait_connected(Micros patience, std::stop_token stop) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, std::move(stop), patience,
                                 [this] { return impl_->current.up() && !impl_->lost; });
}

Status Connection::publish(Outgoing message, std::stop_token stop) {
  Impl& impl = *impl_;
  // Before the lock, so that it is let go of after it: the last to hold a client calls off what was under way there.
  std::shared_ptr<paho::async_client> client;
  std::unique_lock lock(impl.mutex);
  const auto stuck = [&] { return impl.lost || impl.failed || !impl.current.up(); };
  const auto ready = [&] { return stuck() || impl.in_flight < impl.options.max_in_flight; };
  const Status waited = impl.wait_for_answers(lock, ready, kAckPatience, stop);
  if (!waited || stuck()) {
    const Error error = !waited       ? waited.error()
                        : impl.failed ? *impl.failed
                        : impl.lost   ? Error{Errc::unavailable, impl.why_lost}
                                      : Error{Errc::unavailable, "not connected: " + impl.current.text};
    impl.begin_round();
    return fail(error);
  }
  ++impl.in_flight;
  const std::uint32_t round = impl.round;
  client = impl.client;
  lock.unlock();
  try {
    client->publish(
        paho::make_message(std::move(message.topic), std::move(message.payload), message.qos, message.retain),
        context_of(round), impl);
  } catch (const paho::exception& error) {
    lock.lock();
    impl.begin_round();
    return fail(Errc::unavailable, "{}: {}", impl.where, plain(error, impl.options));
  }
  return {};
}

Status Connection::flush(Micros patience, std::stop_token stop) {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  const auto done = [&] { return impl.failed || impl.lost || impl.in_flight == 0; };
  Status result = impl.wait_for_answers(lock, done, patience, stop);
  if (result && impl.failed) result = fail(*impl.failed);
  if (result && impl.in_flight > 0) result = fail(Errc::unavailable, "{}", impl.why_lost);
  impl.begin_round();
  return result;
}

}  // namespace tidegate::mqtt
