#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::test {

/// A peer that speaks as much MQTT (5 or 3.1.1) as it is told, for what no broker does on demand: to refuse a
/// client or a subscription, to take little, to answer with an error or not at all. One client at a time, on a thread
/// of its own.
class ScriptedBroker {
 public:
  struct Publish {
    std::string topic;
    std::string payload;
    int qos = 0;
  };
  struct Subscribe {
    std::string filter;
    std::optional<std::uint32_t> id;  ///< MQTT 5's subscription identifier
  };
  struct Answer {
    enum class Kind : std::uint8_t { code, silence, close, disconnect } kind = Kind::code;
    std::uint8_t code = 0;  ///< of the answer, or of the DISCONNECT
  };
  /// What it says. The functions are called on its thread.
  struct Script {
    std::optional<std::uint16_t> receive_maximum;
    std::optional<std::uint32_t> maximum_packet_size;
    bool subscription_ids_available = true;
    /// The code of the CONNACK; not 0: then it closes the connection.
    std::function<std::uint8_t(const std::string& client_id)> connected = [](const std::string&) {
      return std::uint8_t{0};
    };
    std::function<std::uint8_t(const Subscribe&)> subscribed = [](const Subscribe&) { return std::uint8_t{1}; };
    std::function<Answer(const Publish&)> published = [](const Publish&) { return Answer{}; };
  };

  explicit ScriptedBroker(Script script);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  /// Everything that came so far.
  std::vector<Publish> publishes() const;
  std::vector<Subscribe> subscribes() const;
  int connections() const { return connections_; }

 private:
  struct Packet {
    std::uint8_t head = 0;
    std::string body;
  };
  void serve(const std::stop_token& stop);
  void serve_client();
  std::optional<Packet> read_packet();
  bool answer(const Packet& packet);
  bool answer_connect(const std::string& body);
  bool answer_subscribe(const std::string& body);
  bool answer_publish(const Packet& packet);
  void send(std::uint8_t head, const std::string& body);
  std::string connack(std::uint8_t code) const;

  const Script script_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<int> client_ = -1;
  std::atomic<int> connections_ = 0;
  bool v5_ = true;  ///< of the present client
  mutable std::mutex mutex_;
  std::vector<Publish> publishes_;
  std::vector<Subscribe> subscribes_;
  std::jthread thread_;
};

}  // namespace tidegate::test
