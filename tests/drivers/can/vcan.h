#pragma once

#include <linux/can.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tidegate::drivers::can {

/// A network of this thread's own, and of what it starts, with a virtual CAN interface `vcan0`: the machine's are not
/// touched. The thread is back in its former network, and the interface is gone, when this is. One thread.
class Vcan {
 public:
  Vcan();
  ~Vcan();
  Vcan(const Vcan&) = delete;

  /// Why there is no interface; empty: there is one, and it is up.
  const std::string& lacks() const { return lacks_; }

  void add();  ///< Up. CAN FD, where the kernel has that.
  void remove();
  void set_up(bool up);
  bool takes_fd() const;

 private:
  std::string prepare();

  int former_ = -1;  ///< the network of before
  std::string lacks_;
};

/// Another program on `vcan0`, which sends through a socket of its own; made anew when the interface is.
class Sender {
 public:
  Sender();
  ~Sender();
  Sender(const Sender&) = delete;

  /// False: the kernel does not take it.
  bool send(canid_t id, const std::vector<std::uint8_t>& data) const;
  bool send_fd(canid_t id, const std::vector<std::uint8_t>& data) const;

 private:
  int fd_ = -1;
};

}  // namespace tidegate::drivers::can
