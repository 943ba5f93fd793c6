// Writes that go wrong, against a unit that does what a test says.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "drivers/modbus/device.h"
#include "tests/drivers/modbus/peer.h"
#include "tests/drivers/modbus/tcp_peer.h"
#include "tests/fakes/permission.h"

namespace tidegate::drivers::modbus {
namespace {

using test::Bytes;
using testing::HasSubstr;
using testing::Not;

/// Its registers are 0 until they are written. It may be asked for one or two of them.
class Unit {
 public:
  /// What it does with a write.
  struct Way {
    bool takes = true;
    int exception = 0;  ///< it answers by it
    bool is_silent = false, hangs_up = false;
    bool dies = false;  ///< it answers nothing any more
    int adds = 0;       ///< to the last register
  };
  explicit Unit(Way way) : way_(way) {}

  int port() const { return peer_.port(); }
  int writes() const {
    const std::scoped_lock lock(mutex_);
    return writes_;
  }

 private:
  static std::uint16_t word(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
  }
  /// False: it hangs up.
  bool answer(int fd, const Bytes& request) {
    constexpr std::size_t kFunction = 7, kAddress = 8, kCount = 10, kValue = 10, kValues = 13;
    const std::scoped_lock lock(mutex_);
    if (is_dead_) return true;
    const std::uint16_t first = word(request, kAddress);
    if (request[kFunction] == 3) {
      Bytes bytes{3, static_cast<std::uint8_t>(2 * word(request, kCount))};
      for (int i = 0; i < word(request, kCount); ++i) {
        bytes.push_back(static_cast<std::uint8_t>(registers_[first + i] >> 8));
        bytes.push_back(static_cast<std::uint8_t>(registers_[first + i] & 0xff));
      }
      reply(fd, request, bytes);
      return true;
    }
    ++writes_;
    const bool one = request[kFunction] == 6;
    const int count = one ? 1 : word(request, kCount);
    for (int i = 0; way_.takes && i < count; ++i) {
      const int value = word(request, one ? kValue : kValues + 2 * static_cast<std::size_t>(i));
      registers_[first + i] = static_cast<std::uint16_t>(value + (i + 1 == count ? way_.adds : 0));
    }
    is_dead_ = way_.dies;
    if (way_.hangs_up) return false;
    if (way_.is_silent || way_.dies) return true;
    if (way_.exception != 0) {
      reply(fd, request,
            {static_cast<std::uint8_t>(request[kFunction] | 0x80), static_cast<std::uint8_t>(way_.exception)});
    } else {
      reply(fd, request, Bytes(request.begin() + kFunction, request.begin() + kFunction + 5));
    }
    return true;
  }
  static void reply(int fd, const Bytes& request, const Bytes& bytes) {
    Bytes frame{request[0], request[1], 0, 0, 0, static_cast<std::uint8_t>(bytes.size() + 1), request[6]};
    frame.insert(frame.end(), bytes.begin(), bytes.end());
    test::say(fd, frame);
  }

  const Way way_;
  mutable std::mutex mutex_;
  std::map<int, std::uint16_t> registers_;
  int writes_ = 0;
  bool is_dead_ = false;
  test::TcpPeer peer_{[this](int fd, const Bytes& request) { return answer(fd, request); }};
};

class ModbusWriteTroubles : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

