#include "drivers/modbus/line.h"

#include <fcntl.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "drivers/modbus/dial.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::modbus {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = LineOptions::Kind;
using std::chrono::milliseconds;

constexpr auto kHold = milliseconds(500);      // what could not be opened is not tried again at once for the next unit
constexpr auto kFirstBusy = milliseconds(20);  // between two tries of a busy unit, doubled each time
constexpr auto kLongestNoise = milliseconds(250);  // a line that does not fall silent is used nevertheless

/// Lets threads in one after another, as they came: a mutex would let the one that polls in again and again.
class Turnstile {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t own = last_++;
    changed_.wait(lock, [&] { return own == next_; });
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++next_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t last_ = 0, next_ = 0;
};

struct Close {
  void operator()(modbus_t* context) const {
    modbus_close(context);  // the descriptor is gone even where closing fails
    modbus_free(context);
  }
};
using Context = std::unique_ptr<modbus_t, Close>;

/// What libmodbus left in errno.
enum class Outcome : std::uint8_t { exception, silent, garbled, lost };

int exception_of(int error) {
  if (error > MODBUS_ENOBASE && error < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) return error - MODBUS_ENOBASE;
  return error == EMBBADEXC || error == EMBUNKEXC ? kUnknownException : 0;
}

Outcome kind_of(int error) {
  if (exception_of(error) != 0) return Outcome::exception;
  if (error == ETIMEDOUT) return Outcome::silent;
  if (error == EMBBADCRC || error == EMBBADDATA || error == EMBBADSLAVE) return Outcome::garbled;
  return Outcome::lost;
}

/// Wrong is only what the request itself asks for; what a unit cannot do now it may do later.
Errc code_of(int exception) {
  if (exception == MODBUS_EXCEPTION_GATEWAY_TARGET) return Errc::timed_out;
  const bool is_wrong =
      exception >= MODBUS_EXCEPTION_ILLEGAL_FUNCTION && exception <= MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
  return is_wrong ? Errc::invalid : Errc::unavailable;
}

/// 3.5 characters: so long a serial line is silent between two frames; above 19200 baud, 1.75 ms.
Micros frame_gap(const LineOptions& options) {
  constexpr std::int64_t kBitsOfGap = 39;  // 3.5 characters of 11 bits
  const Micros gap{options.baud > 19200 ? 1750 : kBitsOfGap * 1'000'000 / options.baud};
  return options.kind == Kind::serial ? std::max(gap, options.pause) : options.pause;
}

/// What a unit says that it is has an identifier of its maker's own, whether it runs, and text somewhere.
template <class Iterator>
std::string longest_text(Iterator begin, Iterator end) {
  constexpr std::ptrdiff_t kLeast = 3;
  const auto is_text = [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; };
  std::string longest;
  for (auto at = begin; at != end;) {
    const auto from = std::find_if(at, end, is_text);
    at = std::find_if_not(from, end, is_text);
    if (at - from >= kLeast && at - from > static_cast<std::ptrdiff_t>(longest.size())) longest.assign(from, at);
  }
  return std::string(trim(longest));
}

}  // namespace

