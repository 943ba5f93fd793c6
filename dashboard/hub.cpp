#include "dashboard/hub.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

#include "dashboard/json.h"

namespace tidegate::dashboard {
namespace {

using std::chrono::steady_clock;
constexpr std::size_t kMaxQueued = 256;  ///< frames a viewer
constexpr int kSendBuffer = 64 * 1024;   ///< bytes the kernel holds for a viewer that does not read
constexpr std::chrono::seconds kStateEvery{1};
/// After `stalled`, the kernel gives a viewer up too: one whose link is dead has room in its buffer, so we never wait.
constexpr std::chrono::milliseconds kGone{5'000};

}  // namespace

Hub::Hub(const Options& options, const journal::Journal& journal, const Gate& gate, Gateway& gateway,
         const Clock& clock, Metrics& metrics)
    : options_(options),
      journal_(journal),
      gate_(gate),
      clock_(clock),
      viewers_now_(metrics.gauge("stream/viewers", "", "Viewers of the live stream now.")),
      joined_(metrics.counter("stream/joined", "", "Streams begun.")),
      evicted_(metrics.counter("stream/evicted", "", "Viewers let go because they took nothing for too long.")),
      turned_away_(metrics.counter("stream/turned_away", "", "Viewers turned away because there were too many.")),
      board_(options, journal, gateway, clock),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      random_(std::random_device()()) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wakeup_.fd();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wakeup_.fd(), &event);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  follower_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
}

Hub::~Hub() {
  follower_.request_stop();
  thread_.request_stop();
  wakeup_.signal();
}

void Hub::join(Channel channel, std::string address, StreamRequest request) {
  {
    const std::lock_guard lock(joining_mutex_);
    joining_.push_back({std::move(channel), std::move(address), std::move(request)});
  }
  wakeup_.signal();
}

void Hub::follow(const std::stop_token& stop) {
  Seq seen{};
  while (!stop.stop_requested()) {
    if (!journal_.wait(seen, std::chrono::seconds(1), stop)) continue;
    seen = journal_.last();
    wakeup_.signal();
  }
}

void Hub::run(const std::stop_token& stop) {
  board_.load();
  next_tick_ = steady_clock::now() + options_.stream.tick;
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tick_ - steady_clock::now());
    turn(std::max(left, std::chrono::milliseconds(0)));
    read_journal();
    admit();
    if (steady_clock::now() >= next_tick_) tick();
  }
  farewell();
}

void Hub::turn(std::chrono::milliseconds timeout) {
  std::array<epoll_event, 128> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events.at(static_cast<std::size_t>(i));
    if (event.data.fd == wakeup_.fd()) {
      wakeup_.clear();
    } else {
      on_event(event.data.fd, event.events);
    }
  }
}

void Hub::on_event(int fd, std::uint32_t events) {
  const auto found = viewers_.find(fd);
  if (found == viewers_.end()) return;
  if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) return drop(fd);
  Viewer& viewer = found->second;
  if ((events & EPOLLIN) != 0) {  // a viewer has nothing to say
    Channel::Buffer ignored;
    if (!viewer.channel.read(ignored)) return drop(fd);
  }
  if (viewer.waits_for_room && !flush(viewer)) drop(fd);
}

void Hub::admit() {
  std::vector<Joining> joining;
  {
    const std::lock_guard lock(joining_mutex_);
    joining.swap(joining_);
  }
  if (joining.empty()) return;
  refresh_state(steady_clock::now());
  const Board::Tick seen = board_.close_tick();
  std::erase_if(selections_, [](const auto& selection) { return selection.second.expired(); });
  Encoded snapshots;
  for (auto& one : joining) welcome(std::move(one), seen, snapshots);
}

std::shared_ptr<Selection> Hub::selection_of(std::vector<Pattern> patterns) {
  std::weak_ptr<Selection>& known = selections_[key_of(patterns)];
  std::shared_ptr<Selection> selection = known.lock();
  if (!selection) known = selection = std::make_shared<Selection>(std::move(patterns));
  return selection;
}

bool Hub::full(const std::string& address) const {
  const auto of_address = std::count_if(viewers_.begin(), viewers_.end(),
                                        [&](const auto& entry) { return entry.second.address == address; });
  return viewers_.size() >= options_.max_streams ||
         static_cast<std::size_t>(of_address) >= options_.max_streams_per_address;
}

