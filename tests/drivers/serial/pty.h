#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tidegate::test {

/// A device at the far end of a pseudo-terminal, which a link shows as /dev/serial/by-id does.
class PtyDevice {
 public:
  explicit PtyDevice(std::filesystem::path link) : link_(std::move(link)) { plug_in(); }
  ~PtyDevice() { unplug(); }
  PtyDevice(const PtyDevice&) = delete;

  /// As another one each time.
  void plug_in() {
    char name[128];
    int near = -1;
    if (::openpty(&far_, &near, name, nullptr, nullptr) != 0) throw std::runtime_error("no pseudo-terminal");
    ::close(near);
    if (::fcntl(far_, F_SETFL, O_NONBLOCK) != 0) throw std::runtime_error("no O_NONBLOCK");
    std::filesystem::remove(link_);
    std::filesystem::create_symlink(name, link_);
  }
  void unplug() {
    if (far_ < 0) return;
    std::filesystem::remove(link_);
    ::close(far_);
    far_ = -1;
  }

  /// What is said while nobody listens is lost at some time, as on a real line.
  void say(std::string_view text) {
    const ssize_t sent = ::write(far_, text.data(), text.size());
    if (sent < 0 && errno != EAGAIN) throw std::runtime_error("the pseudo-terminal takes nothing");
  }
  /// What was sent to it within `millis`; as soon as there is something.
  std::string hear(int millis) {
    pollfd one{far_, POLLIN, 0};
    char bytes[1024];
    if (::poll(&one, 1, millis) <= 0) return "";
    const ssize_t size = ::read(far_, bytes, sizeof bytes);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : "";
  }

 private:
  std::filesystem::path link_;
  int far_ = -1;
};

}  // namespace tidegate::test
