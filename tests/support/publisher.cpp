#include "tests/support/publisher.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/mqtt_bytes.h"

namespace tidegate::test {
namespace {

constexpr std::size_t kSendAt = 32 * 1024;
constexpr int kMaxUnacknowledged = 500;

void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()), 2);
  out += text;
}

}  // namespace

Publisher::Publisher(int port, std::string_view client_id) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("no broker on port " + std::to_string(port));
  }
  const int one = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::string body;
  put_text(body, "MQTT");
  body += '\x04';  // protocol level of 3.1.1
  body += '\x02';  // clean session
  put_number(body, 600, 2);
  put_text(body, client_id);
  out_ = '\x10';
  put_length(out_, body.size());
  out_ += body;
  send_all();
  char connack[4];
  if (::recv(socket_, connack, sizeof connack, MSG_WAITALL) != 4 || connack[3] != 0) {
    ::close(socket_);
    throw std::runtime_error("the broker refused the publisher");
  }
}

Publisher::~Publisher() { ::close(socket_); }

void Publisher::publish(std::string_view topic, std::string_view payload, int qos) {
  out_ += static_cast<char>(0x30 | qos << 1);
  put_length(out_, 2 + topic.size() + (qos > 0 ? 2 : 0) + payload.size());
  put_text(out_, topic);
  if (qos > 0) {
    put_number(out_, next_id_, 2);
    next_id_ = next_id_ == 0xffff ? std::uint16_t{1} : static_cast<std::uint16_t>(next_id_ + 1);
    ++unacknowledged_;
  }
  out_ += payload;
  if (out_.size() >= kSendAt) {
    send_all();
    read_acknowledgements(false);
  }
  if (unacknowledged_ >= kMaxUnacknowledged) flush();
}

void Publisher::flush() {
  send_all();
  while (unacknowledged_ > 0) read_acknowledgements(true);
}

void Publisher::send_all() {
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the broker closed the connection");
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_.clear();
}

void Publisher::read_acknowledgements(bool wait) {
  char bytes[4096];
  const ssize_t got = ::recv(socket_, bytes, sizeof bytes, wait ? 0 : MSG_DONTWAIT);
  if (got == 0 || (got < 0 && wait)) throw std::runtime_error("the broker closed the connection");
  if (got > 0) in_.append(bytes, static_cast<std::size_t>(got));
  // All that a broker sends to this client are PUBACKs: 0x40, 2, id.
  unacknowledged_ -= static_cast<int>(in_.size() / 4);
  in_.erase(0, in_.size() / 4 * 4);
}

}  // namespace tidegate::test
