// Units of systemd, on a bus of the test's own with somebody on it who answers as systemd does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "drivers/host/readings.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";

/// Debian's dbus-daemon on a socket of its own.
class BusDaemon {
 public:
  BusDaemon() {
    const std::string address = "unix:path=" + (directory_.path() / "bus").string();
    const auto file =
        directory_.write("bus.conf",
                         "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
                         "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\"><busconfig>"
                         "<type>system</type><listen>" +
                             address +
                             "</listen><policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
                             "<allow send_destination=\"*\"/><allow eavesdrop=\"false\"/></policy>"
                             "</busconfig>");
    process_ = std::make_unique<test::Process>(
        std::vector<std::string>{"dbus-daemon", "--nofork", "--print-address=1", "--config-file=" + file.string()});
    if (!process_->wait_for_output("unix:")) throw std::runtime_error("no bus: " + process_->output());
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", address.c_str(), 1);
  }
  void kill() { process_->kill(); }

 private:
  test::TempDir directory_;
  std::unique_ptr<test::Process> process_;
};

/// What systemd says of units: mosquitto is as the test says, everything else is not there.
class Systemd {
 public:
  Systemd() {
    thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
    if (!test::eventually([&] { return ready_.load(); })) throw std::runtime_error("nobody has the name on the bus");
  }
  void set(const char* state) { state_ = state; }

 private:
  static int load_unit(sd_bus_message* message, void*, sd_bus_error*) {
    const char* name = nullptr;
    if (const int code = sd_bus_message_read(message, "s", &name); code < 0) return code;
    const bool known = std::string(name) == "mosquitto.service";
    return sd_bus_reply_method_return(message, "o", known ? "/unit/known" : "/unit/other");
  }
  static int property(sd_bus*, const char* path, const char*, const char* name, sd_bus_message* reply, void* self,
                      sd_bus_error*) {
    const bool known = std::string(path) == "/unit/known", active = std::string(name) == "ActiveState";
    const char* text =
        active ? (known ? static_cast<Systemd*>(self)->state_.load() : "inactive") : (known ? "loaded" : "not-found");
    return sd_bus_message_append(reply, "s", text);
  }

  void serve(const std::stop_token& stop) {
    static const sd_bus_vtable kManager[] = {SD_BUS_VTABLE_START(0),
                                             SD_BUS_METHOD("LoadUnit", "s", "o", load_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                                             SD_BUS_VTABLE_END};
    static const sd_bus_vtable kProperties[] = {SD_BUS_VTABLE_START(0),
                                                SD_BUS_PROPERTY("LoadState", "s", property, 0, 0),
                                                SD_BUS_PROPERTY("ActiveState", "s", property, 0, 0), SD_BUS_VTABLE_END};
    sd_bus* bus = nullptr;
    if (sd_bus_open_system(&bus) < 0) return;
    sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", kManager,
                             this);
    for (const char* path : {"/unit/known", "/unit/other"}) {
      sd_bus_add_object_vtable(bus, nullptr, path, kUnit, kProperties, this);
    }
    ready_ = sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) >= 0;
    while (!stop.stop_requested() && sd_bus_process(bus, nullptr) >= 0) sd_bus_wait(bus, 20'000);
    sd_bus_flush_close_unref(bus);
  }

  std::atomic<const char*> state_ = "active";
  std::atomic<bool> ready_ = false;
  std::jthread thread_;
};

TEST(HostUnits, AreReadOfSystemdAndAgainAfterItWasAway) {
  BusDaemon daemon;
  const auto units = make_units({"mosquitto", "nobody.timer"});
  std::vector<Reading> readings;
  EXPECT_THAT(units->read(Timestamp{}, readings).error().text, HasSubstr("systemd does not tell of mosquitto.service"));
  Systemd systemd;
  ASSERT_TRUE(units->read(Timestamp{}, readings));
  ASSERT_EQ(readings.size(), 2u);
  EXPECT_EQ(readings[0].path, "unit/mosquitto");
  EXPECT_EQ(readings[0].state, "active");
  EXPECT_EQ(readings[0].kind, SeriesKind::state);
  EXPECT_EQ(readings[1].path, "unit/nobody.timer");
  EXPECT_EQ(readings[1].state, "not-found");
  systemd.set("failed");
  readings.clear();
  ASSERT_TRUE(units->read(Timestamp{}, readings));
  EXPECT_EQ(readings[0].state, "failed");
  daemon.kill();
  readings.clear();
  EXPECT_FALSE(units->read(Timestamp{}, readings));
  EXPECT_THAT(units->read(Timestamp{}, readings).error().text, HasSubstr("the system's bus"));
}

}  // namespace
}  // namespace tidegate::drivers::host
