#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "dashboard/channel.h"
#include "gateway/core/clock.h"
#include "gateway/core/result.h"

namespace tidegate::dashboard {

class Gateway;

/// Sends a copy of the store to whoever asks for it, as one tar: makes it on the disk, sends it from there and removes
/// it, all on a thread of its own, one at a time. Who takes nothing of it for kPatience is let go.
class Backups {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  Backups(Gateway& gateway, const Clock& clock, std::string gateway_name)
      : gateway_(gateway), clock_(clock), gateway_name_(std::move(gateway_name)) {}

  /// The one backup that may be under way, from the moment that it is asked for.
  class Turn {
   public:
    Turn(std::atomic<bool>& taken, std::string who) : taken_(taken), who_(std::move(who)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { taken_ = false; }
    const std::string& who() const { return who_; }

   private:
    std::atomic<bool>& taken_;
    const std::string who_;
  };
  /// Null where somebody has it. Any thread.
  std::unique_ptr<Turn> begin(const std::string& who);
  /// The connection gets the backup, and is closed. One thread, the same each time.
  void send(Channel channel, std::unique_ptr<Turn> turn);

 private:
  class Visit;

  Gateway& gateway_;
  const Clock& clock_;
  const std::string gateway_name_;
  std::atomic<bool> taken_{false};
  std::jthread thread_;
};

}  // namespace tidegate::dashboard