  /// Of a unit that behaves so; `point` is valve, command (which is not read back) or big.
  static Status write(const Unit& unit, const std::string& point, const char* value) {
    return write(unit.port(), point, value);
  }
  static Status write(int port, const std::string& point, const char* value) {
    config::Problems problems;
    const config::Node section = test::source_section(
        fmt::format("{{name: s, type: modbus, tcp: '127.0.0.1:{}', timeout: 200ms, devices: [{{name: d, unit: 1, "
                    "points: [{{name: valve, holding: 1, unit: \"%\", writable: {{min: 0, max: 100}}}}, "
                    "{{name: command, holding: 2, writable: {{min: 0, max: 100, verify: false}}}}, "
                    "{{name: big, holding: 3, type: uint32, writable: {{min: 0, max: 4e9}}}}]}}]}}",
                    port),
        problems);
    const Options options = read_options(section, problems);
    EXPECT_EQ(problems.text(), "");
    Device device(options.devices.at(0), std::make_shared<Line>(options.line));
    return device.write("d/" + point, value, fakes::granted);
  }
  static std::string why(const Status& status) { return status ? "it was written" : status.error().text; }
};

constexpr const char* kLook = "look at the point before you try again";

TEST_F(ModbusWriteTroubles, WhatTheUnitRefusesIsWrongOnlyWhereItSaysSo) {
  const std::pair<int, Errc> cases[] = {{1, Errc::invalid},     {2, Errc::invalid},      {3, Errc::invalid},
                                        {4, Errc::unavailable}, {6, Errc::unavailable},  {7, Errc::unavailable},
                                        {8, Errc::unavailable}, {10, Errc::unavailable}, {42, Errc::unavailable}};
  for (const auto& [exception, code] : cases) {
    const Unit unit({.takes = false, .exception = exception});
    const Status status = write(unit, "valve", "33");
    ASSERT_FALSE(status) << exception;
    EXPECT_EQ(status.error().code, code) << exception << ": a rule gives up on what is wrong";
    EXPECT_EQ(status.error().text,
              "d/valve: not written: " + exception_text(exception == 42 ? kUnknownException : exception));
    EXPECT_EQ(unit.writes(), 1) << exception;
  }
}

TEST_F(ModbusWriteTroubles, WhatArrivedWithoutAnAnswerIsFoundByReadingBack) {
  const Unit::Way ways[] = {{.is_silent = true}, {.hangs_up = true}, {.exception = 5}, {.exception = 11}};
  for (const Unit::Way& way : ways) {
    const Unit unit(way);
    EXPECT_EQ(why(write(unit, "valve", "33")), "it was written") << way.exception << way.hangs_up;
    EXPECT_EQ(unit.writes(), 1);
  }
}

TEST_F(ModbusWriteTroubles, WhatMayHaveArrivedIsNoWriteThatDidNot) {
  const std::tuple<Unit::Way, const char*, Errc, const char*> cases[] = {
      {{.takes = false, .is_silent = true},
       "valve",
       Errc::timed_out,
       "d/valve: unit 1 did not answer within 200 ms; it shows 0 % instead of 33 %: look at"},
      {{.takes = false, .exception = 5},
       "valve",
       Errc::unavailable,
       "d/valve: request accepted, but it takes its time (exception 5); it shows 0 % instead of 33 %: look at"},
      {{.takes = false, .exception = 11}, "valve", Errc::timed_out, "(exception 11); it shows 0 % instead of 33 %"},
      {{.takes = false, .hangs_up = true}, "valve", Errc::interrupted, "; it shows 0 % instead of 33 %"},
      {{.dies = true},
       "valve",
       Errc::timed_out,
       "; it cannot be read back: unit 1 did not answer within 200 ms: look at"},
      {{.is_silent = true}, "command", Errc::timed_out, "d/command: unit 1 did not answer within 200 ms: look at"},
      {{.exception = 5}, "command", Errc::unavailable, "(exception 5): look at"}};
  for (const auto& [way, point, code, expected] : cases) {
    const Unit unit(way);
    const Status status = write(unit, point, "33");
    ASSERT_FALSE(status) << expected;
    EXPECT_EQ(status.error().code, code) << expected;
    EXPECT_THAT(status.error().text,
                testing::AllOf(HasSubstr(expected), HasSubstr(kLook), Not(HasSubstr("not written"))));
    EXPECT_EQ(unit.writes(), 1) << expected;
  }
}

/// An interlock that opens while the line is taken.
TEST_F(ModbusWriteTroubles, WhatMayNotBeWrittenAnyMoreWhenTheLineIsFreeIsNot) {
  const Unit unit({.is_silent = true});
  config::Problems problems;
  const config::Node section = test::source_section(
      fmt::format("{{name: s, type: modbus, tcp: '127.0.0.1:{}', timeout: 500ms, devices: [{{name: d, unit: 1, "
                  "points: [{{name: valve, holding: 1, writable: {{min: 0, max: 100, verify: false}}}}]}}]}}",
                  unit.port()),
      problems);
  const Options options = read_options(section, problems);
  Device device(options.devices.at(0), std::make_shared<Line>(options.line));
  std::atomic<bool> is_closed = true;
  std::promise<void> first_is_out;
  const Permission interlock = [&] { return is_closed ? fakes::granted() : fakes::refused(); };
  auto first = std::async(std::launch::async, [&] {
    return device.write("d/valve", "1", [&] {
      first_is_out.set_value();
      return fakes::granted();
    });
  });
  first_is_out.get_future().wait();
  auto second = std::async(std::launch::async, [&] { return device.write("d/valve", "2", interlock); });
  is_closed = false;
  EXPECT_EQ(why(second.get()), "its interlock says no");
  EXPECT_FALSE(first.get()) << "it was sent, and the unit says nothing";
  EXPECT_EQ(unit.writes(), 1);
}

TEST_F(ModbusWriteTroubles, WhatCouldNotBeSentIsNotWritten) {
  const Status status = write(test::free_port(), "valve", "33");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::unavailable);
  EXPECT_THAT(status.error().text, testing::AllOf(HasSubstr("d/valve: not written: "), Not(HasSubstr(kLook))));
}

/// Not to the digits that a scale leaves alone, but to the last bit.
TEST_F(ModbusWriteTroubles, ANeighbourIsNotWhatWasWritten) {
  const Status status = write(Unit({.adds = -3}), "big", "4000000000");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::conflict);
  EXPECT_EQ(status.error().text, "d/big: written, but it shows 3999999997 instead of 4000000000");
}

}  // namespace
}  // namespace tidegate::drivers::modbus
