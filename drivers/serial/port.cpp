#include "drivers/serial/port.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace tidegate::drivers::serial {
namespace {

constexpr std::array<std::pair<int, speed_t>, 22> kRates = {
    {{300, B300},         {600, B600},         {1200, B1200},       {1800, B1800},       {2400, B2400},
     {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
     {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},
     {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000},
     {3000000, B3000000}, {4000000, B4000000}}};

/// A stop is noticed after so long.
constexpr Micros kLook = std::chrono::milliseconds(100);

speed_t speed_of(int baud) {
  const auto found = std::find_if(kRates.begin(), kRates.end(), [&](const auto& rate) { return rate.first == baud; });
  return found == kRates.end() ? B9600 : found->second;
}

void set_frame(termios& line, const PortOptions& options) {
  line.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS | HUPCL);
  line.c_cflag |= CREAD | CLOCAL;
  line.c_cflag |= options.data_bits == 7 ? CS7 : CS8;
  if (options.parity != PortOptions::Parity::none) line.c_cflag |= PARENB;
  if (options.parity == PortOptions::Parity::odd) line.c_cflag |= PARODD;
  if (options.stop_bits == 2) line.c_cflag |= CSTOPB;
  if (options.flow == PortOptions::Flow::hardware) line.c_cflag |= CRTSCTS;
  line.c_iflag &= ~static_cast<tcflag_t>(IXON | IXOFF | IXANY);
  if (options.flow == PortOptions::Flow::software) line.c_iflag |= IXON | IXOFF;
}

const char* hint_of(int error) {
  if (error == ENOENT || error == ENODEV || error == ENXIO) return "; is it plugged in?";
  return error == EACCES ? "; the gateway's user must be in the group that owns it (dialout)" : "";
}

}  // namespace

std::span<const int> bauds() {
  static const std::array<int, kRates.size()> all = [] {
    std::array<int, kRates.size()> made{};
    std::transform(kRates.begin(), kRates.end(), made.begin(), [](const auto& rate) { return rate.first; });
    return made;
  }();
  return all;
}

Status Port::open() {
  close();
  fd_ = ::open(options_.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0) {
    const int error = errno;
    return fail(Errc::unavailable, "{}: cannot be opened: {}{}", options_.path, std::strerror(error), hint_of(error));
  }
  Status status = configure();
  if (!status) close();
  return status;
}

Status Port::configure() const {
  if (::isatty(fd_) == 0) return fail(Errc::invalid, "{} is no serial port", options_.path);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0)
    return fail(Errc::unavailable, "{}: another program, or another source, has it", options_.path);
  ::ioctl(fd_, TIOCEXCL);  // where it is not known, the lock is what there is
  termios line{};
  const speed_t speed = speed_of(options_.baud);
  if (::tcgetattr(fd_, &line) != 0)
    return fail(Errc::unavailable, "{}: cannot be set up: {}", options_.path, std::strerror(errno));
  ::cfmakeraw(&line);
  set_frame(line, options_);
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
  ::cfsetispeed(&line, speed);
  ::cfsetospeed(&line, speed);
  if (::tcsetattr(fd_, TCSANOW, &line) != 0 || ::tcgetattr(fd_, &line) != 0 || ::cfgetospeed(&line) != speed)
    return fail(Errc::unavailable, "{}: does not take {} baud", options_.path, options_.baud);
  ::tcflush(fd_, TCIOFLUSH);
  return {};
}

void Port::close() {
  if (fd_ < 0) return;
  ::tcflush(fd_, TCIOFLUSH);  // else the kernel may wait for half a minute until all is sent
  ::close(fd_);               // it is gone even where this fails, as it does with what was unplugged
  fd_ = -1;
}

bool Port::moved() const {
  struct stat there {
  }, here{};
  if (fd_ < 0 || ::fstat(fd_, &here) != 0 || ::stat(options_.path.c_str(), &there) != 0) return true;
  return there.st_rdev != here.st_rdev || there.st_ino != here.st_ino || there.st_dev != here.st_dev;
}

/// False: not within the time.
Result<bool> Port::wait(short events, Micros at_most) const {
  pollfd one{fd_, events, 0};
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  const int ready = ::poll(&one, 1, static_cast<int>(std::clamp<std::int64_t>(millis, 0, 60'000)));
  if (ready < 0 && errno != EINTR) return fail(Errc::io, "{}: {}", options_.path, std::strerror(errno));
  if (ready <= 0) return false;
  if ((one.revents & events) == 0) return fail(Errc::interrupted, "{}: was unplugged", options_.path);
  return true;
}

Result<std::string_view> Port::read(Micros at_most, const std::stop_token& stop) {
  using Steady = std::chrono::steady_clock;
  const auto deadline = Steady::now() + at_most;
  while (!stop.stop_requested()) {
    const Micros left = std::chrono::duration_cast<Micros>(deadline - Steady::now());
    const auto ready = wait(POLLIN, std::min(std::max(left, Micros{0}), kLook));
    if (!ready) return fail(ready.error());
    if (!*ready) {
      if (left <= Micros{0}) break;
      continue;
    }
    const ssize_t size = ::read(fd_, buffer_, sizeof buffer_);
    if (size > 0) return std::string_view(buffer_, static_cast<std::size_t>(size));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    return fail(Errc::interrupted, "{}: was unplugged", options_.path);
  }
  return std::string_view();
}

Status Port::write(std::string_view bytes, Micros at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd_, bytes.data(), bytes.size());
    if (size > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
      continue;
    }
    if (size < 0 && errno != EAGAIN && errno != EINTR)
      return fail(Errc::interrupted, "{}: was unplugged ({})", options_.path, std::strerror(errno));
    const auto ready = wait(POLLOUT, kLook);
    if (!ready) return fail(ready.error());
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Errc::timed_out, "{}: takes nothing; is flow_control as the device has it?", options_.path);
  }
  return {};
}

void Port::forget() { ::tcflush(fd_, TCIFLUSH); }

}  // namespace tidegate::drivers::serial
