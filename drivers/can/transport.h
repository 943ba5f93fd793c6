#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "drivers/can/bus.h"

namespace tidegate::drivers::can {

/// J1939 groups of more than one frame, put together of what is overheard: the transport protocol of SAE J1939-21
/// (PGN 60416 TP.CM, 60160 TP.DT). Broadcasts (BAM) and what nodes send to each other (RTS, CTS); it sends nothing.
/// Each wanted message that is announced becomes one whole message or one loss. One thread, no clock of its own.
class Transport {
 public:
  /// What the protocol carries: up to 8 bytes are a frame, and there are 255 packets of 7 bytes.
  static constexpr std::size_t kLeastBytes = 9, kMostBytes = 255 * 7;
  /// Messages that are put together at a time, of kMostBytes each at most. J1939-11 has 30 nodes on a bus: each can
  /// broadcast one while it sends one to another.
  static constexpr std::size_t kMostSessions = 64;
  /// J1939-21, "Device Response Time and Timeout Defaults" (ISO 11783-3, 5.13.3, has the same): a packet follows the
  /// one before within T1. Of a session between two nodes T2 is waited, from a CTS to its first packet, which is T3
  /// too, from the last packet to the next CTS: no node waits longer.
  static constexpr Micros kBroadcastWaits = std::chrono::milliseconds(750);    ///< T1
  static constexpr Micros kBetweenTwoWaits = std::chrono::milliseconds(1250);  ///< T2, T3

  struct Message {
    std::uint32_t id = 0;  ///< as if it were a frame: group, sender, and the destination of a group that has one
    std::span<const std::uint8_t> data{};
  };
  struct Loss {
    std::uint32_t id = 0;
    std::string why;
  };

  /// Of these groups (PGN), of this sender or of all.
  Transport(std::set<std::uint32_t> groups, std::optional<std::uint32_t> sender)
      : groups_(std::move(groups)), sender_(sender) {}

  /// The message that the frame makes whole; its data stand until the next frame.
  std::optional<Message> take(const Frame& frame, Timestamp now, std::vector<Loss>& lost);
  /// Gives up those whose next packet is overdue. To be called when all frames that have come were taken.
  void expire(Timestamp now, std::vector<Loss>& lost);
  /// Gives up all: the bus went away.
  void lose_all(std::vector<Loss>& lost);
  std::size_t sessions() const { return sessions_.size(); }

 private:
  struct Ends {
    std::uint8_t sender = 0, destination = 0;
    Ends turned() const { return {destination, sender}; }
    auto operator<=>(const Ends&) const = default;
  };
  struct Session {
    std::uint32_t id = 0;
    bool broadcast = false;
    std::size_t size = 0, packets = 0;
    std::size_t next = 1;  ///< the packet that is due
    std::vector<std::uint8_t> data{};
    Timestamp last{};  ///< when something was heard of it
  };
  using Sessions = std::map<Ends, Session>;

  void manage(const Frame& frame, Ends ends, Timestamp now, std::vector<Loss>& lost);
  void announce(const Frame& frame, Ends ends, Timestamp now, std::vector<Loss>& lost);
  void go_on(Ends ends, std::span<const std::uint8_t> data, Timestamp now, std::vector<Loss>& lost);
  std::optional<Message> collect(Ends ends, std::span<const std::uint8_t> data, Timestamp now, std::vector<Loss>& lost);
  /// The one of those ends and of the group that the frame of TP.CM names.
  Sessions::iterator find(Ends ends, std::span<const std::uint8_t> data);
  Sessions::iterator lose(Sessions::iterator which, std::string why, std::vector<Loss>& lost);

  const std::set<std::uint32_t> groups_;
  const std::optional<std::uint32_t> sender_;
  Sessions sessions_;  ///< a node has one at a time with each other, and one broadcast
  std::vector<std::uint8_t> whole_;
};

}  // namespace tidegate::drivers::can
