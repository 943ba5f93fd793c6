#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "drivers/modbus/registers.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::modbus {

struct LineOptions {
  enum class Kind : std::uint8_t { tcp, rtu_over_tcp, serial } kind = Kind::tcp;
  std::string host;  ///< of both over TCP
  int port = 502;
  std::string path;  ///< of a serial line
  int baud = 9600;
  char parity = 'N';  ///< N, E or O
  int stop_bits = 1;
  Micros timeout = std::chrono::seconds(1);  ///< of a whole request: tries, and an answer that trickles, included
  Micros pause{0};                           ///< at least so long between an answer and the next request

  std::string text() const;  ///< "192.168.1.20:502", "/dev/ttyUSB0"
};

/// Why a request has no answer. Errc::timed_out: silence, which cost the time-out; the others cost nothing.
/// Errc::invalid: the unit says that it never takes such a one (exceptions 1 to 3).
struct Failure {
  int exception = 0;  ///< what the unit answered instead: 1 to 11, kUnknownException; 0: it answered nothing of use
  Error error;
  bool may_be_done = false;  ///< it was sent, and the unit may have done what was asked, or may do it yet
};
inline constexpr int kUnknownException = 255;
/// "no such address (exception 2)"
std::string exception_text(int exception);

template <class T>
using Answer = tl::expected<T, Failure>;

/// One connection or serial line, shared by the units on it. It opens itself with the first request, and again after
/// a failure: a TCP connection on which an answer is missing is given up, so that a late one is never taken for
/// another. Any thread; one request is under way at a time, in the order in which they were asked for. SIGPIPE must be
/// ignored.
class Line {
 public:
  explicit Line(LineOptions options);
  ~Line();

  const LineOptions& options() const;

  /// Reads what a request may ask for into `registers`, a bit as 0 or 1. A busy unit (exceptions 5 and 6) is asked
  /// again while the time-out lasts; a damaged answer once.
  Answer<void> read(int unit, const Span& span, std::vector<std::uint16_t>& registers);
  /// Writes to coils or holding registers, once, whatever comes of it; `multiple`: by the function for several of them,
  /// else by the one for one. `may` is asked when the line is free and the request is about to go out; where it says no
  /// nothing does (Errc::conflict).
  Answer<void> write(int unit, const Span& span, std::span<const std::uint16_t> values, bool multiple,
                     const std::function<bool()>& may);
  /// What the unit says that it is (function 17); Errc::not_found where it does not say.
  Answer<std::string> identify(int unit);

 private:
  class Wire;
  const std::unique_ptr<Wire> wire_;
};

}  // namespace tidegate::drivers::modbus
