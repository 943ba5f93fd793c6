#include "dashboard/front.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "dashboard/api.h"
#include "dashboard/hub.h"
#include "dashboard/to_https.h"

namespace tidegate::dashboard {
namespace {

constexpr std::uint64_t kDoors = 0, kWakeup = 1;
constexpr std::chrono::milliseconds kForever = std::chrono::hours(24);

}  // namespace

Front::Front(Doors doors, Web& web, Hub& hub, Backups& backups, Metrics& metrics, const Limits& limits)
    : doors_(std::move(doors)),
      web_(web),
      hub_(hub),
      backups_(backups),
      limits_(limits),
      requests_(metrics.counter("http/requests", "", "HTTP requests answered.")),
      refused_(metrics.counter("http/refused", "",
                               "HTTP requests refused before they were parsed: too large, too slow, "
                               "malformed, or too many.")),
      waiting_(metrics.gauge("http/waiting_bytes", "bytes", "Answers that their readers have yet to take.")),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      workers_(limits.workers, limits.waiting_jobs) {
  epoll_event event{};
  event.data.u64 = kDoors;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, doors_.fd(), &event);
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
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, doors_.fd(), nullptr);
  doors_.close();
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
    } else if (event.data.u64 == kDoors) {
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
    if (connections_.size() >= limits_.connections) {
      if (!doors_.somebody_waits()) return;  // nobody gives way to nobody
      if (!give_way(nullptr)) return pause();
    }
    auto visitor = doors_.accept();
    if (!visitor) {
      if (errno == EMFILE || errno == ENFILE) pause();
      return;
    }
    welcome(std::move(*visitor));
  }
}

void Front::welcome(Doors::Visitor visitor) {
  if (!room_for(visitor.peer.address)) {
    refused_.add();
    return;
  }
  const std::uint64_t id = next_id_++;
  Connection& connection = connections_[id];
  connection.id = id;
  connection.channel = std::move(visitor.channel);
  connection.peer = std::move(visitor.peer);
  epoll_event event{};
  event.data.u64 = id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.channel.fd(), &event);
  enter(connection, Stage::reading, limits_.head, EPOLLIN);
}

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
  event.data.u64 = kDoors;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, doors_.fd(), &event);
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
  Channel::Buffer buffer;
  const auto got = connection.channel.read(buffer);
  if (!got) return close(connection.id);
  if (*got == 0) return watch(connection, connection.channel.waits_for());
  if (connection.in.empty() && connection.served > 0) enter(connection, Stage::reading, limits_.head, EPOLLIN);
  connection.in.append(buffer.data(), *got);
  advance(connection);
}

// Whoever is told "no" while still sending would see a reset instead of the answer, were the socket closed at once.
void Front::drain(Connection& connection) {
  Channel::Buffer buffer;
  const auto got = connection.channel.read(buffer);
  if (!got) return close(connection.id);
  if (*got == 0) watch(connection, connection.channel.waits_for());
}

void Front::advance(Connection& connection) {
  if (!connection.frame) {
    RequestFrame frame = frame_request(connection.in, connection.searched, limits_.request);
    if (frame.state == RequestFrame::State::incomplete) return;
    if (frame.state == RequestFrame::State::refused) {
      return refuse(connection, frame.status, frame.why);
    }
    if (connection.channel.strayed()) {
      return answer(connection, to_https(frame.head, web_.hosts(), connection.channel.local_port()), true);
    }
    connection.large = frame.chunked || frame.body_bytes > limits_.request.body;
    if (connection.large && !room_for_large(connection)) {
      return refuse(connection, 503, "too many large bodies at once; try again in a second");
    }
    connection.frame = std::move(frame);
    if (!await_body(connection)) return;
  }
  if (connection.frame->chunked && !join(connection)) return;
  if (connection.in.size() >= connection.frame->head_bytes + connection.frame->body_bytes) dispatch(connection);
}

void Front::refuse(Connection& connection, int status, std::string_view why) {
  refused_.add();
  answer(connection, Web::refusal(status, why), true);
}

bool Front::room_for_large(const Connection& connection) const {
  std::size_t all = 0, of_address = 0;
  for (const auto& [id, other] : connections_) {
    if (!other.large || &other == &connection) continue;
    ++all;
    if (other.peer.address == connection.peer.address) ++of_address;
  }
  return all < limits_.large_bodies && of_address < (limits_.large_bodies + 1) / 2;
}

/// True once the whole body is there.
bool Front::join(Connection& connection) {
  const auto state = join_chunks(connection.in, *connection.frame, limits_.request);
  if (state == RequestFrame::State::refused) refuse(connection, connection.frame->status, connection.frame->why);
  return state == RequestFrame::State::complete;
}

bool Front::await_body(Connection& connection) {
  const RequestFrame& frame = *connection.frame;
  if (!frame.chunked && connection.in.size() >= frame.head_bytes + frame.body_bytes) return true;
  enter(connection, Stage::reading, limits_.body, EPOLLIN);
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!frame.expects_continue || connection.channel.write(kContinue) == kContinue.size()) return true;
  close(connection.id);  // it would have fitted an empty buffer
  return false;
}

void Front::dispatch(Connection& connection) {
  const RequestFrame frame = std::move(*connection.frame);
  std::string request = frame.head;
  request.append(connection.in, frame.head_bytes, frame.body_bytes);
  connection.in.erase(0, frame.head_bytes + frame.body_bytes);
  connection.frame.reset();
  connection.searched = 0;
  connection.peer.secure = connection.channel.secure();
  enter(connection, Stage::working, kForever, 0);
  const bool last = stopping_ || ++connection.served >= limits_.requests_per_connection;
  const auto lane = lane_of(target_path(frame.head));
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
  connection.large = false;
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

// Not all of a large answer at once, however fast its reader: to encrypt it takes a small box as long as many others.
void Front::write(Connection& connection) {
  constexpr std::size_t kAtOnce = 256u << 10;
  const std::size_t end = std::min(connection.out.size(), connection.sent + kAtOnce);
  while (connection.sent < end) {
    const auto sent = connection.channel.write(std::string_view(connection.out).substr(connection.sent));
    if (!sent) return close(connection.id);
    if (*sent == 0) return watch(connection, connection.channel.waits_for());
    connection.sent += *sent;
    connection.deadline = std::min(std::chrono::steady_clock::now() + limits_.write, connection.since + limits_.take);
  }
  if (connection.sent < connection.out.size()) return watch(connection, EPOLLOUT);
  sent_all(connection);
}

void Front::sent_all(Connection& connection) {
  hold(connection, {});
  if (connection.close_after || stopping_) {
    connection.channel.finish();
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
    if (made.stream || made.backup) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.channel.fd(), nullptr);
      if (made.stream) {
        hub_.join(std::move(connection.channel), connection.peer.address, std::move(*made.stream));
      } else {
        backups_.send(std::move(connection.channel), std::move(made.backup));
      }
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
  watch(connection, interest);
}

void Front::watch(Connection& connection, std::uint32_t events) {
  if (connection.interest == events) return;
  connection.interest = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = connection.id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.channel.fd(), &event);
}

void Front::close(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  hold(found->second, {});
  connections_.erase(found);
}

}  // namespace tidegate::dashboard