std::string LineOptions::text() const {
  if (kind == Kind::serial) return path;
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

std::string exception_text(int exception) {
  static constexpr std::array<std::string_view, MODBUS_EXCEPTION_MAX> kTexts = {
      "",
      "function not supported",
      "no such address",
      "value or length not allowed",
      "device failure",
      "request accepted, but it takes its time",
      "device is busy",
      "request refused",
      "memory error",
      "not defined",
      "the gateway has no path to it",
      "the gateway has no answer of it"};
  if (exception <= 0 || exception >= MODBUS_EXCEPTION_MAX) return "an exception of the maker's own";
  return fmt::format("{} (exception {})", kTexts[static_cast<std::size_t>(exception)], exception);
}

/// The one file that sees libmodbus.
class Line::Wire {
 public:
  explicit Wire(LineOptions options) : options_(std::move(options)), gap_(frame_gap(options_)) {}

  const LineOptions& options() const { return options_; }

  /// Makes a request by `call`, which returns what libmodbus' functions do. `reads`: it may be made again, where the
  /// unit is busy, and once where its answer is lost or damaged. `may`: as for Line::write.
  template <class Call>
  Answer<void> ask(int unit, bool reads, const Call& call, const std::function<bool()>& may = {}) {
    const std::lock_guard turn(turnstile_);
    Clock::duration busy = kFirstBusy;
    bool again = reads;
    std::optional<Deadline> deadline;
    while (true) {
      drop_if_stale();
      if (const Status opened = open(); !opened) return tl::unexpected(Failure{0, opened.error()});
      if (!deadline) deadline = Clock::now() + options_.timeout;  // what connecting took is not the unit's fault
      if (gap_ > Micros{0}) std::this_thread::sleep_until(quiet_since_ + gap_);
      if (may && !may()) return tl::unexpected(Failure{0, {Errc::conflict, "it may not be written now"}});
      const int error = exchange(unit, *deadline, call);
      if (error == 0) return {};
      const Outcome kind = kind_of(error);
      clean_up(kind);
      const auto left = *deadline - Clock::now();
      const bool is_busy = reads && (error == EMBXACK || error == EMBXSBUSY);
      if (is_busy && busy < left) {
        std::this_thread::sleep_for(busy);
        busy *= 2;
      } else if (again && left > Clock::duration::zero() && (kind == Outcome::garbled || kind == Outcome::lost)) {
        again = false;
      } else {
        return tl::unexpected(failure(unit, kind, error));
      }
    }
  }

 private:
  Status open() {
    if (context_) return {};
    if (refused_ && Clock::now() < hold_until_) return fail(*refused_);
    refused_.reset();
    Status opened = options_.kind == Kind::serial ? open_serial() : open_socket();
    if (opened) return opened;
    context_.reset();
    refused_ = opened.error();
    hold_until_ = Clock::now() + kHold;
    return opened;
  }

  Status open_serial() {
    context_.reset(modbus_new_rtu(options_.path.c_str(), options_.baud, options_.parity, 8, options_.stop_bits));
    if (!context_) return fail(Errc::io, "cannot use {}: {}", options_.path, modbus_strerror(errno));
    if (modbus_connect(context_.get()) == -1) {
      const int error = errno;
      const char* hint = error == ENOENT || error == ENODEV || error == ENXIO ? "; is it plugged in?"
                         : error == EACCES ? "; the gateway's user must be in the group that owns it (dialout)"
                                           : "";
      return fail(Errc::unavailable, "cannot open {}: {}{}", options_.path, modbus_strerror(error), hint);
    }
    const int fd = modbus_get_socket(context_.get());
    if (::flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK) {
      return fail(Errc::unavailable, "{} is in use by another program or source", options_.path);
    }
    return prepare(fd);
  }

  Status open_socket() {
    const Result<int> fd = dial(options_.host, options_.port, Clock::now() + options_.timeout);
    if (!fd) return fail(fd.error());
    // libmodbus knows no RTU over TCP, but its RTU side only reads, writes and waits on the descriptor it is given.
    context_.reset(options_.kind == Kind::tcp ? modbus_new_tcp("0.0.0.0", options_.port)
                                              : modbus_new_rtu("-", options_.baud, 'N', 8, 1));
    if (!context_) {
      ::close(*fd);
      return fail(Errc::io, "cannot use {}: {}", options_.text(), modbus_strerror(errno));
    }
    modbus_set_socket(context_.get(), *fd);
    return prepare(*fd);
  }

  Status prepare(int fd) {
    if (fd >= FD_SETSIZE) {
      return fail(Errc::full, "too many files and connections are open: libmodbus takes those below {}", FD_SETSIZE);
    }
    // Without a time-out between bytes the one for the answer goes on running while it comes in (select() on Linux
    // leaves the rest of the time), so that a unit that trickles cannot hold the line.
    modbus_set_byte_timeout(context_.get(), 0, 0);
    return {};
  }

  /// 0, or errno.
  template <class Call>
  int exchange(int unit, Deadline deadline, const Call& call) {
    const auto left = std::max(std::chrono::duration_cast<Micros>(deadline - Clock::now()), Micros{1000}).count();
    if (modbus_set_slave(context_.get(), unit) == -1) return errno;
    modbus_set_response_timeout(context_.get(), static_cast<std::uint32_t>(left / 1'000'000),
                                static_cast<std::uint32_t>(left % 1'000'000));
    errno = 0;
    const int error = call(context_.get()) == -1 ? errno : 0;
    quiet_since_ = Clock::now();
    return error;
  }

  /// Before a request: a connection that the peer has closed meanwhile, or on which something came that nobody asked
  /// for. A serial line's noise is thrown away.
  void drop_if_stale() {
    if (!context_) return;
    const int fd = modbus_get_socket(context_.get());
    if (options_.kind == Kind::serial) {
      throw_away(fd);
      return;
    }
    char byte = 0;
    const ssize_t came = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (came >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) context_.reset();
  }

  void clean_up(Outcome kind) {
    if (kind == Outcome::exception) return;
    if (options_.kind != Kind::serial || kind == Outcome::lost) {
      context_.reset();
    } else {
      wait_for_silence();
    }
  }

  void wait_for_silence() {
    pollfd line{modbus_get_socket(context_.get()), POLLIN, 0};
    const int gap = static_cast<int>(std::chrono::ceil<milliseconds>(gap_).count());
    const auto end = Clock::now() + kLongestNoise;
    do {
      throw_away(line.fd);
    } while (Clock::now() < end && ::poll(&line, 1, gap) == 1 && (line.revents & (POLLHUP | POLLERR)) == 0);
    quiet_since_ = Clock::now();
  }

  static void throw_away(int fd) {
    std::array<char, 256> noise;
    for (int i = 0; i < 64 && ::read(fd, noise.data(), noise.size()) > 0; ++i) {
    }
  }

  Failure failure(int unit, Outcome kind, int error) const {
    switch (kind) {
      case Outcome::exception: {
        const int exception = exception_of(error);
        // The first says so, the second that the unit's answer to its gateway is missing.
        const bool may_be_done =
            exception == MODBUS_EXCEPTION_ACKNOWLEDGE || exception == MODBUS_EXCEPTION_GATEWAY_TARGET;
        return {exception, {code_of(exception), exception_text(exception)}, may_be_done};
      }
      case Outcome::silent:
        return {0,
                {Errc::timed_out, fmt::format("unit {} did not answer within {}", unit, age_text(options_.timeout))},
                true};
      case Outcome::garbled:
        return {0, {Errc::io, fmt::format("the answer of unit {} is damaged: {}", unit, modbus_strerror(error))}, true};
      default:
        return {0, {Errc::interrupted, fmt::format("lost {}: {}", options_.text(), modbus_strerror(error))}, true};
    }
  }

  const LineOptions options_;
  const Micros gap_;
  Turnstile turnstile_;
  Context context_;  ///< nothing while it is closed
  Clock::time_point quiet_since_{};
  std::optional<Error> refused_;  ///< why it could not be opened last
  Clock::time_point hold_until_{};
};

Line::Line(LineOptions options) : wire_(std::make_unique<Wire>(std::move(options))) {}
Line::~Line() = default;
const LineOptions& Line::options() const { return wire_->options(); }

Answer<void> Line::read(int unit, const Span& span, std::vector<std::uint16_t>& registers) {
  registers.resize(span.count);
  if (!is_bits(span.table)) {
    const auto function = span.table == Table::holding ? modbus_read_registers : modbus_read_input_registers;
    return wire_->ask(unit, true,
                      [&](modbus_t* wire) { return function(wire, span.first, span.count, registers.data()); });
  }
  const auto function = span.table == Table::coil ? modbus_read_bits : modbus_read_input_bits;
  std::array<std::uint8_t, MODBUS_MAX_READ_BITS> bits{};
  auto answer =
      wire_->ask(unit, true, [&](modbus_t* wire) { return function(wire, span.first, span.count, bits.data()); });
  std::copy_n(bits.begin(), std::min<std::size_t>(span.count, bits.size()), registers.begin());
  return answer;
}

Answer<void> Line::write(int unit, const Span& span, std::span<const std::uint16_t> values, bool multiple,
                         const std::function<bool()>& may) {
  const auto call = [&](modbus_t* wire) {
    if (span.table == Table::holding) {
      return multiple ? modbus_write_registers(wire, span.first, static_cast<int>(values.size()), values.data())
                      : modbus_write_register(wire, span.first, values[0]);
    }
    const std::vector<std::uint8_t> bits(values.begin(), values.end());
    return multiple ? modbus_write_bits(wire, span.first, static_cast<int>(bits.size()), bits.data())
                    : modbus_write_bit(wire, span.first, bits[0]);
  };
  return wire_->ask(unit, false, call, may);
}

Answer<std::string> Line::identify(int unit) {
  std::array<std::uint8_t, MODBUS_MAX_PDU_LENGTH> bytes{};
  int size = 0;
  const auto answer = wire_->ask(unit, true, [&](modbus_t* wire) {
    size = modbus_report_slave_id(wire, static_cast<int>(bytes.size()), bytes.data());
    return size;
  });
  if (!answer) return tl::unexpected(answer.error());
  const auto end = bytes.begin() + std::clamp(size, 0, static_cast<int>(bytes.size()));
  std::string text = longest_text(bytes.begin(), end);
  if (text.empty()) return tl::unexpected(Failure{0, {Errc::not_found, "it does not say what it is"}});
  return text;
}

}  // namespace tidegate::drivers::modbus
