#include "dashboard/backups.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <filesystem>

#include "dashboard/replies.h"
#include "dashboard/server.h"
#include "dashboard/tar.h"
#include "dashboard/web.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

namespace fs = std::filesystem;

/// A copy of the store, for as long as it is sent.
struct Copy {
  fs::path folder;
  explicit Copy(fs::path made) : folder(std::move(made)) {}
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
};

/// Of letters that no shell and no header minds.
std::string plain_name(std::string name) {
  const auto odd = [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
  };
  std::replace_if(name.begin(), name.end(), odd, '-');
  return name;
}

}  // namespace

/// One connection, from the wish to the end.
class Backups::Visit {
 public:
  Visit(const Backups& backups, Channel& channel, const std::stop_token& stop)
      : backups_(backups), channel_(channel), stop_(stop) {}

  void answer(const std::string& who) {
    auto made = backups_.gateway_.back_up(who, [this] { return !stop_.stop_requested() && !hung_up(); });
    if (!made) return refuse(made.error());
    const Copy copy(std::move(*made));
    const Timestamp now = backups_.clock_.now();
    const std::string name =
        fmt::format("tidegate-{}-{}", plain_name(backups_.gateway_name_), plain_name(rfc3339_seconds(now)));
    auto tar = Tar::of(copy.folder, name, now);
    if (!tar) return refuse(tar.error());
    if (!put(head(name, tar->size()))) return;
    while (true) {
      const auto piece = tar->next();
      if (!piece) return;  // who reads misses bytes, and hears it by that
      if (piece->empty()) return channel_.finish();
      if (!put(*piece)) return;
    }
  }

 private:
  static std::string head(const std::string& name, std::uint64_t bytes) {
    std::string out = fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Length: {}\r\nContent-Disposition: attachment; "
        "filename=\"{}.tar\"\r\nCache-Control: no-store\r\nConnection: close\r\n",
        bytes, name);
    for (const auto& [key, value] : security_headers()) out += fmt::format("{}: {}\r\n", key, value);
    return out + "\r\n";
  }

  void refuse(const Error& error) {
    if (put(Web::refusal(status_of(error.code), error.text))) channel_.finish();
  }

  bool hung_up() const {
    pollfd one{channel_.fd(), POLLRDHUP, 0};
    return ::poll(&one, 1, 0) > 0;
  }

  bool put(std::string_view bytes) {
    constexpr int kLook = 250;  // ms
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (!bytes.empty()) {
      const auto sent = channel_.write(bytes);
      const auto now = std::chrono::steady_clock::now();
      if (!sent || stop_.stop_requested() || now > until) return false;
      if (*sent > 0) {
        until = now + kPatience;
        bytes.remove_prefix(*sent);
        continue;
      }
      const bool to_write = (channel_.waits_for() & EPOLLOUT) != 0;
      pollfd one{channel_.fd(), static_cast<short>(to_write ? POLLOUT : POLLIN), 0};
      ::poll(&one, 1, kLook);
    }
    return true;
  }

  const Backups& backups_;
  Channel& channel_;
  const std::stop_token& stop_;
};

std::unique_ptr<Backups::Turn> Backups::begin(const std::string& who) {
  return taken_.exchange(true) ? nullptr : std::make_unique<Turn>(taken_, who);
}

void Backups::send(Channel channel, std::unique_ptr<Turn> turn) {
  thread_ =
      std::jthread([this, channel = std::move(channel), turn = std::move(turn)](const std::stop_token& stop) mutable {
        Visit(*this, channel, stop).answer(turn->who());
        channel = Channel();
        turn.reset();
      });
}

}  // namespace tidegate::dashboard
