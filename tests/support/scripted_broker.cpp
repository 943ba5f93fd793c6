#include "tests/support/scripted_broker.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/mqtt_bytes.h"

namespace tidegate::test {
namespace {

// Packet types and properties of MQTT 5, sections 2.1.2 and 2.2.2.2.
constexpr std::uint8_t kConnect = 0x10, kConnack = 0x20, kPublish = 0x30, kPuback = 0x40, kSubscribe = 0x80,
                       kSuback = 0x90, kPingreq = 0xc0, kPingresp = 0xd0, kDisconnect = 0xe0;
constexpr char kSubscriptionId = 0x0b, kReceiveMaximum = 0x21, kMaximumPacketSize = 0x27, kIdsAvailable = 0x29;

/// Reads a packet's body from its front.
class Reader {
 public:
  explicit Reader(const std::string& body) : body_(body) {}
  std::uint32_t number(int bytes) {
    std::uint32_t value = 0;
    while (bytes-- > 0) value = value << 8 | byte();
    return value;
  }
  std::uint32_t length() {
    std::uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t next = byte();
      value |= static_cast<std::uint32_t>(next & 0x7f) << shift;
      if ((next & 0x80) == 0) return value;
    }
  }
  std::string text(std::size_t size) {
    const std::string part = body_.substr(std::min(at_, body_.size()), size);
    at_ += size;
    return part;
  }
  std::string text() { return text(number(2)); }
  std::string rest() { return text(std::string::npos); }

 private:
  std::uint8_t byte() { return at_ < body_.size() ? static_cast<std::uint8_t>(body_[at_++]) : std::uint8_t{0}; }
  const std::string& body_;
  std::size_t at_ = 0;
};

bool read_exactly(int fd, char* to, std::size_t size) {
  return size == 0 || ::recv(fd, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

}  // namespace

ScriptedBroker::ScriptedBroker(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for a scripted broker");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

ScriptedBroker::~ScriptedBroker() {
  thread_.request_stop();
  ::shutdown(listener_, SHUT_RDWR);
  ::shutdown(client_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

std::vector<ScriptedBroker::Publish> ScriptedBroker::publishes() const {
  const std::scoped_lock lock(mutex_);
  return publishes_;
}

std::vector<ScriptedBroker::Subscribe> ScriptedBroker::subscribes() const {
  const std::scoped_lock lock(mutex_);
  return subscribes_;
}

void ScriptedBroker::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    client_ = fd;
    if (!stop.stop_requested()) serve_client();
    client_ = -1;
    ::close(fd);
  }
}

void ScriptedBroker::serve_client() {
  while (const auto packet = read_packet()) {
    if (!answer(*packet)) return;
  }
}

std::optional<ScriptedBroker::Packet> ScriptedBroker::read_packet() {
  Packet packet;
  char byte = 0;
  if (!read_exactly(client_, &byte, 1)) return std::nullopt;
  packet.head = static_cast<std::uint8_t>(byte);
  std::size_t size = 0;
  for (int shift = 0;; shift += 7) {
    if (!read_exactly(client_, &byte, 1)) return std::nullopt;
    size |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  packet.body.resize(size);
  if (!read_exactly(client_, packet.body.data(), size)) return std::nullopt;
  return packet;
}

/// False where the connection ends.
bool ScriptedBroker::answer(const Packet& packet) {
  switch (packet.head & 0xf0) {
    case kConnect:
      return answer_connect(packet.body);
    case kSubscribe:
      return answer_subscribe(packet.body);
    case kPublish:
      return answer_publish(packet);
    case kPingreq:
      send(kPingresp, "");
      return true;
    default:
      return (packet.head & 0xf0) != kDisconnect;
  }
}

bool ScriptedBroker::answer_connect(const std::string& body) {
  Reader reader(body);
  reader.text();  // MQTT
  v5_ = reader.number(1) == 5;
  reader.number(3);  // flags, keep alive
  if (v5_) reader.text(reader.length());
  const std::uint8_t code = script_.connected(reader.text());
  if (code == 0) ++connections_;
  send(kConnack, connack(code));
  return code == 0;
}

std::string ScriptedBroker::connack(std::uint8_t code) const {
  std::string body = {'\0', static_cast<char>(code)};
  if (!v5_) return body;
  std::string properties;
  if (script_.receive_maximum) properties += kReceiveMaximum, put_number(properties, *script_.receive_maximum, 2);
  if (script_.maximum_packet_size)
    properties += kMaximumPacketSize, put_number(properties, *script_.maximum_packet_size, 4);
  if (!script_.subscription_ids_available) properties += kIdsAvailable, put_number(properties, 0, 1);
  put_length(body, properties.size());
  return body + properties;
}

bool ScriptedBroker::answer_subscribe(const std::string& body) {
  Reader reader(body);
  const std::uint32_t id = reader.number(2);
  Subscribe subscribe;
  if (v5_) {
    const std::string properties = reader.text(reader.length());
    Reader property(properties);
    if (!properties.empty() && property.number(1) == kSubscriptionId) subscribe.id = property.length();
  }
  subscribe.filter = reader.text();
  {
    const std::scoped_lock lock(mutex_);
    subscribes_.push_back(subscribe);
  }
  std::string answer;
  put_number(answer, id, 2);
  if (v5_) put_length(answer, 0);
  put_number(answer, script_.subscribed(subscribe), 1);
  send(kSuback, answer);
  return true;
}

bool ScriptedBroker::answer_publish(const Packet& packet) {
  Reader reader(packet.body);
  Publish publish;
  publish.qos = packet.head >> 1 & 3;
  publish.topic = reader.text();
  const std::uint32_t id = publish.qos > 0 ? reader.number(2) : 0;
  if (v5_) reader.text(reader.length());
  publish.payload = reader.rest();
  const Answer answer = script_.published(publish);
  {
    const std::scoped_lock lock(mutex_);
    publishes_.push_back(publish);
  }
  std::string body;
  switch (answer.kind) {
    case Answer::Kind::silence:
      return true;
    case Answer::Kind::close:
      return false;
    case Answer::Kind::disconnect:
      put_number(body, answer.code, 1);
      put_length(body, 0);
      send(kDisconnect, body);
      return false;
    case Answer::Kind::code:
      break;
  }
  if (publish.qos == 0) return true;
  put_number(body, id, 2);
  if (answer.code != 0) put_number(body, answer.code, 1);
  send(kPuback, body);
  return true;
}

void ScriptedBroker::send(std::uint8_t head, const std::string& body) {
  std::string packet(1, static_cast<char>(head));
  put_length(packet, body.size());
  packet += body;
  // A client that is gone shows at the next read.
  static_cast<void>(::send(client_, packet.data(), packet.size(), MSG_NOSIGNAL));
}

}  // namespace tidegate::test
