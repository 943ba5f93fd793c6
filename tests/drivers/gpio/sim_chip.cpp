#include "tests/drivers/gpio/sim_chip.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::gpio {
namespace {

const std::filesystem::path kConfigfs = "/sys/kernel/config";
const std::filesystem::path kSimulators = kConfigfs / "gpio-sim";
constexpr std::size_t kPins = 8;

[[noreturn]] void refused(const std::filesystem::path& what) {
  throw std::system_error(errno, std::generic_category(), what.string());
}

// In one piece: each write() to an attribute is a value of its own.
void write(const std::filesystem::path& attribute, const std::string& value) {
  const int fd = ::open(attribute.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) refused(attribute);
  const bool written = ::write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!written) refused(attribute);
}

std::string read(const std::filesystem::path& attribute) {
  std::string text = test::read_file(attribute);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Empty, or why not.
std::string load_module() {
  try {
    const test::Finished loaded = test::run({"modprobe", "gpio-sim"});
    return loaded.status == 0 ? "" : loaded.output;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

std::string SimChip::lacks() {
  if (::geteuid() != 0) return "not root: a simulated chip is made in /sys/kernel/config";
  if (std::filesystem::exists(kSimulators)) return "";
  const std::string not_loaded = load_module();
  if (std::filesystem::exists(kSimulators)) return "";
  if (!not_loaded.empty()) return "the kernel has no gpio-sim (CONFIG_GPIO_SIM): " + not_loaded;
  if (test::read_file("/proc/mounts").find(" configfs ") == std::string::npos)
    return "configfs is not mounted: mount -t configfs none /sys/kernel/config";
  return "gpio-sim is loaded, but there is no /sys/kernel/config/gpio-sim";
}

SimChip::SimChip() : label_(fmt::format("tidegate-test-{}", ::getpid())), folder_(kSimulators / label_) {
  try {
    std::filesystem::create_directory(folder_);
    std::filesystem::create_directory(bank());
    write(bank() / "num_lines", std::to_string(kPins));
    write(bank() / "label", label_);
    for (std::size_t pin = 0; pin < kPins; ++pin) {
      const std::filesystem::path line = bank() / fmt::format("line{}", pin);
      std::filesystem::create_directory(line);
      write(line / "name", name(pin));
    }
    unplug(false);
    if (!std::filesystem::exists(device()))
      throw std::runtime_error(device().string() + " does not appear: is /dev a devtmpfs?");
  } catch (...) {
    remove();
    throw;
  }
}

SimChip::~SimChip() { remove(); }

// What configfs made is removed folder by folder, the inner ones first; the attributes in them go with them.
void SimChip::remove() {
  try {
    if (std::filesystem::exists(folder_) && read(folder_ / "live") == "1") unplug(true);
  } catch (const std::exception&) {
    // Its folders stay then, as the kernel will have it.
  }
  for (std::size_t pin = 0; pin < kPins; ++pin) ::rmdir((bank() / fmt::format("line{}", pin)).c_str());
  ::rmdir(bank().c_str());
  ::rmdir(folder_.c_str());
}

std::filesystem::path SimChip::device() const { return std::filesystem::path("/dev") / read(bank() / "chip_name"); }

// It may be another chip's number each time that it is there.
std::filesystem::path SimChip::attribute(std::size_t pin, const char* name) const {
  return std::filesystem::path("/sys/devices/platform") / read(folder_ / "dev_name") / read(bank() / "chip_name") /
         fmt::format("sim_gpio{}", pin) / name;
}

void SimChip::set(std::size_t pin, bool high) {
  write(attribute(pin, "pull"), high ? "pull-up" : "pull-down");
  // The kernel looks at the level when its thread takes the interrupt, so that an edge too soon after another one is
  // not seen for what it was.
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

bool SimChip::level(std::size_t pin) { return read(attribute(pin, "value")) == "1"; }

void SimChip::unplug(bool unplugged) { write(folder_ / "live", unplugged ? "0" : "1"); }

}  // namespace tidegate::drivers::gpio
