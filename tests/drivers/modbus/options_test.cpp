#include "drivers/modbus/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/drivers/section.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::modbus {
namespace {

using testing::HasSubstr;

Options options_of(const std::string& yaml, std::string& why) {
  config::Problems problems;
  const config::Node section = test::source_section(yaml, problems);
  Options options;
  if (problems.empty()) options = read_options(section, problems);
  why = problems.text();
  return options;
}

std::string source(const std::string& device, const std::string& line = "tcp: plc") {
  return "{name: s, type: modbus, " + line + ", devices: [{name: d, unit: 1, " + device + "}]}";
}

Options good(const std::string& device) {
  std::string why;
  Options options = options_of(source(device), why);
  EXPECT_EQ(why, "") << device;
  return options;
}

std::string problem(const std::string& yaml) {
  std::string why;
  options_of(yaml, why);
  return why;
}

TEST(ModbusOptions, AddressesAreAsTheManualHasThem) {
  const auto span = [](const std::string& device) { return good(device).devices.at(0).points.at(0).span; };
  EXPECT_EQ(span("points: [{name: x, holding: 52}]"), (Span{Table::holding, 52, 1}));
  EXPECT_EQ(span("points: [{name: x, input: 0x0034, type: float32}]"), (Span{Table::input, 52, 2}));
  EXPECT_EQ(span("addresses_from: 1, points: [{name: x, coil: 53}]"), (Span{Table::coil, 52, 1}));
  EXPECT_EQ(span("base: 40069, points: [{name: x, holding: 2}]"), (Span{Table::holding, 40071, 1}));
  EXPECT_EQ(span("points: [{name: x, holding: 0, type: string, length: 16}]"), (Span{Table::holding, 0, 16}));
}

TEST(ModbusOptions, APointsWordCountsMoreThanItsDevicesAndThatMoreThanTheSources) {
  std::string why;
  const Options options = options_of(
      "{name: s, type: modbus, tcp: plc, every: 9s, devices: [{name: a, unit: 1, points: [{name: x, holding: 1}]},"
      "{name: b, unit: 2, every: 5s, order: cdab, points: [{name: x, holding: 1}, "
      "{name: y1, holding: 1, every: 2s, order: dcba}]}]}",
      why);
  ASSERT_EQ(why, "");
  EXPECT_EQ(options.devices[0].points[0].every, std::chrono::seconds(9));
  EXPECT_EQ(options.devices[1].points[0].every, std::chrono::seconds(5));
  EXPECT_EQ(options.devices[1].points[0].format.order, Order::cdab);
  EXPECT_EQ(options.devices[1].points[1].every, std::chrono::seconds(2));
  EXPECT_EQ(options.devices[1].points[1].format.order, Order::dcba);
}

TEST(ModbusOptions, KnowTheWaysToALine) {
  std::string why;
  const auto line = [&](const std::string& way) {
    Options options = options_of(source("points: [{name: x, holding: 1}]", way), why);
    EXPECT_EQ(why, "") << way;
    return options.line;
  };
  EXPECT_EQ(line("tcp: 192.168.1.20").text(), "192.168.1.20:502");
  EXPECT_EQ(line("tcp: 'plc:1502'").port, 1502);
  EXPECT_EQ(line("rtu_over_tcp: '[fe80::1]:4001'").text(), "[fe80::1]:4001");
  const LineOptions serial = line("serial: {port: /dev/ttyUSB0, baud: 19200, parity: even, stop_bits: 2}");
  EXPECT_EQ(serial.text(), "/dev/ttyUSB0");
  EXPECT_EQ(serial.baud, 19200);
  EXPECT_EQ(serial.parity, 'E');
  EXPECT_EQ(serial.stop_bits, 2);
}

TEST(ModbusOptions, WhatMakesNoSenseIsTold) {
  const std::pair<const char*, const char*> cases[] = {
      {"points: [{name: x}]", "add its address as holding, input, coil or discrete"},
      {"points: [{name: x, holding: 1, input: 1}]", "one table: holding or input"},
      {"points: [{name: x, holding: 65536}]", "0 to 65535"},
      {"points: [{name: x, holding: 40001x}]", "0 to 65535"},
      {"points: [{name: x, holding: 65535, type: float32}]", "address 65535 on the wire does not exist"},
      {"addresses_from: 1, points: [{name: x, holding: 0}]", "address -1 on the wire does not exist"},
      {"base: 60000, points: [{name: x, holding: 6000}]", "address 66000 on the wire does not exist"},
      {"points: [{name: x, holding: 1, type: float}]", "float32"},
      {"points: [{name: x, holding: 1, order: abdc}]", "abcd"},
      {"points: [{name: x, coil: 1, type: int16}]", "a coil is one bit: leave type out"},
      {"points: [{name: x, holding: 1, type: string}]", "a string needs its length"},
      {"points: [{name: x, holding: 1, length: 3}]", "only a string has a length"},
      {"points: [{name: x, holding: 1, bit: 16}]", "it has bits 0 to 15"},
      {"points: [{name: x, holding: 1, type: int16, bit: 1}]", "bits are of a uint16 or a uint32"},
      {"points: [{name: x, holding: 1, bit: 1, bits: 1-2}]", "exclude each other"},
      {"points: [{name: x, holding: 1, bits: 7-4}]", "a range such as 4-7"},
      {"points: [{name: x, holding: 1, type: float32, exponent: 2}]", "only a whole number has a power of ten"},
      {"max_registers: 2, points: [{name: x, holding: 1, type: int64}]", "more than max_registers allows"},
      {"points: [{name: x, input: 1, writable: {min: 0, max: 1}}]", "only a coil or a holding register can be written"},
      {"points: [{name: x, holding: 1, writable: {}}]", "needs its min and max"},
      {"points: [{name: x, holding: 1, writable: {min: 2, max: 1}}]", "min is more than max"},
      {"points: [{name: x, coil: 1, writable: {min: 0, max: 1}}]", "has no min and max"},
      {"points: [{name: x, holding: 1, bit: 2, writable: {}}]", "some bits of a register"},
      {"points: [{name: x, holding: 1, scale: 0, writable: {min: 0, max: 1}}]", "with a scale of 0"},
      {"points: [{name: x, holding: 1, writable: {min: 0, max: 100000}}]",
       "d/x: 100000 does not fit into the register, which takes 0 to 65535"},
      {"points: [{name: x, holding: 1, type: bcd16, writable: {min: -1, max: 9}}]", "takes 0 to 9999"},
      {"points: [{name: x, holding: 1, scale: 10, unit: °C, writable: {min: 40, max: 75}}]",
       "d/x cannot be set to 75: the nearest that its registers hold is 80 °C"},
      {"points: [{name: x, holding: 1, enum: {0: stop, 70000: run}, writable: {}}]", "70000 does not fit"},
      {"points: [{name: x, holding: 1, enum: {0: stop, 1.5: low}, writable: {}}]", "d/x cannot be set to low: "},
      {"points: [{name: x, coil: 1, enum: {0: stop, 2: run}, writable: {}}]", "2 is neither 0 nor 1"},
      {"points: [{name: x, holding: 1}, {name: x, holding: 2}]", "'x' is there already"},
      {"points: []", "nothing to read"},
      {"profile: pzem-016, only: [volts]", "no point of its profile is 'volts'"},
      {"profile: pzem-016, only: [voltage, powr]", "no point of its profile is 'powr' (did you mean 'power'?)"},
      {"points: [{name: x, holding: 1}], only: [x]", "`only` is of a profile's points"},
      {"profile: sdm999", "one of those shipped: danfoss-vlt-fc, eastron-sdm630"},
      {"points: [{name: 'a//b', holding: 1}]", "no empty level"},
  };
  for (const auto& [device, expected] : cases) EXPECT_THAT(problem(source(device)), HasSubstr(expected)) << device;
}

TEST(ModbusOptions, LimitsAreWhatTheRegistersHoldToTheDigitsOfAScaleAndAFloat) {
  good("points: [{name: x, holding: 1, scale: 0.1, writable: {min: -0, max: 62.3}}]");
  good("points: [{name: x, holding: 1, type: float32, scale: 0.1, offset: 3, writable: {min: -1e-3, max: 74.6}}]");
  good("points: [{name: x, holding: 1, type: uint64, scale: 0.001, writable: {min: 0, max: 4294967295.123}}]");
}

TEST(ModbusOptions, WhatMakesNoSenseOfALineIsTold) {
  const std::string points = "points: [{name: x, holding: 1}]";
  EXPECT_THAT(problem(source(points, "timeout: 1s")), HasSubstr("one of tcp, rtu_over_tcp and serial"));
  EXPECT_THAT(problem(source(points, "tcp: a, serial: {port: /dev/x}")),
              HasSubstr("one of tcp, rtu_over_tcp and serial"));
  EXPECT_THAT(problem(source(points, "tcp: 'a:b'")), HasSubstr("HOST or HOST:PORT"));
  EXPECT_THAT(problem(source(points, "serial: {port: /dev/x, baud: 9601}")), HasSubstr("9600"));
  EXPECT_THAT(problem("{name: s, type: modbus, serial: {port: /dev/x}, devices: [{name: d, unit: 0, " + points + "}]}"),
              HasSubstr("1 to 247"));
  EXPECT_THAT(problem("{name: s, type: modbus, tcp: a, devices: [{name: d, unit: 250, " + points + "}]}"),
              HasSubstr("248 to 254 are reserved"));
  EXPECT_THAT(problem("{name: s, type: modbus, tcp: a, devices: [{name: d, unit: 1, " + points +
                      "}, {name: d, unit: 2, " + points + "}]}"),
              HasSubstr("a device 'd' is there already"));
}

class ModbusProfileFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    std::ofstream(file_) << text;
    return file_.string();
  }
  test::TempDir folder_;
  const std::filesystem::path file_ = folder_.path() / "boiler.yaml";
};

