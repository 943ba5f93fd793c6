// What a unit refuses, of every table and over every kind of line, against pymodbus.

#include <gtest/gtest.h>

#include "tests/drivers/modbus/peer.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::modbus {
namespace {

using test::Running;

/// Units on a line of the kind that is the parameter: a way of the simulator.
class ModbusExceptions : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string way = GetParam();
    if (way == "serial") {
      wires_ = std::make_unique<test::SerialLine>(folder_.path().string());
      ASSERT_TRUE(wires_->plugged()) << "no serial line: is socat there?";
      units_ = std::make_unique<test::Simulator>(way, wires_->end(2));
      line_ = fmt::format("serial: {{port: {}}}", wires_->end(1));
    } else {
      const int port = test::free_port();
      units_ = std::make_unique<test::Simulator>(way, std::to_string(port));
      line_ = fmt::format("{}: '127.0.0.1:{}'", way == "tcp" ? "tcp" : "rtu_over_tcp", port);
    }
    ASSERT_TRUE(units_->ready()) << units_->process().output();
  }
  /// A source of a device for each table, with one point, x, at this address.
  std::string source(int address) const {
    std::string devices;
    int unit = 0;
    for (const char* table : kTables) {
      devices +=
          fmt::format("{{name: {0}, unit: {1}, points: [{{name: x, {0}: {2}}}]}}, ", table, 1 + unit++ % 3, address);
    }
    return fmt::format("{{name: line, type: modbus, {}, every: 100ms, timeout: 300ms, devices: [{}]}}", line_, devices);
  }

  static constexpr const char* kTables[] = {"holding", "input", "coil", "discrete"};

 private:
  test::TempDir folder_;
  std::unique_ptr<test::SerialLine> wires_;
  std::unique_ptr<test::Simulator> units_;
  std::string line_;
};

struct Case {
  int code;
  Reason reason;
  SourceHealth health;
  const char* words;
};
constexpr Case kCases[] = {
    {1, Reason::device_fault, SourceHealth::degraded, "function not supported (exception 1); compare"},
    {2, Reason::device_fault, SourceHealth::degraded, "no such address (exception 2); compare"},
    {3, Reason::device_fault, SourceHealth::degraded, "value or length not allowed (exception 3); compare"},
    {4, Reason::device_fault, SourceHealth::degraded, "device failure (exception 4)"},
    {5, Reason::device_fault, SourceHealth::degraded, "request accepted, but it takes its time (exception 5)"},
    {6, Reason::device_fault, SourceHealth::degraded, "device is busy (exception 6)"},
    {8, Reason::device_fault, SourceHealth::degraded, "memory error (exception 8)"},
    {10, Reason::no_answer, SourceHealth::down, "no path to it (exception 10)"},
    {11, Reason::no_answer, SourceHealth::down, "no answer of it (exception 11)"}};

TEST_P(ModbusExceptions, AreBadSamplesInWords) {
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.code);
    const int address = 9000 + one.code;
    Running line(source(address));
    ASSERT_EQ(line.why(), "");
    for (const char* table : kTables) {
      EXPECT_TRUE(line.sink().wait_for_bad(fmt::format("{}/x", table), one.reason)) << table;
      // Which of its points it refuses; of a device that is not there, the device.
      const bool is_there = one.health == SourceHealth::degraded;
      const std::string what = is_there ? fmt::format("{}: {} {}: {}", table, table, address, one.words) : one.words;
      EXPECT_TRUE(line.says(one.health, what)) << what << ", but: " << line.last_words();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OverEveryKindOfLine, ModbusExceptions, testing::Values("tcp", "rtu-over-tcp", "serial"),
                         [](const auto& way) {
                           return way.index == 0 ? "Tcp" : way.index == 1 ? "RtuOverTcp" : "Rtu";
                         });

}  // namespace
}  // namespace tidegate::drivers::modbus
