#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::test {

/// A plain MQTT 3.1.1 client over a blocking socket that only publishes: cheap enough to load a gateway from the same
/// machine, since it writes many messages with one call. One thread. Throws when the broker goes away.
class Publisher {
 public:
  explicit Publisher(int port, std::string_view client_id = "publisher");
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Queued; sent when some 32 KB wait, or by flush().
  void publish(std::string_view topic, std::string_view payload, int qos = 0);
  /// Sends what waits, and returns when the broker has acknowledged every QoS 1 message.
  void flush();

 private:
  void send_all();
  void read_acknowledgements(bool wait);

  int socket_ = -1;
  std::string out_;
  std::string in_;
  std::uint16_t next_id_ = 1;
  int unacknowledged_ = 0;
};

}  // namespace tidegate::test
