#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::serial {

struct PortOptions {
  enum class Parity : std::uint8_t { none, even, odd };
  enum class Flow : std::uint8_t { none, hardware, software };

  std::string path;
  int baud = 9600;  ///< one of bauds()
  int data_bits = 8;
  Parity parity = Parity::none;
  int stop_bits = 1;
  Flow flow = Flow::none;
};

/// The rates that a port may have.
std::span<const int> bauds();

/// A serial port of the kernel's, opened for one program alone. One thread. After an error it is to be closed.
class Port {
 public:
  explicit Port(PortOptions options) : options_(std::move(options)) {}
  ~Port() { close(); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Errc::unavailable: it is not there, or not now; Errc::invalid: it is no serial port.
  Status open();
  /// Waits for nothing that is still to be sent. The descriptor is gone whatever the kernel says of it.
  void close();
  bool is_open() const { return fd_ >= 0; }
  /// Another device stands at the path by now, or none.
  bool moved() const;

  /// What has come, waiting for `at_most`; empty where nothing came, or a stop was asked. The view is good until the
  /// next call. Errc::interrupted: it was unplugged.
  Result<std::string_view> read(Micros at_most, const std::stop_token& stop);
  Status write(std::string_view bytes, Micros at_most);
  /// Drops what has come and was not read.
  void forget();

 private:
  Status configure() const;
  Result<bool> wait(short events, Micros at_most) const;

  const PortOptions options_;
  int fd_ = -1;
  char buffer_[4096];
};

}  // namespace tidegate::drivers::serial
