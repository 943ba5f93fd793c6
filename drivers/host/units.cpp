#include <systemd/sd-bus.h>

#include <cstdlib>
#include <cstring>

#include "drivers/host/readings.h"

namespace tidegate::drivers::host {

namespace {

constexpr const char* kSystemd = "org.freedesktop.systemd1";

struct Unref {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
  void operator()(char* text) const { std::free(text); }
};

/// What a call on the bus says when it fails.
class BusError {
 public:
  BusError() = default;
  ~BusError() { sd_bus_error_free(&error_); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  sd_bus_error* get() { return &error_; }
  std::string text(int code) const { return error_.message != nullptr ? error_.message : std::strerror(-code); }

 private:
  sd_bus_error error_{};
};

class Units final : public Group {
 public:
  explicit Units(std::vector<std::string> names) : names_(std::move(names)) {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    if (names_.empty()) return {};
    if (Status connected = connect(); !connected) return connected;
    for (const std::string& name : names_) {
      const auto state = state_of(name.find('.') == std::string::npos ? name + ".service" : name);
      if (!state) {
        bus_.reset();
        return fail(state.error());
      }
      out.push_back(state_reading("unit/" + as_level(name), *state));
    }
    return {};
  }

 private:
  Status connect() {
    if (bus_) return {};
    constexpr std::uint64_t kPatience = 2'000'000;  // µs, of one call
    sd_bus* bus = nullptr;
    if (const int code = sd_bus_open_system(&bus); code < 0) {
      return fail(Errc::io, "cannot reach the system's bus: {}", std::strerror(-code));
    }
    bus_.reset(bus);
    sd_bus_set_method_call_timeout(bus, kPatience);
    return {};
  }

  // A unit that nobody has is inactive to systemd; that it is not there is told by LoadState.
  Result<std::string> state_of(const std::string& name) {
    BusError error;
    sd_bus_message* reply = nullptr;
    int code = sd_bus_call_method(bus_.get(), kSystemd, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                  "LoadUnit", error.get(), &reply, "s", name.c_str());
    const std::unique_ptr<sd_bus_message, Unref> owner(reply);
    const char* path = nullptr;
    if (code >= 0) code = sd_bus_message_read(reply, "o", &path);
    if (code < 0) return fail(Errc::io, "systemd does not tell of {}: {}", name, error.text(code));
    const auto loaded = property(path, "LoadState");
    if (!loaded || *loaded != "loaded") return loaded;  // not-found, masked, error
    return property(path, "ActiveState");
  }

  Result<std::string> property(const char* path, const char* name) {
    BusError error;
    char* text = nullptr;
    const int code = sd_bus_get_property_string(bus_.get(), kSystemd, path, "org.freedesktop.systemd1.Unit", name,
                                                error.get(), &text);
    if (code < 0) return fail(Errc::io, "systemd does not tell {}: {}", name, error.text(code));
    const std::unique_ptr<char, Unref> owner(text);
    return std::string(text);
  }

  const std::vector<std::string> names_;
  std::unique_ptr<sd_bus, Unref> bus_;
};

}  // namespace

std::unique_ptr<Group> make_units(std::vector<std::string> names) { return std::make_unique<Units>(std::move(names)); }

}  // namespace tidegate::drivers::host
