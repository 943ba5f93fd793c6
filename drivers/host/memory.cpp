#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

class Memory final : public Group {
 public:
  explicit Memory(const std::filesystem::path& root) : file_(root / "proc/meminfo") {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    const auto text = read_file(file_);
    if (!text) return fail(text.error());
    const auto total = kibibytes(*text, "MemTotal"), available = kibibytes(*text, "MemAvailable");
    if (!total || !available || *total <= 0) {
      return fail(Errc::io, "{} lacks MemTotal or MemAvailable", file_.string());
    }
    constexpr double kKibInMib = 1024;
    out.push_back({"memory_used", "%", 100 * (*total - *available) / *total});
    out.push_back({"memory_available", "MiB", *available / kKibInMib});
    const auto swap = kibibytes(*text, "SwapTotal"), swap_free = kibibytes(*text, "SwapFree");
    if (swap && swap_free && *swap > 0) out.push_back({"swap_used", "%", 100 * (*swap - *swap_free) / *swap});
    return {};
  }

 private:
  // From the line "MemTotal:  2048 kB"; the kernel's kB is KiB.
  static std::optional<double> kibibytes(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
      if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
      const auto columns = words(line.substr(key.size() + 1));
      double value = 0;
      return !columns.empty() && parse_number(columns[0], value) ? std::optional(value) : std::nullopt;
    }
    return std::nullopt;
  }

  const std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<Group> make_memory(const std::filesystem::path& root) { return std::make_unique<Memory>(root); }

}  // namespace tidegate::drivers::host
