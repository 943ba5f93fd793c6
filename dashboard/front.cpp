#include "dashboard/front.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "dashboard/api.h"
#include "dashboard/hub.h"

namespace tidegate::dashboard {
namespace {

constexpr std::uint64_t kListener = 0, kWakeup = 1;
constexpr std::chrono::milliseconds kForever = std::chrono::hours(24);

template <class T>
void set_option(int socket, int level, int option, T value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

Peer peer_of(const sockaddr_storage& address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), port.data(),
                    port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {"unknown", 0};
  }
  std::string text = host.data();
  constexpr std::string_view kMapped = "::ffff:";
  if (text.starts_with(kMapped)) text.erase(0, kMapped.size());
  return {std::move(text), std::atoi(port.data())};
}

tl::unexpected<Error> bind_failed(const std::string& address, int port, int error) {
  if (error == EADDRINUSE) {
    return fail(Errc::conflict,
                "http: {}:{} is in use by another program; stop that one, or choose another port with "
                "http.listen or --listen",
                address, port);
  }
  if (error == EACCES) {
    return fail(Errc::io, "http: {}:{} may not be bound by this user; choose a port above 1023", address, port);
  }
  return fail(Errc::io, "http: cannot listen on {}:{}: {}", address, port, std::strerror(error));
}

}  // namespace

Result<Fd> listen_on(const std::string& address, int port) {
  constexpr int kBacklog = 4096;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return fail(Errc::invalid, "http: '{}' is no address to listen on: {}", address, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  Fd socket(::socket(list->ai_family, list->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, list->ai_protocol));
  if (!socket) return bind_failed(address, port, errno);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (list->ai_family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return bind_failed(address, port, errno);
  }
  return socket;
}

int bound_port(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return std::max(0, peer_of(address, length).port);
}

Front::Front(Fd listener, Web& web, Hub& hub, Metrics& metrics, const Limits& limits)
    : listener_(std::move(listener)),
      web_(web),
      hub_(hub),
      limits_(limits),
      requests_(metrics.counter("http/requests", "", "HTTP requests answered.")),
      refused_(metrics.counter("http/refused", "",
                               "HTTP requests refused before they were parsed: too large, too slow, "
                               "malformed, or too many.")),
      waiting_(metrics.gauge("http/waiting_bytes", "bytes", "Answers that their readers have yet to take.")),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      workers_(limits.workers, limits.waiting_jobs) {
  epoll_event event{};
  event.data.u64 = kListener;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
  event.events = EPOLLIN;
  event.data.u64 = kWakeup;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.fd(), &event);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Front::~Front() {
  thread_.request_stop();
  wakeup_.signal();
}

void Front::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    listen();
    turn();
  }
  stopping_ = true;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  listener_.reset();
  const Instant end = std::chrono::steady_clock::now() + limits_.linger;
  while (busy() && std::chrono::steady_clock::now() < end) turn();
}

bool Front::busy() const {
  return std::any_of(connections_.begin(), connections_.end(), [](const auto& entry) {
    return entry.second.stage == Stage::working || entry.second.stage == Stage::writing;
  });
}

void Front::turn() {
  constexpr int kSweepEvery = 200;
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kSweepEvery);
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    if (event.data.u64 == kWakeup) {
      wakeup_.clear();
    } else if (event.data.u64 == kListener) {
      accept_all();
    } else {
      on_event(event.data.u64, event.events);
    }
  }
  finish_jobs();
  sweep();
}

void Front::accept_all() {
  constexpr int kAtOnce = 64;
  for (int i = 0; i < kAtOnce; ++i) {
    if (!room_for_one()) return pause();
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE) pause();
      return;
    }
    welcome(std::move(socket), peer_of(address, length));
  }
}