void Hub::welcome(Joining joining, Board::Tick seen, Encoded& snapshots) {
  const int fd = joining.channel.fd();
  if (!gate_.identity(joining.request.pass)) return;  // taken from it on the way here
  if (full(joining.address)) {
    turned_away_.add();
    std::string busy = fmt::format("{}retry: {}\n\n", head(), retry_ms(25'000, 35'000));
    append_event(busy, "busy", fmt::format("{{\"max_streams\":{}}}", options_.max_streams));
    joining.channel.write(busy);
    joining.channel.finish();
    return;
  }
  const auto gone_after = static_cast<unsigned>((options_.stream.stalled + kGone).count());
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_after, sizeof gone_after);
  const Instant now = steady_clock::now();
  Viewer& viewer = viewers_[fd];
  viewer.channel = std::move(joining.channel);
  viewer.address = std::move(joining.address);
  viewer.pass = std::move(joining.request.pass);
  viewer.selection = selection_of(std::move(joining.request.series));
  viewer.seen = seen;
  viewer.progress = now;
  viewer.next_ping = now + options_.stream.ping;
  viewer.until = now + std::chrono::duration_cast<Instant::duration>(options_.stream.rotate *
                                                                     std::uniform_real_distribution(0.9, 1.1)(random_));
  viewer.queue.push_back(frame(fmt::format("{}retry: {}\n\n{}", head(), retry_ms(2'000, 6'000), board_.hello())));
  Frame& snapshot = snapshots[{viewer.selection, seen}];
  if (!snapshot) snapshot = frame(board_.snapshot(*viewer.selection));
  viewer.queue.push_back(snapshot);
  if (auto replay = board_.replay(joining.request.last_event_id); !replay.empty()) {
    viewer.queue.push_back(frame(std::move(replay)));
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  joined_.add();
  viewers_now_.set(static_cast<double>(viewers_.size()));
  if (!flush(viewer)) drop(fd);
}

std::string Hub::head() const {
  std::string out =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
      "Connection: close\r\n";
  for (const auto& [key, value] : security_headers()) out += fmt::format("{}: {}\r\n", key, value);
  return out + "\r\n";
}

int Hub::retry_ms(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }

void Hub::read_journal() {
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    const auto batches = journal_.read(board_.position());
    if (!batches || batches->empty()) return;
    for (const auto& batch : *batches) {
      if (auto durable = board_.apply(*batch); !durable.empty()) broadcast(frame(std::move(durable)));
    }
  }
  wakeup_.signal();  // there may be more; viewers first
}

void Hub::broadcast(const Frame& frame) {
  std::vector<int> gone;
  for (auto& [fd, viewer] : viewers_) {
    viewer.queue.push_back(frame);
    if (viewer.queue.size() > kMaxQueued) {
      evicted_.add();
      gone.push_back(fd);
    } else if (!flush(viewer)) {
      gone.push_back(fd);
    }
  }
  for (const int fd : gone) drop(fd);
}

void Hub::refresh_state(Instant now) {
  if (now - state_at_ < kStateEvery) return;
  state_at_ = now;
  board_.refresh_state();
}

void Hub::tick() {
  const Instant now = steady_clock::now();
  next_tick_ = std::max(next_tick_ + options_.stream.tick, now);
  check_passes(now);
  // A stream that lasts for months would never meet another server, a new certificate or a proxy's end in good order.
  let_go([now](const Viewer& viewer) { return now >= viewer.until && viewer.queue.empty(); }, "rotate");
  if (viewers_.empty()) return;
  refresh_state(now);
  const Board::Tick closed = board_.close_tick();
  Encoded encoded;
  std::string ping;
  append_event(ping, "ping", fmt::format("{{\"time\":{}}}", micros(clock_.now())));
  const Frame ping_frame = frame(std::move(ping));
  std::vector<int> gone;
  for (auto& [fd, viewer] : viewers_) {
    if (!viewer.queue.empty()) {
      if (now - viewer.progress < options_.stream.stalled) continue;
      evicted_.add();
      gone.push_back(fd);
      continue;
    }
    update(viewer, closed, encoded);
    if (now >= viewer.next_ping) {
      viewer.next_ping = now + options_.stream.ping;
      viewer.queue.push_back(ping_frame);
    }
    if (!flush(viewer)) gone.push_back(fd);
  }
  for (const int fd : gone) drop(fd);
}

