#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "drivers/host/readings.h"
#include "gateway/core/types.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

// A machine of files: as much of /proc and /sys as a test says.
class HostReadings : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_.path() / file).parent_path());
    std::ofstream(root_.path() / file) << text;
  }
  void remove(const std::string& file) { std::filesystem::remove_all(root_.path() / file); }

  std::map<std::string, double> read(Group& group, Timestamp now = Timestamp{0s}) {
    std::vector<Reading> readings;
    status_ = group.read(now, readings);
    std::map<std::string, double> values;
    for (const Reading& reading : readings) {
      EXPECT_TRUE(valid_series_name(reading.path)) << reading.path;
      if (!reading.value) continue;
      EXPECT_TRUE(values.emplace(reading.path, *reading.value).second) << "twice: " << reading.path;
      units_[reading.path] = reading.unit;
    }
    return values;
  }
  std::unique_ptr<Group> group(std::string_view name) { return make_group(name, root_.path()); }
  std::string error() const { return status_ ? "" : status_.error().text; }

  test::TempDir root_;
  Status status_;
  std::map<std::string, std::string> units_;
};

TEST_F(HostReadings, ProcessorUseIsWhatIsNeitherIdleNorWaiting) {
  put("proc/loadavg", "0.50 1.25 2.00 3/108 24956\n");
  put("proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3 4\n");
  const auto cpu = group("cpu");
  EXPECT_THAT(read(*cpu), UnorderedElementsAre(Pair("load_1m", 0.5), Pair("load_5m", 1.25), Pair("load_15m", 2)));
  put("proc/stat", "cpu  120 0 110 760 110 0 0 0 0 0\ncpu0 1 2 3 4\n");
  const auto second = read(*cpu);
  EXPECT_DOUBLE_EQ(second.at("cpu_usage"), 30);
  EXPECT_DOUBLE_EQ(second.at("cpu_iowait"), 10);
  EXPECT_EQ(units_["cpu_usage"], "%");
}

TEST_F(HostReadings, ProcessorUseDoesNotCountGuestsTwice) {
  put("proc/loadavg", "0 0 0 1/1 1\n");
  put("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n");
  const auto cpu = group("cpu");
  read(*cpu);
  put("proc/stat", "cpu  50 0 0 50 0 0 0 0 50 0\n");
  EXPECT_DOUBLE_EQ(read(*cpu).at("cpu_usage"), 50);
}

TEST_F(HostReadings, ProcessorCountersThatStepBackGiveNothingThatOnce) {
  put("proc/loadavg", "0 0 0 1/1 1\n");
  const auto cpu = group("cpu");
  for (const char* idle : {"1000", "990", "1090"}) {
    put("proc/stat", std::string("cpu  0 0 0 ") + idle + " 0 0 0 0 0 0\n");
    const auto values = read(*cpu);
    EXPECT_EQ(values.count("cpu_usage"), std::string(idle) == "1090" ? 1u : 0u);
  }
}

TEST_F(HostReadings, AMissingFileIsAnErrorThatNamesIt) {
  EXPECT_TRUE(read(*group("cpu")).empty());
  EXPECT_THAT(error(), AllOf(HasSubstr("proc/stat"), HasSubstr("No such file")));
  read(*group("memory"));
  EXPECT_THAT(error(), HasSubstr("proc/meminfo"));
  read(*group("network"));
  EXPECT_THAT(error(), HasSubstr("proc/net/dev"));
  read(*group("disk"));
  EXPECT_THAT(error(), HasSubstr("proc/self/mounts"));
  read(*group("uptime"));
  EXPECT_THAT(error(), HasSubstr("proc/uptime"));
}

TEST_F(HostReadings, NonsenseInAFileIsAnErrorThatNamesIt) {
  for (const auto& [file, name] : std::vector<std::pair<std::string, std::string>>{
           {"proc/stat", "cpu"}, {"proc/meminfo", "memory"}, {"proc/uptime", "uptime"}}) {
    for (const char* text : {"", "\n", "cpu", "cpu a b c d e f", "MemTotal: lots kB", "\xff\xfe"}) {
      put(file, text);
      read(*group(name));
      EXPECT_THAT(error(), HasSubstr(file)) << text;
    }
  }
}

