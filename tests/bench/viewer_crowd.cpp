#include "tests/bench/viewer_crowd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tidegate::bench {
namespace {

constexpr std::string_view kDelta = "event: delta\ndata: {\"time\":";
constexpr std::size_t kDigits = 17;  // microseconds since 1970, and what ends them

std::int64_t now_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Until the first bytes of the stream are there.
void read_begin(int fd) {
  std::string begin;
  std::array<char, 4096> bytes;
  while (begin.find("event: ") == begin.npos) {
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) <= 0) throw std::runtime_error("a viewer got no answer");
    const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) throw std::runtime_error("a viewer was turned away: " + begin);
    begin.append(bytes.data(), static_cast<std::size_t>(got));
  }
  if (!begin.starts_with("HTTP/1.1 200 ") || begin.find("event: busy") != begin.npos) {
    throw std::runtime_error("a viewer was turned away: " + begin);
  }
}

}  // namespace

ViewerCrowd::ViewerCrowd(int port, const std::string& headers, std::size_t viewers, std::size_t stalled)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(1u << 20) {
  const std::string request =
      "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n" + headers + "\r\n";
  viewers_.reserve(viewers);
  for (std::size_t i = 0; i < viewers; ++i) connect_one(port, request, false);
  for (std::size_t i = 0; i < stalled; ++i) connect_one(port, request, true);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

ViewerCrowd::~ViewerCrowd() {
  thread_.request_stop();
  thread_.join();
  for (const Viewer& viewer : viewers_) ::close(viewer.fd);
  for (const int fd : stalled_) ::close(fd);
  ::close(epoll_);
}

void ViewerCrowd::connect_one(int port, const std::string& request, bool stalled) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int small = 4096;
  if (stalled) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("a viewer cannot connect; is the limit of open files (ulimit -n) too low?");
  }
  (stalled ? stalled_.push_back(fd) : viewers_.push_back({fd, {}}));
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("a viewer cannot ask");
  read_begin(fd);
  if (stalled) return;
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = viewers_.size() - 1;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void ViewerCrowd::run(const std::stop_token& stop) {
  std::array<epoll_event, 512> events;
  while (!stop.stop_requested()) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < count; ++i) {
      Viewer& viewer = viewers_[events.at(static_cast<std::size_t>(i)).data.u64];
      if (read(viewer)) continue;
      ++figures_.gone;
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, viewer.fd, nullptr);
    }
  }
}

bool ViewerCrowd::read(Viewer& viewer) {
  const std::size_t kept = viewer.tail.copy(buffer_.data(), viewer.tail.size());
  const auto got = ::recv(viewer.fd, buffer_.data() + kept, buffer_.size() - kept, 0);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  const std::int64_t now = now_micros();
  figures_.bytes += static_cast<std::uint64_t>(got);
  std::string_view text(buffer_.data(), kept + static_cast<std::size_t>(got));
  for (auto at = text.find(kDelta); at != text.npos; at = text.find(kDelta)) {
    if (text.size() < at + kDelta.size() + kDigits) break;
    text.remove_prefix(at + kDelta.size());
    std::int64_t time = 0;
    std::from_chars(text.data(), text.data() + text.size(), time);
    figures_.millis.push_back(static_cast<float>(now - time) / 1e3F);
  }
  viewer.tail = text.substr(text.size() - std::min(text.size(), kDelta.size() + kDigits - 1));
  return true;
}

ViewerCrowd::Figures ViewerCrowd::take() {
  const std::lock_guard lock(mutex_);
  Figures taken = std::exchange(figures_, {});
  std::sort(taken.millis.begin(), taken.millis.end());
  return taken;
}

}  // namespace tidegate::bench
