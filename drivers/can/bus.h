#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::can {

/// Of CAN FD; a classic frame has at most 8.
inline constexpr std::size_t kMostFrameBytes = 64;

struct Frame {
  std::uint32_t id = 0;  ///< without flags
  bool extended = false;
  bool bus_off = false;  ///< no data: the controller has left the bus
  std::size_t size = 0;
  std::array<std::uint8_t, kMostFrameBytes> bytes{};
  std::span<const std::uint8_t> data() const { return {bytes.data(), size}; }
};

/// Frames from a socket of the kind that SocketCAN gives. One thread.
class Bus {
 public:
  /// Opens the socket; a test has another than the kernel's.
  using Open = std::function<Result<int>()>;
  explicit Bus(Open open) : open_(std::move(open)) {}
  ~Bus() { close(); }
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  Status open();
  /// The frames that have come; waits for the first for at most so long. An error: the interface is down or gone.
  Status receive(Micros at_most, std::vector<Frame>& out);

 private:
  void close();

  Open open_;
  int fd_ = -1;
};

/// A raw socket on an interface: can0, vcan0.
Bus::Open on_interface(std::string name);

}  // namespace tidegate::drivers::can
