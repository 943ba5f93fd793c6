// The profiles that are shipped, by the examples of their manuals.

#include "drivers/modbus/profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "drivers/modbus/decode.h"
#include "drivers/modbus/options.h"
#include "drivers/modbus/plan.h"
#include "tests/drivers/section.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::modbus {
namespace {

DeviceOptions device(const std::string& profile, std::string& why) {
  config::Problems problems;
  const config::Node section = test::source_section(
      "{name: s, type: modbus, tcp: plc, devices: [{name: d, unit: 1, profile: " + profile + "}]}", problems);
  Options options;
  if (problems.empty()) options = read_options(section, problems);
  why = problems.text();
  return options.devices.empty() ? DeviceOptions{} : options.devices[0];
}

/// A unit's registers of one table, and what a profile's points make of them.
class Unit {
 public:
  explicit Unit(const std::string& profile) : device_(device(profile, why_)) { EXPECT_EQ(why_, ""); }

  void set(std::uint16_t first, std::vector<std::uint16_t> registers) {
    for (const std::uint16_t value : registers) registers_[first++] = value;
  }
  double read(const std::string& name) {
    for (const PointOptions& point : device_.points) {
      if (point.series != "d/" + name) continue;
      std::vector<std::uint16_t> own;
      for (std::uint32_t at = point.span.first; at < point.span.end(); ++at)
        own.push_back(registers_.at(static_cast<std::uint16_t>(at)));
      std::string text;
      double value = decode(own, point.format, text).number;
      if (point.exponent) value *= power_of_ten(registers_.at(*point.exponent), point.format.order).value();
      return value * point.value.scale.factor + point.value.scale.offset;
    }
    ADD_FAILURE() << "no point " << name;
    return 0;
  }