TEST_F(HostReadings, MemoryIsUsedWhereItIsNotAvailable) {
  put("proc/meminfo",
      "MemTotal:        2048000 kB\nMemFree:           10000 kB\nMemAvailable:     512000 kB\n"
      "SwapTotal:       1000000 kB\nSwapFree:         750000 kB\n");
  EXPECT_THAT(read(*group("memory")),
              UnorderedElementsAre(Pair("memory_used", 75), Pair("memory_available", 500), Pair("swap_used", 25)));
}

TEST_F(HostReadings, AMachineWithoutSwapShowsNone) {
  put("proc/meminfo", "MemTotal: 2048 kB\nMemAvailable: 1024 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  EXPECT_EQ(read(*group("memory")).count("swap_used"), 0u);
}

const std::string kNetHeader =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n";

TEST_F(HostReadings, NetworkTrafficIsRatesOfRealInterfaces) {
  put("sys/class/net/eth0/device/vendor", "0x1af4");
  put("sys/class/net/docker0/mtu", "1500");
  put("proc/net/dev", kNetHeader +
                          "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n"
                          "  eth0:1000 10 1 0 0 0 0 0 2000 20 0 0 0 0 0 0\n"
                          "docker0: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0\n");
  const auto network = group("network");
  EXPECT_TRUE(read(*network, Timestamp{10s}).empty());
  put("proc/net/dev", kNetHeader +
                          "    lo: 900 9 0 0 0 0 0 0 900 9 0 0 0 0 0 0\n"
                          "  eth0:5000 30 2 3 0 0 0 0 4000 60 1 1 0 0 0 0\n");
  EXPECT_THAT(read(*network, Timestamp{12s}),
              UnorderedElementsAre(Pair("network/eth0/received", 2), Pair("network/eth0/sent", 1),
                                   Pair("network/eth0/received_packets", 10), Pair("network/eth0/sent_packets", 20),
                                   Pair("network/eth0/errors", 1), Pair("network/eth0/dropped", 2)));
  EXPECT_EQ(units_["network/eth0/received"], "kB/s");
}

TEST_F(HostReadings, WithoutHardwareEveryInterfaceButTheLoopbackIsShown) {
  const std::string line = ": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
  put("proc/net/dev", kNetHeader + "lo" + line + "eth0" + line);
  const auto network = group("network");
  read(*network, Timestamp{1s});
  const auto values = read(*network, Timestamp{2s});
  EXPECT_EQ(values.size(), 6u);
  EXPECT_EQ(values.count("network/eth0/received"), 1u);
}

TEST_F(HostReadings, AnInterfaceThatWasResetGivesNoNegativeRate) {
  const auto network = group("network");
  std::vector<std::size_t> counts;
  for (const char* bytes : {"5000", "100", "1100"}) {
    put("proc/net/dev", kNetHeader + "eth0: " + bytes + " 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n");
    counts.push_back(read(*network, Timestamp{std::chrono::seconds(counts.size() + 1)}).count("network/eth0/received"));
  }
  EXPECT_THAT(counts, ElementsAre(0u, 0u, 1u));
}

TEST_F(HostReadings, DiskTrafficIsRatesOfWholeDisksWithHardware) {
  put("proc/self/mounts", "");
  put("sys/block/sda/device/model", "SSD");
  put("sys/block/loop0/size", "0");
  put("proc/diskstats",
      "8 0 sda 10 0 1000 5 10 0 2000 5 0 100 10\n8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n7 0 loop0 9 9 9 9 9 9 9 9 9 9 9\n");
  const auto disk = group("disk");
  EXPECT_TRUE(read(*disk, Timestamp{10s}).empty());
  put("proc/diskstats",
      "8 0 sda 10 0 3000 5 10 0 4000 5 0 600 10\n8 1 sda1 9 9 9 9 9 9 9 9 9 9 9\n7 0 loop0 99 99 99 99 99 99 99 99 99 "
      "99 99\n");
  EXPECT_THAT(
      read(*disk, Timestamp{11s}),
      UnorderedElementsAre(Pair("disk/sda/read", 1024), Pair("disk/sda/written", 1024), Pair("disk/sda/busy", 50)));
}

TEST_F(HostReadings, DiskUseIsOfEveryMountedDiskOnce) {
  put("proc/diskstats", "");
  put("my data/keep", "");
  put("proc/self/mounts",
      "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /again ext4 rw 0 0\n"
      "/dev/sdb1 /my\\040data ext4 rw 0 0\n/dev/loop3 /snap squashfs ro 0 0\ntmpfs /run tmpfs rw 0 0\n");
  const auto values = read(*group("disk"));
  EXPECT_EQ(error(), "");
  std::vector<std::string> paths;
  for (const auto& [path, value] : values) paths.push_back(path);
  EXPECT_THAT(paths, ElementsAre("disk/my_data/free", "disk/my_data/used", "disk/root/free", "disk/root/used"));
  EXPECT_GE(values.at("disk/root/used"), 0);
  EXPECT_LE(values.at("disk/root/used"), 100);
  EXPECT_GT(values.at("disk/root/free"), 0);
}

TEST_F(HostReadings, AMountBeyondTheViewOfTheProcessIsPassedOver) {
  put("proc/diskstats", "");
  put("proc/self/mounts", "/dev/sdz9 /not/here ext4 rw 0 0\n");
  EXPECT_TRUE(read(*group("disk")).empty());
  EXPECT_EQ(error(), "");
}

TEST_F(HostReadings, TemperaturesCarryTheirChipAndLabel) {
  put("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "48312\n");
  put("sys/class/hwmon/hwmon1/name", "nvme\n");
  put("sys/class/hwmon/hwmon1/temp1_input", "-1500\n");
  put("sys/class/hwmon/hwmon1/temp1_label", "Sensor+#1 A\n");
  put("sys/class/hwmon/hwmon1/in0_input", "12000\n");
  put("sys/class/thermal/thermal_zone0/type", "soc\n");
  put("sys/class/thermal/thermal_zone0/temp", "50000\n");
  EXPECT_THAT(read(*group("temperature")), UnorderedElementsAre(Pair("temperature/cpu_thermal_temp1", 48.312),
                                                                Pair("temperature/nvme_sensor__1_a", -1.5)));
  EXPECT_EQ(units_["temperature/cpu_thermal_temp1"], "\u00b0C");
}

TEST_F(HostReadings, ThermalZonesStandInWhereThereIsNoSensorChip) {
  put("sys/class/thermal/thermal_zone0/type", "soc\n");
  put("sys/class/thermal/thermal_zone0/temp", "50000\n");
  put("sys/class/thermal/thermal_zone1/type", "soc\n");
  put("sys/class/thermal/thermal_zone1/temp", "51000\n");
  put("sys/class/thermal/cooling_device0/type", "fan\n");
  EXPECT_THAT(read(*group("temperature")),
              UnorderedElementsAre(Pair("temperature/soc", 50), Pair("temperature/soc_2", 51)));
}

TEST_F(HostReadings, AMachineWithoutThermometersIsNoError) {
  EXPECT_TRUE(read(*group("temperature")).empty());
  EXPECT_EQ(error(), "");
}

TEST_F(HostReadings, ABrokenThermometerSpoilsOnlyItself) {
  put("sys/class/hwmon/hwmon0/name", "a\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "garbage\n");
  put("sys/class/hwmon/hwmon0/temp2_input", "20000\n");
  EXPECT_THAT(read(*group("temperature")), UnorderedElementsAre(Pair("temperature/a_temp2", 20)));
  EXPECT_THAT(error(), AllOf(HasSubstr("temp1_input"), HasSubstr("garbage")));
}

TEST_F(HostReadings, UptimeIsInSeconds) {
  put("proc/uptime", "1234.56 2000.00\n");
  EXPECT_THAT(read(*group("uptime")), UnorderedElementsAre(Pair("uptime", 1234.56)));
}

TEST_F(HostReadings, WearIsToldByWhatTellsIt) {
  put("sys/block/mmcblk0/device/life_time", "0x02 0x03\n");
  put("sys/block/mmcblk0/device/pre_eol_info", "0x02\n");
  put("sys/block/mmcblk1/device/life_time", "0x00 0x00\n");
  put("sys/block/mmcblk2/device/name", "an SD card that tells nothing\n");
  put("sys/block/mmcblk3/device/life_time", "often\n");
  put("sys/block/sda/device/life_time", "0x01 0x01\n");
  std::vector<Reading> readings;
  ASSERT_TRUE(group("wear")->read(Timestamp{0s}, readings));
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[0].path, "disk/mmcblk0/wear");
  EXPECT_EQ(readings[0].value, 30);
  EXPECT_EQ(readings[1].path, "disk/mmcblk0/spare_blocks");
  EXPECT_EQ(readings[1].state, "warning");
}

std::string process_stat(int pid, const std::string& name, int ticks, int start, int pages) {
  return std::to_string(pid) + " (" + name + ") S 1 1 1 0 -1 0 0 0 0 0 " + std::to_string(ticks) + " 0 0 0 20 0 1 0 " +
         std::to_string(start) + " 1000000 " + std::to_string(pages) + " 18446744073709551615 0 0\n";
}

TEST_F(HostReadings, ProcessesAreSummedByTheirName) {
  put("proc/10/stat", process_stat(10, "broker", 100, 5, 256));
  put("proc/11/stat", process_stat(11, "broker", 50, 6, 256));
  put("proc/12/stat", process_stat(12, "a) S (b", 7, 6, 1));
  put("proc/self/stat", process_stat(10, "broker", 100, 5, 256));
  const auto processes = make_group("process", root_.path(), {{"broker", "a) S (b", "a name beyond fifteen"}, {}});
  const auto first = read(*processes, Timestamp{10s});
  EXPECT_EQ(first.at("process/broker/count"), 2);
  EXPECT_EQ(first.count("process/broker/cpu"), 0u);
  EXPECT_DOUBLE_EQ(first.at("process/broker/memory"), 512.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576);
  EXPECT_EQ(first.at("process/a__s__b/count"), 1);
  EXPECT_EQ(first.at("process/a_name_beyond_fifteen/count"), 0);
  put("proc/10/stat", process_stat(10, "broker", 150, 5, 256));
  put("proc/11/stat", process_stat(11, "broker", 0, 9, 256));  // another process of that number
  put("proc/13/stat", process_stat(13, "a name beyond f", 0, 1, 1));
  remove("proc/12");
  const auto second = read(*processes, Timestamp{11s});
  EXPECT_DOUBLE_EQ(second.at("process/broker/cpu"), 50.0 * 100 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(second.at("process/a__s__b/count"), 0);
  EXPECT_EQ(second.count("process/a__s__b/memory"), 0u);
  EXPECT_EQ(second.at("process/a_name_beyond_fifteen/count"), 1);
}

TEST_F(HostReadings, WithoutProcessesOrUnitsToWatchNothingIsRead) {
  EXPECT_TRUE(read(*group("process")).empty());
  EXPECT_TRUE(read(*group("units")).empty());
  EXPECT_EQ(error(), "");
}

TEST_F(HostReadings, TheClocksStateIsTheKernels) {
  const auto ntp = read(*group("ntp"));
  ASSERT_EQ(error(), "");
  const double synchronized = ntp.at("ntp/synchronized");
  EXPECT_TRUE(synchronized == 0 || synchronized == 1);
  EXPECT_EQ(ntp.count("ntp/offset"), synchronized == 1 ? 1u : 0u);
}

TEST(HostReadingsHere, EveryGroupCanReadTheMachineThatThisRunsOn) {
  for (const std::string& name : group_names()) {
    const auto group = make_group(name, "/");
    ASSERT_NE(group, nullptr);
    std::vector<Reading> readings;
    const Status status = group->read(Timestamp{1s}, readings);
    // Thermometers and disks may be beyond what this machine shows; these four never are.
    if (name == "temperature" || name == "disk") continue;
    EXPECT_TRUE(status) << name << ": " << (status ? "" : status.error().text);
  }
}

}  // namespace
}  // namespace tidegate::drivers::host
