#include "gateway/mqtt/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "gateway/config/certificates.h"
#include "gateway/core/backoff.h"
#include "gateway/core/time_text.h"
#include "gateway/mqtt/kept.h"
#include "gateway/mqtt/probe.h"

namespace tidegate::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr auto kGreetingPatience = 10s;
constexpr auto kFarewellPatience = 1s;  // a broker that does not answer must not hold up a stop or a reload
constexpr auto kAckPatience = 30s;
constexpr auto kReasonPatience = 1s;
constexpr auto kPeerPatience = 3s;
constexpr int kLooksForPeer = 24;      // of those at the files
constexpr auto kLookAgain = 2s;        // should Paho have told nobody that the connection broke
constexpr auto kHeldLongEnough = 10s;  // a connection that breaks sooner does not reset the backoff

}  // namespace

struct Connection::Impl {
  ConnectionOptions options;
  Handlers handlers;
  std::optional<Outgoing> greeting, farewell;
  std::vector<Subscription> kept;  ///< to be read first; empty once that is done
  std::string where;

  mutable std::mutex mutex;
  mutable std::condition_variable_any changed;
  std::vector<Subscription> subscriptions;
  std::size_t subscribed = 0;  ///< of these, on this connection
  std::string refused;         ///< the broker did not take these
  State current;
  std::optional<Error> lost;  ///< set while a connection that broke is not made anew
  std::uint32_t round = 0;    ///< publishes since one flush(); a late answer of an older round says nothing
  std::size_t in_flight = 0;
  Limits limits;
  std::uint64_t answers = 0;
  std::optional<Error> failed;

  // Of the connection's thread, while it is connected.
  std::string joined_as;                      ///< the text without the notice
  std::string notice;                         ///< of a certificate that ends
  std::optional<Timestamp> certificate_ends;  ///< the broker's
  int looks = 0;                              ///< until the broker's certificate is looked at again

  // These two go first: what they do and are told ends up above.
  std::shared_ptr<Client> client;  ///< replaced by the connection's thread only, under `mutex`
  std::jthread thread;

  // The connection's thread.
  void run(std::stop_token stop);
  Status join(std::stop_token stop);
  Status read_kept_first(const std::stop_token& stop);
  Status subscribe_from(std::size_t first, std::stop_token stop);
  std::string wait_until_lost(std::stop_token stop);
  void look_at_certificates(const std::stop_token& stop);
  std::string notice_now() const;
  void make_client();
  void set(State state);
  void set_joined();

  // Paho's threads.
  void note_lost(Error why);
  void settle(std::uint32_t of_round, std::optional<Error> error);

  // The publishing thread.
  Error give_up(Micros patience);
  template <class Condition>
  Status wait_for_answers(std::unique_lock<std::mutex>& lock, const Condition& condition, Micros patience,
                          const std::stop_token& stop);
  void begin_round();
};

void Connection::Impl::set(State state) {
  {
    const std::scoped_lock lock(mutex);
    current = state;
    changed.notify_all();
  }
  if (handlers.state) handlers.state(state);
}

void Connection::Impl::set_joined() {
  State joined{refused.empty() ? State::Phase::connected : State::Phase::limited, joined_as};
  joined.notice = notice;
  joined.certificate_ends = certificate_ends;
  if (!notice.empty()) joined.text += "; " + notice;
  set(std::move(joined));
}

/// Connects, says hello, subscribes: anew on every connect, because neither a broker that lost its sessions nor Paho
/// remembers.
Status Connection::Impl::join(std::stop_token stop) {
  set({State::Phase::connecting, fmt::format("connecting to {}", where)});
  {
    const std::scoped_lock lock(mutex);
    lost.reset();
  }
  if (const Status read = read_kept_first(stop); !read) return read;
  const auto taken = client->connect(stop);
  if (!taken) return fail(taken.error());
  kept.clear();
  {
    const std::scoped_lock lock(mutex);
    limits = *taken;
  }
  if (greeting) {
    if (const Status greeted = client->send_and_wait(*greeting, kGreetingPatience, stop); !greeted) return greeted;
  }
  refused.clear();
  return subscribe_from(0, stop);
}

