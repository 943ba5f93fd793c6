#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/mqtt/reader.h"
#include "drivers/mqtt/sparkplug/payload.h"

namespace tidegate::drivers::mqtt::sparkplug {

/// A Sparkplug B host application. Nodes and their devices introduce their metrics in births; a death, and a birth that
/// does not name it any more, make a point bad. Where a message was missed the node is asked for a new birth, and until
/// it comes its values are uncertain.
class Host final : public Reader {
 public:
  /// `rebirth`: nodes are asked for births. `sink` and `outbox` outlive it.
  Host(PayloadLimits limits, bool rebirth, Sink& sink, Outbox& outbox);
  ~Host() override;

  std::vector<tidegate::mqtt::Subscription> subscriptions() const override;
  bool reads(std::string_view topic) const override { return topic.starts_with("spBv1.0/"); }
  std::optional<Ticket> take(const Received& message, Timestamp now) override;
  void find(Findings& findings) const override;
  void tick(Timestamp now) override;
  void connected(Timestamp now) override;

 private:
  struct Point;
  struct Device;
  struct Node;

  void take_birth(Node& node, Device& device, const Received& message, const Message& said, Timestamp now);
  void take_data(Node& node, Device& device, const Received& message, const Message& said, Timestamp now);
  void take_death(Node& node, Device* device, const Message* said, Timestamp now);
  void in_sequence(Node& node, const Message& said, Timestamp now);
  Point* define(Device& device, const Metric& metric, const Received& message);
  static Point* find_point(Device& device, const Metric& metric, bool& known);
  void take_metric(const Node& node, Point& point, const Metric& metric, const Received& message, const Message& said,
                   Timestamp now);
  void lose(Device& device, Timestamp now);
  void ask_for_birth(Node& node, Timestamp now);
  Node* node_of(std::string_view group, std::string_view name, const Received& message);
  Device* device_of(Node& node, std::string_view name, const Received& message);

  const bool rebirth_;
  Sink& sink_;
  Outbox& outbox_;
  Decoder decoder_;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> nodes_;  ///< by group/node
  std::size_t devices_ = 0, points_ = 0;
  std::vector<Sample> samples_;
};

/// What a primary host says of itself, and the broker for it when it is gone; retained.
tidegate::mqtt::Outgoing host_state(const std::string& host_id, bool online, Timestamp time);

}  // namespace tidegate::drivers::mqtt::sparkplug