 private:
  std::string why_;
  DeviceOptions device_;
  std::map<std::uint16_t, std::uint16_t> registers_;
};

/// One text of a profile, as it is written: `manual: >-` and the lines below it.
std::string text_of(std::string_view yaml, const std::string& key) {
  const auto begin = yaml.find("\n" + key + ": ");
  if (begin == std::string_view::npos) return "";
  std::string_view rest = yaml.substr(begin + 1);
  std::size_t end = rest.find('\n');
  while (end != std::string_view::npos && rest.substr(end + 1).starts_with(' ')) end = rest.find('\n', end + 1);
  return std::string(rest.substr(0, end));
}

TEST(ShippedProfiles, AreAllSoundAndSayWhereTheyAreFrom) {
  std::vector<std::string> names;
  for (const Profile& profile : shipped_profiles()) {
    names.emplace_back(profile.name);
    std::string why;
    const DeviceOptions options = device(std::string(profile.name), why);
    EXPECT_EQ(why, "") << profile.name;
    EXPECT_FALSE(options.points.empty()) << profile.name;
    const std::string manual = text_of(profile.yaml, "manual"), notes = text_of(profile.yaml, "notes");
    EXPECT_THAT(manual, testing::AnyOf(testing::ContainsRegex("https://[a-z0-9.-]+/[^ ]"),
                                       testing::ContainsRegex("[A-Z][A-Za-z ]+, \"[^\"]{8,}\"")))
        << profile.name << ": an address, or a publisher and a title";
    EXPECT_THAT(notes, testing::HasSubstr("tried on")) << "or say on which";
    for (const PointOptions& point : options.points) EXPECT_FALSE(point.writable) << point.series;
  }
  EXPECT_THAT(names,
              testing::ElementsAre("danfoss-vlt-fc", "eastron-sdm630", "pzem-016", "sht20-rs485", "sunspec-103"));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(ShippedProfiles, AreNamedInTheReadme) {
  const std::string readme = test::read_file(TIDEGATE_SOURCE_DIR "/drivers/modbus/README.md");
  for (const Profile& profile : shipped_profiles())
    EXPECT_THAT(readme, testing::HasSubstr("`" + std::string(profile.name) + "`"));
}

TEST(ShippedProfiles, WhatIsNotConfirmedStandsInTheReadme) {
  const std::string readme = test::read_file(TIDEGATE_SOURCE_DIR "/drivers/modbus/README.md");
  std::string why;
  for (const auto& [name, parameter] : std::map<std::string, std::string>{
           {"frequency", "16-13"}, {"motor_current", "16-14"}, {"dc_link_voltage", "16-30"}}) {
    const DeviceOptions options = device("danfoss-vlt-fc", why);
    EXPECT_TRUE(std::any_of(options.points.begin(), options.points.end(),
                            [series = "d/" + name](const PointOptions& point) { return point.series == series; }))
        << name;
    EXPECT_THAT(readme, testing::HasSubstr("`" + name + "` (" + parameter + ")"));
  }
}

TEST(ShippedProfiles, PzemReadsItsManualsExample) {
  Unit unit("pzem-016");
  unit.set(0, {0x0898, 0x03e8, 0, 0x0898, 0, 0, 0, 0x01f4, 0x0064, 0});
  EXPECT_NEAR(unit.read("voltage"), 220.0, 1e-9);
  EXPECT_NEAR(unit.read("current"), 1.0, 1e-9);
  EXPECT_NEAR(unit.read("power"), 220.0, 1e-9);
  EXPECT_EQ(unit.read("energy"), 0);
  EXPECT_NEAR(unit.read("frequency"), 50.0, 1e-9);
  EXPECT_NEAR(unit.read("power_factor"), 1.0, 1e-9);
  unit.set(5, {0x0001, 0x0002});
  EXPECT_EQ(unit.read("energy"), 0x20001) << "the low word comes first";
}

TEST(ShippedProfiles, Sht20ReadsItsManualsExamples) {
  Unit unit("sht20-rs485");
  unit.set(1, {0x0131, 0x0222});
  EXPECT_NEAR(unit.read("temperature"), 30.5, 1e-9);
  EXPECT_NEAR(unit.read("humidity"), 54.6, 1e-9);
  unit.set(1, {0xff33});
  EXPECT_NEAR(unit.read("temperature"), -20.5, 1e-9);
}

TEST(ShippedProfiles, SunspecMovesThePointByItsScaleFactor) {
  Unit unit("sunspec-103");
  unit.set(40069, {103, 50});
  unit.set(40071, {1234, 400, 410, 424, 0xfffe});
  unit.set(40083, {0xfc18, 1});
  unit.set(40093, {0x0001, 0x0000, 0});
  unit.set(40107, {4});
  unit.set(40109, {0, 0x0082});
  EXPECT_EQ(unit.read("model"), 103);
  EXPECT_NEAR(unit.read("current"), 12.34, 1e-9);
  EXPECT_NEAR(unit.read("current_c"), 4.24, 1e-9);
  EXPECT_EQ(unit.read("power"), -10000) << "-1000, times ten";
  EXPECT_EQ(unit.read("energy"), 65536);
  EXPECT_EQ(unit.read("state"), 4);
  EXPECT_EQ(unit.read("event/dc_over_voltage"), 1);
  EXPECT_EQ(unit.read("event/over_temperature"), 1);
  EXPECT_EQ(unit.read("event/ground_fault"), 0);
}

TEST(ShippedProfiles, Sdm630ReadsFloatsAndAsksForAsMuchAsTheMeterGives) {
  Unit unit("eastron-sdm630");
  unit.set(0x48, {0x4366, 0x3333});
  EXPECT_NEAR(unit.read("energy_import"), 230.2, 1e-4);
  std::string why;
  const DeviceOptions options = device("eastron-sdm630", why);
  std::vector<Span> wanted;
  for (const PointOptions& point : options.points) wanted.push_back(point.span);
  const auto requests = plan(wanted, options.limits);
  EXPECT_LE(requests.size(), 2u);
  for (const Block& request : requests) EXPECT_LE(request.span.count, 80);
}

TEST(ShippedProfiles, DanfossCountsFromOne) {
  Unit unit("danfoss-vlt-fc");
  unit.set(16129, {501});
  unit.set(50209, {0x4000});
  EXPECT_NEAR(unit.read("frequency"), 50.1, 1e-9);
  EXPECT_NEAR(unit.read("main_value"), 100, 1e-9);
}

}  // namespace
}  // namespace tidegate::drivers::modbus
