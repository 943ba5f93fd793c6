#include <charconv>

#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

namespace fs = std::filesystem;

// "0x01" of sysfs.
std::optional<unsigned> parse_hex(std::string_view text) {
  unsigned value = 0;
  if (!text.starts_with("0x")) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// What an eMMC, and some SD cards, tell of their age (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST and PRE_EOL_INFO): used up
// in tenths, for two kinds of its memory, and how much of the spare blocks is left.
class Wear final : public Group {
 public:
  explicit Wear(const fs::path& root) : block_(root / "sys/block") {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    for (const fs::path& disk : entries(block_)) {
      if (!disk.filename().string().starts_with("mmcblk")) continue;
      const std::string path = "disk/" + as_level(disk.filename().string()) + '/';
      add_life(path, text_of(disk / "device/life_time"), out);
      add_spare(path, text_of(disk / "device/pre_eol_info"), out);
    }
    return {};
  }

 private:
  // The worse of the two kinds; 0 is not told.
  static void add_life(const std::string& path, std::string_view text, std::vector<Reading>& out) {
    constexpr double kTenth = 10;
    unsigned worst = 0;
    for (const std::string_view word : words(text)) worst = std::max(worst, parse_hex(word).value_or(0));
    if (worst > 0) out.push_back({path + "wear", "%", kTenth * worst});
  }

  static void add_spare(const std::string& path, std::string_view text, std::vector<Reading>& out) {
    constexpr const char* kWords[] = {"", "normal", "warning", "urgent"};
    const unsigned state = parse_hex(text).value_or(0);
    if (state >= 1 && state < std::size(kWords)) out.push_back(state_reading(path + "spare_blocks", kWords[state]));
  }

  const fs::path block_;
};

}  // namespace

std::unique_ptr<Group> make_wear(const fs::path& root) { return std::make_unique<Wear>(root); }

}  // namespace tidegate::drivers::host