/// A broker that does not let another client in, but us, is not held against it: what waited there is then read as far
/// as it can be.
Status Connection::Impl::read_kept_first(const std::stop_token& stop) {
  if (kept.empty()) return {};
  const Status read = read_kept(options, kept, handlers.message, stop);
  return read || read.error().code == Errc::invalid ? Status{} : read;
}

/// To all from that one on.
Status Connection::Impl::subscribe_from(std::size_t first, std::stop_token stop) {
  std::vector<Subscription> wanted;
  {
    const std::scoped_lock lock(mutex);
    wanted.assign(subscriptions.begin() + static_cast<std::ptrdiff_t>(first), subscriptions.end());
    subscribed = subscriptions.size();
  }
  const auto not_taken = client->subscribe(wanted, std::move(stop));
  if (!not_taken) return fail(not_taken.error());
  if (!not_taken->empty()) refused += (refused.empty() ? "" : ", ") + *not_taken;
  if (first > 0 && not_taken->empty()) return {};
  joined_as = refused.empty() ? fmt::format("connected to {}", where)
                              : fmt::format("connected to {}, but it refused to subscribe us to {}", where, refused);
  notice = notice_now();
  set_joined();
  return {};
}

/// The next connection would fail by it, at a time that nobody has chosen.
std::string Connection::Impl::notice_now() const {
  if (!options.broker.secure()) return {};
  const auto now = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  return config::ends_soon(options.tls, {"broker", certificate_ends}, now);
}

/// Of a broker that cannot be asked now, what was found out before holds until the next look.
void Connection::Impl::look_at_certificates(const std::stop_token& stop) {
  if (!options.broker.secure()) return;
  auto ends = certificate_ends;
  if (--looks <= 0) {
    const auto found = mqtt::certificate_ends(options, kPeerPatience, stop);
    if (found) ends = found;
    looks = found ? kLooksForPeer : 0;
  }
  const auto before = std::exchange(certificate_ends, ends);
  const std::string told = std::exchange(notice, notice_now());
  if (before != certificate_ends || told != notice) set_joined();
}

std::string Connection::Impl::wait_until_lost(std::stop_token stop) {
  // It may be another broker, or another certificate; but one that comes and goes is not asked for it each time.
  const Micros first_look = certificate_ends ? std::min<Micros>(kHeldLongEnough, options.look_every) : Micros{0};
  auto look_at = std::chrono::steady_clock::now() + first_look;
  looks = 0;
  while (!stop.stop_requested()) {
    if (const auto now = std::chrono::steady_clock::now(); now >= look_at) {
      look_at = now + options.look_every;
      look_at_certificates(stop);
    }
    std::unique_lock lock(mutex);
    const auto due = [this] { return lost.has_value() || subscribed < subscriptions.size(); };
    changed.wait_for(lock, stop, std::min<Micros>(kLookAgain, options.look_every), due);
    if (lost) return lost->text;
    const std::size_t first = subscribed;
    const bool more = first < subscriptions.size();
    lock.unlock();  // Paho's own lock is not to be asked for under ours
    if (more) {
      if (const Status taken = subscribe_from(first, stop); !taken) return taken.error().text;
    }
    if (!client->connected()) note_lost({Errc::interrupted, fmt::format("the connection to {} is lost", where)});
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
    client->leave();
    // Paho keeps publishes that it had queued and sends them on the next connection, ahead of those that went before
    // them. A clean session has nothing to keep: a new client forgets them.
    if (options.session_expiry == Micros(0)) make_client();
    const Micros wait = backoff.next();
    set({State::Phase::waiting, fmt::format("{}; next try in {}", why, age_text(wait)), why});
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, wait, [] { return false; });
  }
  if (farewell && client->connected()) {
    if (!client->send_and_wait(*farewell, kFarewellPatience, {})) { /* the last will says the same */
    }
  }
  client->leave();
}

