#include <unistd.h>

#include <algorithm>

#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

namespace fs = std::filesystem;

struct Process {
  std::string name;
  double ticks = 0;  ///< of processor time
  double pages = 0;  ///< in memory
  std::string born;  ///< a number is given anew, and then the process is another
};

// "123 (a name) S 1 ..." (man 5 proc): the name may hold blanks and brackets, so it ends at the last one.
std::optional<Process> parse_stat(std::string_view text) {
  constexpr std::size_t kUser = 11, kSystem = 12, kStart = 19, kResident = 21;  // behind the name
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const auto columns = words(text.substr(close + 1));
  double user = 0, system = 0, resident = 0;
  if (columns.size() <= kResident || !parse_number(columns[kUser], user) || !parse_number(columns[kSystem], system) ||
      !parse_number(columns[kResident], resident)) {
    return std::nullopt;
  }
  return Process{std::string(text.substr(open + 1, close - open - 1)), user + system, resident,
                 std::string(columns[kStart])};
}

class Processes final : public Group {
 public:
  Processes(const fs::path& root, std::vector<std::string> names) : proc_(root / "proc"), names_(std::move(names)) {}

  Status read(Timestamp now, std::vector<Reading>& out) override {
    if (names_.empty()) return {};
    sums_.assign(names_.size(), {});
    rates_.begin(now);
    for (const fs::path& folder : entries(proc_)) {
      const std::string number = folder.filename().string();
      if (number.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto text = read_file(folder / "stat");
      if (const auto process = text ? parse_stat(*text) : std::nullopt) add(number, *process);
    }
    for (std::size_t i = 0; i < names_.size(); ++i) tell(names_[i], sums_[i], out);
    return {};
  }

 private:
  struct Sum {
    double count = 0, pages = 0;
    std::optional<double> ticks_per_second;
  };

  void add(const std::string& number, const Process& process) {
    constexpr std::size_t kLongestName = 15;  // as the kernel cuts it
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (process.name != std::string_view(names_[i]).substr(0, kLongestName)) continue;
      ++sums_[i].count;
      sums_[i].pages += process.pages;
      const auto rate = rates_.per_second(number + '/' + process.born, process.ticks);
      if (rate) sums_[i].ticks_per_second = sums_[i].ticks_per_second.value_or(0) + *rate;
    }
  }

  void tell(const std::string& name, const Sum& sum, std::vector<Reading>& out) const {
    constexpr double kPercent = 100, kMiB = 1024.0 * 1024.0;
    const std::string path = "process/" + as_level(name) + '/';
    out.push_back({path + "count", "", sum.count});
    if (sum.count == 0) return;
    out.push_back({path + "memory", "MiB", sum.pages * page_ / kMiB});
    std::optional<double> cpu;
    if (sum.ticks_per_second) cpu = kPercent * *sum.ticks_per_second / ticks_in_second_;
    out.push_back({path + "cpu", "%", cpu});
  }

  const fs::path proc_;
  const std::vector<std::string> names_;
  const double page_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double ticks_in_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::vector<Sum> sums_;
  Rates rates_;
};

}  // namespace

std::unique_ptr<Group> make_processes(const fs::path& root, std::vector<std::string> names) {
  return std::make_unique<Processes>(root, std::move(names));
}

}  // namespace tidegate::drivers::host
