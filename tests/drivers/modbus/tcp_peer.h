#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace tidegate::test {

using Bytes = std::vector<std::uint8_t>;

/// A TCP server that answers each request by what a test says; one connection after another.
class TcpPeer {
 public:
  using Answer = std::function<bool(int fd, const Bytes& request)>;  ///< false: hang up

  explicit TcpPeer(Answer answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~TcpPeer() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  static bool readable(int fd, const std::stop_token& stop) {
    pollfd wanted{fd, POLLIN, 0};
    while (!stop.stop_requested()) {
      if (::poll(&wanted, 1, 20) == 1) return true;
    }
    return false;
  }
  void serve(const std::stop_token& stop) {
    while (readable(listener_, stop)) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      ++connections_;
      while (readable(fd, stop)) {
        Bytes request(300);
        const ssize_t size = ::recv(fd, request.data(), request.size(), 0);
        if (size <= 0) break;
        request.resize(static_cast<std::size_t>(size));
        if (!answer_(fd, request)) break;
      }
      ::close(fd);
    }
  }

  const Answer answer_;
  const int listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

inline void say(int fd, const Bytes& bytes) { (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

}  // namespace tidegate::test
