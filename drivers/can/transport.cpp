#include "drivers/can/transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/can/signal.h"

namespace tidegate::drivers::can {
namespace {

constexpr std::uint32_t kManagement = 0xEC00, kData = 0xEB00;
constexpr std::uint8_t kRequestToSend = 16, kClearToSend = 17, kEndOfMessage = 19, kBroadcast = 32, kAbort = 255;
constexpr std::size_t kFrameBytes = 8, kPacketBytes = 7;

// The lowest byte first, as all of J1939's.
std::uint32_t number(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8u | bytes[i];
  return value;
}

// Of a frame of TP.CM. None where the number is none: it has 18 bits.
std::optional<std::uint32_t> group_of(std::span<const std::uint8_t> management) {
  constexpr std::uint32_t kLast = 0x3FFFF;
  const std::uint32_t group = number(management.subspan(5, 3));
  if (group > kLast) return std::nullopt;
  return pgn_of(group << 8u);
}

// With the priority of the frame that announces it. A destination stands where other groups have their last byte.
std::uint32_t id_of(const Frame& announcement, std::uint32_t group) {
  constexpr std::uint32_t kPriority = 7u << 26u, kDestination = 0xFF00, kSender = 0xFF;
  const std::uint32_t id = (announcement.id & (kPriority | kSender)) | group << 8u;
  const bool has_destination = pgn_of(id | kDestination) == group;
  return has_destination ? id | (announcement.id & kDestination) : id;
}

}  // namespace

std::optional<Transport::Message> Transport::take(const Frame& frame, Timestamp now, std::vector<Loss>& lost) {
  if (!frame.extended) return std::nullopt;
  const std::uint32_t group = pgn_of(frame.id);
  const Ends ends{static_cast<std::uint8_t>(frame.id), static_cast<std::uint8_t>(frame.id >> 8u)};
  if (group == kData) return collect(ends, frame.data(), now, lost);
  // One that is too short names no group.
  if (group == kManagement && frame.size >= kFrameBytes) manage(frame, ends, now, lost);
  return std::nullopt;
}

void Transport::manage(const Frame& frame, Ends ends, Timestamp now, std::vector<Loss>& lost) {
  const auto data = frame.data();
  switch (data[0]) {
    case kRequestToSend:
    case kBroadcast:
      announce(frame, ends, now, lost);
      break;
    case kClearToSend:
      go_on(ends.turned(), data, now, lost);
      break;
    case kEndOfMessage:
      if (const auto found = find(ends.turned(), data); found != sessions_.end()) {
        lose(found, "its receiver has all of it", lost);
      }
      break;
    case kAbort:  // by either of the two
      for (const Ends which : {ends, ends.turned()}) {
        if (const auto found = find(which, data); found != sessions_.end()) {
          lose(found, fmt::format("it was aborted with reason {}", data[1]), lost);
        }
      }
      break;
    default:
      break;
  }
}

// Whatever is announced, the packets that follow are not those of what was announced before.
void Transport::announce(const Frame& frame, Ends ends, Timestamp now, std::vector<Loss>& lost) {
  if (const auto before = sessions_.find(ends); before != sessions_.end()) {
    lose(before, "another message was announced", lost);
  }
  const auto data = frame.data();
  const auto group = group_of(data);
  if (!group || !groups_.contains(*group) || (sender_ && *sender_ != ends.sender)) return;
  Session session{id_of(frame, *group), data[0] == kBroadcast, number(data.subspan(1, 2)), data[3]};
  session.last = now;
  const bool sane = session.size >= kLeastBytes && session.size <= kMostBytes &&
                    session.packets == (session.size + kPacketBytes - 1) / kPacketBytes;
  if (!sane) {
    lost.push_back({session.id, fmt::format("it was announced with {} bytes in {} packets, which cannot be",
                                            session.size, session.packets)});
  } else if (sessions_.size() >= kMostSessions) {
    lost.push_back({session.id, fmt::format("{} others were on their way, which is the most", kMostSessions)});
  } else {
    session.data.reserve(session.size);
    sessions_.emplace(ends, std::move(session));
  }
}

// CTS: the receiver says from which packet on it wants some. From an earlier one on: it missed that, and it comes
// again. None: it wants the sender to wait.
void Transport::go_on(Ends ends, std::span<const std::uint8_t> data, Timestamp now, std::vector<Loss>& lost) {
  const auto found = find(ends, data);
  if (found == sessions_.end() || found->second.broadcast) return;
  Session& session = found->second;
  session.last = now;
  const std::size_t count = data[1], next = data[2];
  if (count == 0 || next == 0) return;
  if (next > session.next) {
    lose(found, fmt::format("its receiver goes on with packet {}", next), lost);
    return;
  }
  session.next = next;
  session.data.resize((next - 1) * kPacketBytes);
}

std::optional<Transport::Message> Transport::collect(Ends ends, std::span<const std::uint8_t> data, Timestamp now,
                                                     std::vector<Loss>& lost) {
  const auto found = sessions_.find(ends);
  if (found == sessions_.end()) return std::nullopt;
  Session& session = found->second;
  // The last is filled up to 8 bytes, and some senders leave that out.
  const std::size_t bytes = std::min(kPacketBytes, session.size - session.data.size());
  if (data.size() <= bytes) {
    lose(found, fmt::format("a packet of {} bytes came", data.size()), lost);
    return std::nullopt;
  }
  if (data[0] != session.next) {
    lose(found, fmt::format("packet {} came", data[0]), lost);
    return std::nullopt;
  }
  const auto packet = data.subspan(1, bytes);
  session.data.insert(session.data.end(), packet.begin(), packet.end());
  ++session.next;
  session.last = now;
  if (session.data.size() < session.size) return std::nullopt;
  const std::uint32_t id = session.id;
  whole_ = std::move(session.data);
  sessions_.erase(found);
  return Message{id, whole_};
}

void Transport::expire(Timestamp now, std::vector<Loss>& lost) {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const Micros waits = at->second.broadcast ? kBroadcastWaits : kBetweenTwoWaits;
    if (now - at->second.last < waits) {
      ++at;
    } else {
      at = lose(at, fmt::format("nothing came for {} s", std::chrono::duration<double>(waits).count()), lost);
    }
  }
}

void Transport::lose_all(std::vector<Loss>& lost) {
  while (!sessions_.empty()) lose(sessions_.begin(), "the bus went away", lost);
}

Transport::Sessions::iterator Transport::find(Ends ends, std::span<const std::uint8_t> data) {
  const auto found = sessions_.find(ends);
  if (found == sessions_.end() || group_of(data) != pgn_of(found->second.id)) return sessions_.end();
  return found;
}

Transport::Sessions::iterator Transport::lose(Sessions::iterator which, std::string why, std::vector<Loss>& lost) {
  const Session& session = which->second;
  lost.push_back({session.id, fmt::format("{} where packet {} of {} was due", why, session.next, session.packets)});
  return sessions_.erase(which);
}

}  // namespace tidegate::drivers::can
