#include <array>

#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

// The columns of the line "cpu" of proc/stat, in ticks (man 5 proc). `guest` is within `user` already.
struct Ticks {
  double idle = 0, iowait = 0, total = 0;
};

std::optional<Ticks> parse_ticks(std::string_view stat) {
  constexpr std::size_t kIdle = 4, kIowait = 5, kSteal = 8;
  const auto columns = words(stat.substr(0, stat.find('\n')));
  if (columns.size() <= kIowait || columns[0] != "cpu") return std::nullopt;
  Ticks ticks;
  for (std::size_t i = 1; i < columns.size() && i <= kSteal; ++i) {
    double value = 0;
    if (!parse_number(columns[i], value)) return std::nullopt;
    ticks.total += value;
    if (i == kIdle) ticks.idle = value;
    if (i == kIowait) ticks.iowait = value;
  }
  return ticks;
}

class Cpu final : public Group {
 public:
  explicit Cpu(const std::filesystem::path& root) : stat_(root / "proc/stat"), load_(root / "proc/loadavg") {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    const auto stat = read_file(stat_);
    if (!stat) return fail(stat.error());
    const auto ticks = parse_ticks(*stat);
    if (!ticks) return fail(Errc::io, "{} does not begin with the line 'cpu'", stat_.string());
    add_shares(*ticks, out);
    last_ = ticks;
    return add_load(out);
  }

 private:
  void add_shares(const Ticks& now, std::vector<Reading>& out) const {
    const Ticks before = last_.value_or(now);
    const double total = now.total - before.total;
    const double idle = now.idle - before.idle, iowait = now.iowait - before.iowait;
    // The kernel's own idle counters may step back by a tick.
    const bool known = total > 0 && idle >= 0 && iowait >= 0;
    const auto share = [&](double of) { return known ? std::optional(100 * of / total) : std::nullopt; };
    out.push_back({"cpu_usage", "%", share(total - idle - iowait)});
    out.push_back({"cpu_iowait", "%", share(iowait)});
  }

  Status add_load(std::vector<Reading>& out) const {
    constexpr std::array<const char*, 3> kNames = {"load_1m", "load_5m", "load_15m"};
    const auto text = read_file(load_);
    if (!text) return fail(text.error());
    const auto columns = words(*text);
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      double value = 0;
      if (i >= columns.size() || !parse_number(columns[i], value)) {
        return fail(Errc::io, "{} does not hold three averages", load_.string());
      }
      out.push_back({kNames[i], "", value});
    }
    return {};
  }

  const std::filesystem::path stat_, load_;
  std::optional<Ticks> last_;
};

class Uptime final : public Group {
 public:
  explicit Uptime(const std::filesystem::path& root) : file_(root / "proc/uptime") {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    const auto text = read_file(file_);
    if (!text) return fail(text.error());
    double seconds = 0;
    const auto columns = words(*text);
    if (columns.empty() || !parse_number(columns[0], seconds)) {
      return fail(Errc::io, "{} does not begin with a number", file_.string());
    }
    out.push_back({"uptime", "s", seconds});
    return {};
  }

 private:
  const std::filesystem::path file_;
};

}  // namespace

std::unique_ptr<Group> make_cpu(const std::filesystem::path& root) { return std::make_unique<Cpu>(root); }
std::unique_ptr<Group> make_uptime(const std::filesystem::path& root) { return std::make_unique<Uptime>(root); }

}  // namespace tidegate::drivers::host