void Front::welcome(Fd socket, Peer peer) {
  constexpr unsigned kUnacknowledged = 10'000;  // ms: a peer that is gone, not slow
  if (!room_for(peer.address)) {
    refused_.add();
    return;
  }
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged);
  const std::uint64_t id = next_id_++;
  Connection& connection = connections_[id];
  connection.id = id;
  connection.socket = std::move(socket);
  connection.peer = std::move(peer);
  epoll_event event{};
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &event);
  enter(connection, Stage::reading, limits_.head, EPOLLIN);
}

bool Front::room_for_one() { return connections_.size() < limits_.connections || give_way(nullptr); }

bool Front::room_for(const std::string& address) {
  const auto of_address = std::count_if(connections_.begin(), connections_.end(),
                                        [&](const auto& entry) { return entry.second.peer.address == address; });
  return static_cast<std::size_t>(of_address) < limits_.connections_per_address || give_way(&address);
}

/// Closes the connection that has waited the longest for its peer (of one address, where given). A young one stays: its
/// request may be on its way.
bool Front::give_way(const std::string* address) {
  const Connection* oldest = nullptr;
  for (const auto& [id, connection] : connections_) {
    const bool waits = connection.stage == Stage::reading || connection.stage == Stage::draining;
    if (!waits || (address != nullptr && connection.peer.address != *address)) continue;
    if (oldest == nullptr || connection.since < oldest->since) oldest = &connection;
  }
  if (oldest == nullptr || std::chrono::steady_clock::now() - oldest->since < limits_.patience) return false;
  close(oldest->id);
  return true;
}

void Front::listen() {
  if (!listening_ && std::chrono::steady_clock::now() >= listen_again_) want_peers(true);
}

void Front::pause() {
  constexpr std::chrono::milliseconds kPause{100};
  listen_again_ = std::chrono::steady_clock::now() + kPause;
  want_peers(false);
}

void Front::want_peers(bool wanted) {
  listening_ = wanted;
  epoll_event event{};
  if (wanted) event.events = EPOLLIN;
  event.data.u64 = kListener;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
}

void Front::on_event(std::uint64_t id, std::uint32_t events) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close(id);
  if (connection.stage == Stage::reading) return read(connection);
  if (connection.stage == Stage::draining) return drain(connection);
  if (connection.stage == Stage::writing) return write(connection);
}

void Front::read(Connection& connection) {
  std::array<char, 16'384> buffer;
  const auto got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close(connection.id);
  if (connection.in.empty() && connection.served > 0) enter(connection, Stage::reading, limits_.head, EPOLLIN);
  connection.in.append(buffer.data(), static_cast<std::size_t>(got));
  advance(connection);
}

// Whoever is told "no" while still sending would see a reset instead of the answer, were the socket closed at once.
void Front::drain(Connection& connection) {
  std::array<char, 16'384> buffer;
  const auto got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) close(connection.id);
}

void Front::advance(Connection& connection) {
  if (!connection.frame) {
    RequestFrame frame = frame_request(connection.in, connection.searched, limits_.request);
    if (frame.state == RequestFrame::State::incomplete) return;
    if (frame.state == RequestFrame::State::refused) {
      refused_.add();
      return answer(connection, Web::refusal(frame.status, frame.why), true);
    }
    connection.frame = std::move(frame);
    await_body(connection);
  }
  if (connection.in.size() >= connection.frame->head_bytes + connection.frame->body_bytes) dispatch(connection);
}

void Front::await_body(Connection& connection) {
  const RequestFrame& frame = *connection.frame;
  if (connection.in.size() >= frame.head_bytes + frame.body_bytes) return;
  enter(connection, Stage::reading, limits_.body, EPOLLIN);
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (frame.expects_continue) {
    [[maybe_unused]] const auto sent =
        ::send(connection.socket.get(), kContinue.data(), kContinue.size(), MSG_NOSIGNAL);  // fits an empty buffer
  }
}

