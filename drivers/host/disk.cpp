#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

namespace fs = std::filesystem;

// A mount point as /proc writes it: blanks and backslashes as \040 and the like.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t k) { return i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7'; };
    if (text[i] == '\\' && octal(1) && octal(2) && octal(3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "/" is "root", "/var/lib" is "var-lib".
std::string mount_level(const std::string& mount_point) {
  std::string name = mount_point == "/" ? "root" : mount_point.substr(1);
  std::replace(name.begin(), name.end(), '/', '-');
  return as_level(name);
}

class Disk final : public Group {
 public:
  explicit Disk(const fs::path& root)
      : root_(root), stats_(root / "proc/diskstats"), mounts_(root / "proc/self/mounts"), block_(root / "sys/block") {}

  Status read(Timestamp now, std::vector<Reading>& out) override {
    const Status use = add_use(out);
    const Status traffic = add_traffic(now, out);
    return use ? traffic : use;
  }

 private:
  Status add_use(std::vector<Reading>& out) {
    const auto text = read_file(mounts_);
    if (!text) return fail(text.error());
    std::set<std::string> seen;  // a device that is mounted twice is one disk
    for (const std::string_view line : split(*text, '\n')) {
      const auto columns = words(line);
      if (columns.size() < 2) continue;
      const std::string device(columns[0]), mount_point = unescape(columns[1]);
      const bool on_disk = device.starts_with("/dev/") && !device.starts_with("/dev/loop");
      if ((on_disk || mount_point == "/") && seen.insert(device).second) {
        if (auto added = add_use_of(mount_point, out); !added) return added;
      }
    }
    return {};
  }

  Status add_use_of(const std::string& mount_point, std::vector<Reading>& out) const {
    struct statvfs now {};
    const fs::path where = root_ / fs::path(mount_point).relative_path();
    if (::statvfs(where.c_str(), &now) != 0) {
      if (errno == ENOENT || errno == EACCES) return {};  // beyond this process's view, such as under a hardened unit
      return fail(Errc::io, "cannot read the free space of {}: {}", mount_point, std::strerror(errno));
    }
    const double used = static_cast<double>(now.f_blocks) - static_cast<double>(now.f_bfree);
    const double usable = used + static_cast<double>(now.f_bavail);  // as df counts: without root's reserve
    if (usable <= 0) return {};
    constexpr double kMiB = 1024.0 * 1024.0;
    const std::string path = "disk/" + mount_level(mount_point) + '/';
    out.push_back({path + "used", "%", 100 * used / usable});
    out.push_back({path + "free", "MiB", static_cast<double>(now.f_bavail) * static_cast<double>(now.f_frsize) / kMiB});
    return {};
  }

  Status add_traffic(Timestamp now, std::vector<Reading>& out) {
    const auto text = read_file(stats_);
    if (!text) return fail(text.error());
    rates_.begin(now);
    for (const std::string_view line : split(*text, '\n')) add_traffic_of(words(line), out);
    return {};
  }

  // The columns of proc/diskstats, of the kernel's admin-guide/iostats: sectors are of 512 bytes whatever the disk's.
  void add_traffic_of(const std::vector<std::string_view>& columns, std::vector<Reading>& out) {
    constexpr std::size_t kName = 2, kSectorsRead = 5, kSectorsWritten = 9, kBusyMs = 12;
    constexpr double kSectorInKilobytes = 0.512;
    double read = 0, written = 0, busy = 0;
    if (columns.size() <= kBusyMs || !is_real(columns[kName])) return;
    if (!parse_number(columns[kSectorsRead], read) || !parse_number(columns[kSectorsWritten], written) ||
        !parse_number(columns[kBusyMs], busy)) {
      return;
    }
    const std::string path = "disk/" + as_level(columns[kName]) + '/';
    const auto rate = [&](const char* name, const char* unit, double total, double most) {
      auto value = rates_.per_second(path + name, total);
      if (value) value = std::min(*value, most);
      out.push_back({path + name, unit, value});
    };
    constexpr double kMsInPercentSecond = 10, kAnything = 1e18, kPercent = 100;
    rate("read", "kB/s", read * kSectorInKilobytes, kAnything);
    rate("written", "kB/s", written * kSectorInKilobytes, kAnything);
    rate("busy", "%", busy / kMsInPercentSecond, kPercent);
  }

  // A whole disk with hardware behind it: no partition, loop, ram or mapped device.
  bool is_real(std::string_view name) const {
    std::error_code ignored;
    return fs::exists(block_ / name / "device", ignored);
  }

  const fs::path root_, stats_, mounts_, block_;
  Rates rates_;
};

}  // namespace

std::unique_ptr<Group> make_disk(const fs::path& root) { return std::make_unique<Disk>(root); }

}  // namespace tidegate::drivers::host