/// The old one goes outside `mutex`: what was under way in it comes back to settle().
void Connection::Impl::make_client() {
  auto made = std::make_shared<Client>(
      options, Client::Events{
                   handlers.message, [this](Error why) { note_lost(std::move(why)); },
                   [this](std::uint32_t of_round, std::optional<Error> error) { settle(of_round, std::move(error)); }});
  const std::scoped_lock lock(mutex);
  client.swap(made);
}

void Connection::Impl::note_lost(Error why) {
  const std::scoped_lock lock(mutex);
  if (lost) return;
  lost = std::move(why);
  if (in_flight > 0 && !failed) failed = lost;
  changed.notify_all();
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
  lost = error;
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

Connection::Connection(ConnectionOptions options, std::vector<Subscription> subscriptions, Handlers handlers)
    : impl_(std::make_unique<Impl>()) {
  impl_->where = options.broker.text();
  impl_->options = std::move(options);
  impl_->subscriptions = std::move(subscriptions);
  impl_->handlers = std::move(handlers);
}

Connection::~Connection() = default;

void Connection::announce(Outgoing greeting, Outgoing farewell) {
  impl_->greeting = std::move(greeting);
  impl_->farewell = std::move(farewell);
}

void Connection::read_first(std::vector<Subscription> kept) { impl_->kept = std::move(kept); }

void Connection::start() {
  impl_->make_client();
  impl_->thread = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->run(std::move(stop)); });
}

void Connection::subscribe(Subscription subscription) {
  const std::scoped_lock lock(impl_->mutex);
  auto& all = impl_->subscriptions;
  const auto same =
      std::find_if(all.begin(), all.end(), [&](const Subscription& s) { return s.filter == subscription.filter; });
  if (same != all.end()) {
    if (static_cast<std::size_t>(same - all.begin()) < impl_->subscribed) --impl_->subscribed;
    all.erase(same);
  }
  all.push_back(std::move(subscription));
  impl_->changed.notify_all();
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
  std::shared_ptr<Client> client;
  std::unique_lock lock(impl.mutex);
  const auto stuck = [&] { return impl.lost || impl.failed || !impl.current.up(); };
  const auto ready = [&] { return stuck() || impl.in_flight < impl.limits.in_flight; };
  const Status waited = impl.wait_for_answers(lock, ready, kAckPatience, stop);
  if (!waited || stuck()) {
    const Error error = !waited       ? waited.error()
                        : impl.failed ? *impl.failed
                        : impl.lost   ? Error{Errc::unavailable, impl.lost->text}
                                      : Error{Errc::unavailable, "not connected: " + impl.current.text};
    impl.begin_round();
    return fail(error);
  }
  if (packet_bytes(message) > impl.limits.packet_bytes) {
    impl.begin_round();
    return fail(Errc::invalid, "{} takes no message of more than {} bytes", impl.where, impl.limits.packet_bytes);
  }
  ++impl.in_flight;
  const std::uint32_t round = impl.round;
  client = impl.client;
  lock.unlock();
  const Status sent = client->publish(std::move(message), round);
  if (sent) return {};
  const bool gone = !client->connected();
  lock.lock();
  // Why it is gone, and with it what was under way, is told by Paho's own thread, maybe a moment later.
  if (gone) impl.changed.wait_for(lock, stop, kReasonPatience, [&] { return impl.failed.has_value(); });
  const Error error = impl.failed.value_or(sent.error());
  impl.begin_round();
  return fail(error);
}

Status Connection::flush(Micros patience, std::stop_token stop) {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  const auto done = [&] { return impl.failed || impl.lost || impl.in_flight == 0; };
  Status result = impl.wait_for_answers(lock, done, patience, stop);
  if (result && impl.failed) result = fail(*impl.failed);
  if (result && impl.in_flight > 0) result = fail(*impl.lost);
  impl.begin_round();
  return result;
}

}  // namespace tidegate::mqtt