void Front::dispatch(Connection& connection) {
  const RequestFrame frame = std::move(*connection.frame);
  std::string request = frame.head;
  request.append(connection.in, frame.head_bytes, frame.body_bytes);
  connection.in.erase(0, frame.head_bytes + frame.body_bytes);
  connection.frame.reset();
  connection.searched = 0;
  enter(connection, Stage::working, kForever, 0);
  const bool last = stopping_ || ++connection.served >= limits_.requests_per_connection;
  const auto lane = Api::lane(target_path(frame.head));
  const bool taken =
      workers_.submit(lane, [this, id = connection.id, request = std::move(request), peer = connection.peer, last] {
        Answer made = web_.answer(request, peer, last);
        {
          const std::lock_guard lock(done_mutex_);
          done_.push_back({id, std::move(made)});
        }
        wakeup_.signal();
      });
  if (taken) return;
  refused_.add();
  answer(connection, Web::refusal(503, "too many requests at once; try again in a second"), true);
}

// The bound is one for all: how many answers wait is up to peers, and how large they are to what is asked. A single one
// is let through whatever its size, for it would be refused for ever.
void Front::answer(Connection& connection, std::string bytes, bool close_after) {
  if (waiting_bytes_ > 0 && waiting_bytes_ + bytes.size() > limits_.waiting_bytes) {
    refused_.add();
    bytes = Web::refusal(503, "too many answers wait for slow readers; try again in a few seconds");
    close_after = true;
  }
  hold(connection, std::move(bytes));
  connection.sent = 0;
  connection.close_after = close_after;
  enter(connection, Stage::writing, limits_.write, EPOLLOUT);
  write(connection);
}

void Front::hold(Connection& connection, std::string bytes) {
  waiting_bytes_ += bytes.size() - connection.out.size();
  waiting_.set(static_cast<double>(waiting_bytes_));
  connection.out.swap(bytes);  // an assignment may keep the old one's memory
}

void Front::write(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const auto sent = ::send(connection.socket.get(), connection.out.data() + connection.sent,
                             connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) return close(connection.id);
    connection.sent += static_cast<std::size_t>(sent);
    connection.deadline = std::min(std::chrono::steady_clock::now() + limits_.write, connection.since + limits_.take);
  }
  sent_all(connection);
}

void Front::sent_all(Connection& connection) {
  hold(connection, {});
  if (connection.close_after || stopping_) {
    ::shutdown(connection.socket.get(), SHUT_WR);
    return enter(connection, Stage::draining, limits_.linger, EPOLLIN);
  }
  enter(connection, Stage::reading, connection.in.empty() ? limits_.idle : limits_.head, EPOLLIN);
  if (!connection.in.empty()) advance(connection);
}

void Front::finish_jobs() {
  std::vector<Done> done;
  {
    const std::lock_guard lock(done_mutex_);
    done.swap(done_);
  }
  for (auto& [id, made] : done) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    requests_.add();
    Connection& connection = found->second;
    if (made.stream) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
      hub_.join(std::move(connection.socket), connection.peer.address, std::move(*made.stream));
      connections_.erase(found);
    } else {
      answer(connection, std::move(made.bytes), made.close);
    }
  }
}

void Front::sweep() {
  const Instant now = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> late;
  for (const auto& [id, connection] : connections_) {
    if (connection.deadline < now) late.push_back(id);
  }
  for (const std::uint64_t id : late) {
    Connection& connection = connections_.at(id);
    const bool unfinished = connection.stage == Stage::reading && !connection.in.empty();
    if (!unfinished) {
      close(id);
      continue;
    }
    refused_.add();
    answer(connection, Web::refusal(408, "the request took too long to arrive"), true);
  }
}

void Front::enter(Connection& connection, Stage stage, std::chrono::milliseconds deadline, std::uint32_t interest) {
  connection.stage = stage;
  connection.since = std::chrono::steady_clock::now();
  connection.deadline = connection.since + deadline;
  epoll_event event{};
  event.events = interest;
  event.data.u64 = connection.id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Front::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  hold(found->second, {});
  connections_.erase(found);
}

}  // namespace tidegate::dashboard