/// Whoever may no longer look: at once where something was taken from somebody.
void Hub::check_passes(Instant now) {
  const std::uint64_t revision = gate_.revision();
  if (revision == revision_ && now - passes_at_ < options_.stream.passes) return;
  revision_ = revision;
  passes_at_ = now;
  let_go([this](const Viewer& viewer) { return !gate_.identity(viewer.pass); }, "logged-out");
}

template <class Which>
void Hub::let_go(const Which& which, std::string_view why) {
  std::vector<int> gone;
  for (const auto& [fd, viewer] : viewers_) {
    if (which(viewer)) gone.push_back(fd);
  }
  if (gone.empty()) return;
  std::string bye;
  append_event(bye, "bye", fmt::format("{{\"why\":\"{}\"}}", why));
  const Frame farewell = frame(std::move(bye));
  for (const int fd : gone) {
    Viewer& viewer = viewers_.at(fd);
    viewer.queue.push_back(farewell);
    static_cast<void>(flush(viewer));  // what does not go now never will
    drop(fd);
  }
}

// Nearly all viewers saw the last tick, so nearly all that want the same share one encoding.
void Hub::update(Viewer& viewer, Board::Tick closed, Encoded& encoded) {
  Frame& changes = encoded[{viewer.selection, viewer.seen}];
  if (!changes) changes = frame(board_.changes_since(viewer.seen, *viewer.selection));
  if (!changes->empty()) viewer.queue.push_back(changes);
  viewer.seen = closed;
}

bool Hub::flush(Viewer& viewer) {
  while (!viewer.queue.empty()) {
    const auto sent = write_some(viewer);
    if (!sent) return false;
    if (*sent == 0) {
      want_room(viewer, true);
      return true;
    }
  }
  want_room(viewer, false);
  return true;
}

std::optional<std::size_t> Hub::write_some(Viewer& viewer) {
  std::array<iovec, 16> parts{};
  std::size_t count = 0;
  for (const Frame& frame : viewer.queue) {
    if (count == parts.size()) break;
    const std::size_t skip = count == 0 ? viewer.offset : 0;
    parts.at(count++) = {const_cast<char*>(frame->data()) + skip, frame->size() - skip};
  }
  const auto sent = viewer.channel.write(std::span(parts).first(count));
  if (!sent || *sent == 0) return sent;
  viewer.offset += *sent;
  while (!viewer.queue.empty() && viewer.offset >= viewer.queue.front()->size()) {
    viewer.offset -= viewer.queue.front()->size();
    viewer.queue.pop_front();
  }
  viewer.progress = steady_clock::now();
  return sent;
}

void Hub::want_room(Viewer& viewer, bool wanted) {
  if (viewer.waits_for_room == wanted) return;
  viewer.waits_for_room = wanted;
  if (wanted) viewer.progress = steady_clock::now();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  if (wanted) event.events |= viewer.channel.waits_for();
  event.data.fd = viewer.channel.fd();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, viewer.channel.fd(), &event);
}

void Hub::drop(int fd) {
  const auto gone = viewers_.extract(fd);
  if (!gone.empty()) gone.mapped().channel.finish();
  viewers_now_.set(static_cast<double>(viewers_.size()));
}

void Hub::farewell() {
  constexpr std::chrono::seconds kPatience{1};
  std::string bye;
  append_event(bye, "bye", R"({"why":"shutdown"})");
  broadcast(frame(std::move(bye)));
  const Instant end = steady_clock::now() + kPatience;
  const auto waiting = [&] {
    return std::any_of(viewers_.begin(), viewers_.end(), [](const auto& entry) { return !entry.second.queue.empty(); });
  };
  while (waiting() && steady_clock::now() < end) turn(std::chrono::milliseconds(50));
  for (auto& [fd, viewer] : viewers_) viewer.channel.finish();
  viewers_.clear();
  viewers_now_.set(0);
}

}  // namespace tidegate::dashboard
