#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drivers/mqtt/options.h"
#include "drivers/mqtt/reader.h"
#include "drivers/mqtt/receiver.h"

namespace tidegate::drivers::mqtt {

/// All readers of a source: each topic is one reader's.
class Readers {
 public:
  /// All that it is given outlives it. `outlet` is told what its points show.
  Readers(const Options& options, const std::string& source, Sink& sink, Outbox& outbox, TopicOutlet* outlet = nullptr);

  std::vector<tidegate::mqtt::Subscription> subscriptions() const;
  std::vector<tidegate::mqtt::Subscription> descriptions() const;
  std::optional<Ticket> take(const Received& message, Timestamp now);
  /// Messages so far that no reader reads.
  std::uint64_t unread() const { return receiver_.unread(); }
  void tick(Timestamp now);
  void connected(Timestamp now);
  /// What was found, and what is still awaited, in words: "zigbee2mqtt (12 devices, 1 offline: lamp)"; `offline`: is
  /// any device?
  std::string findings(bool& offline) const;

 private:
  const Options& options_;
  Receiver receiver_;
  std::vector<std::unique_ptr<Reader>> styles_;  ///< those that are written in code
};

}  // namespace tidegate::drivers::mqtt
