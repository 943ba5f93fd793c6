#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/mqtt/command.h"
#include "gateway/core/outlet.h"
#include "gateway/mqtt/connection.h"

namespace tidegate::drivers::mqtt {

/// Sets points by publishing, and waits until they show it. Commands go out on a connection of their own that keeps no
/// session: one whose acknowledgement is lost is sent by nobody later, when nobody wants it any more. A write is over
/// within its point's time-out, whatever the broker and the device do; the broker keeps a command for no longer.
class TopicOutlet final : public Outlet {
 public:
  /// `subscriber`: the connection that the source has.
  TopicOutlet(std::vector<Command> commands, tidegate::mqtt::ConnectionOptions subscriber);

  std::vector<WritablePoint> points() const override;
  Status write(std::string_view series, std::string_view value, const Permission& may) override;

  // The source's side.

  /// From here on commands go out, until stop(), which ends those that wait.
  void start();
  void stop();
  /// Whether what devices publish is heard: while it is not, nothing is set that is to be read back.
  void hears(bool hears);
  bool awaits(std::string_view series) const;
  /// What came of such a series just now, and is news of its device.
  void heard(std::string_view series, const Reading& reading);

 private:
  using Clock = std::chrono::steady_clock;

  /// Somebody who waits for what a point shows.
  struct Watch {
    const Command& command;
    const Reading wanted;
    const Permission& may;
    const Clock::time_point until;  ///< then it is given up, wherever it stands
    bool same = false;
    std::string shown{};  ///< last; "": nothing yet
  };
  class Watching;
  class Turn;

  Result<std::stop_token> ready(const Writable& writable);
  Status send(Watch& watch);
  Status publish(const Watch& watch, const std::stop_token& stop);
  Status wait_for(const Watch& watch);

  const std::vector<Command> commands_;
  const tidegate::mqtt::ConnectionOptions options_;
  std::optional<tidegate::mqtt::Connection> connection_;  ///< of whoever has the turn
  std::mutex mutex_;
  std::condition_variable changed_;
  bool taken_ = false;  ///< somebody has the turn
  bool hears_ = false;
  std::stop_source stopping_;
  std::vector<Watch*> watches_;
};

}  // namespace tidegate::drivers::mqtt