TEST_F(ModbusProfileFile, GivesItsPointsWhichTheDeviceMayAddToReplaceAndChooseFrom) {
  const std::string profile = write(
      "description: a boiler\nmanual: page 1\norder: cdab\naddresses_from: 1\npoints:\n"
      "  - {name: flow, input: 1}\n  - {name: return, input: 2}\n  - {name: burner/on, coil: 1}\n");
  const auto names = [](const Options& options) {
    std::vector<std::string> all;
    for (const PointOptions& point : options.devices.at(0).points) all.push_back(point.series);
    return all;
  };
  const Options all = good("profile: '" + profile + "', points: [{name: return, input: 9}, {name: own, input: 5}]");
  EXPECT_THAT(names(all), testing::ElementsAre("d/flow", "d/return", "d/burner/on", "d/own"));
  EXPECT_EQ(all.devices[0].points[1].span.first, 8) << "its own word counts";
  EXPECT_EQ(all.devices[0].points[0].format.order, Order::cdab);
  EXPECT_THAT(names(good("profile: '" + profile + "', only: ['burner/#', flow]")),
              testing::ElementsAre("d/flow", "d/burner/on"));
  EXPECT_EQ(good("profile: '" + profile + "', order: dcba").devices[0].points[0].format.order, Order::dcba);
}

TEST_F(ModbusProfileFile, ItsErrorsHaveTheirPlacesInIt) {
  const std::string profile = write(
      "description: a boiler\nmanual: page 1\npoints:\n  - {name: flow, imput: 1}\n  - {name: x, input: 1, type: "
      "word}\n");
  const std::string why = problem(source("profile: '" + profile + "'"));
  EXPECT_THAT(why, HasSubstr("boiler.yaml:4:18: unknown key 'imput'"));
  EXPECT_THAT(why, HasSubstr("boiler.yaml:5:31: 'word' is not one of"));
  EXPECT_THAT(problem(source("profile: '" + write("points: []\n") + "'")), HasSubstr("boiler.yaml:1:1: "));
  EXPECT_THAT(problem(source("profile: '" +
                             write("description: b\nmanual: m\npoints: [{name: x, input: 1, bit: 99}]\n") + "'")),
              HasSubstr("boiler.yaml:3:"));
}

}  // namespace
}  // namespace tidegate::drivers::modbus
