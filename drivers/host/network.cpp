#include <algorithm>

#include "drivers/host/readings.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

namespace fs = std::filesystem;

struct Interface {
  std::string name;
  double received = 0, received_packets = 0, received_errors = 0, received_dropped = 0;
  double sent = 0, sent_packets = 0, sent_errors = 0, sent_dropped = 0;
};

// "  eth0: 1234 10 0 ..." of proc/net/dev (man 5 proc): eight columns received, eight sent.
std::optional<Interface> parse_line(std::string_view line) {
  constexpr std::size_t kColumns = 16, kSent = 8;
  const std::size_t colon = line.rfind(':');  // an alias has a colon of its own
  if (colon == std::string_view::npos) return std::nullopt;
  const auto columns = words(line.substr(colon + 1));
  if (columns.size() < kColumns) return std::nullopt;
  std::vector<double> numbers(kColumns);
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (!parse_number(columns[i], numbers[i])) return std::nullopt;
  }
  return Interface{std::string(trim(line.substr(0, colon))),
                   numbers[0],
                   numbers[1],
                   numbers[2],
                   numbers[3],
                   numbers[kSent],
                   numbers[kSent + 1],
                   numbers[kSent + 2],
                   numbers[kSent + 3]};
}

class Network final : public Group {
 public:
  explicit Network(const fs::path& root) : file_(root / "proc/net/dev"), class_(root / "sys/class/net") {}

  Status read(Timestamp now, std::vector<Reading>& out) override {
    const auto text = read_file(file_);
    if (!text) return fail(text.error());
    rates_.begin(now);
    for (const Interface& interface : real(parse(*text))) add(interface, out);
    return {};
  }

 private:
  static std::vector<Interface> parse(std::string_view text) {
    std::vector<Interface> found;
    for (const std::string_view line : split(text, '\n')) {
      if (auto interface = parse_line(line); interface && interface->name != "lo") found.push_back(*interface);
    }
    return found;
  }

  // Real is what has a device behind it. A container has none: there, every interface but lo is shown.
  std::vector<Interface> real(std::vector<Interface> all) const {
    const auto has_device = [&](const Interface& interface) {
      std::error_code ignored;
      return fs::exists(class_ / interface.name / "device", ignored);
    };
    if (std::none_of(all.begin(), all.end(), has_device)) return all;
    std::erase_if(all, [&](const Interface& interface) { return !has_device(interface); });
    return all;
  }

  void add(const Interface& interface, std::vector<Reading>& out) {
    constexpr double kBytesInKilobyte = 1000;
    const std::string path = "network/" + as_level(interface.name) + '/';
    const auto rate = [&](const char* name, const char* unit, double total) {
      out.push_back({path + name, unit, rates_.per_second(path + name, total)});
    };
    rate("received", "kB/s", interface.received / kBytesInKilobyte);
    rate("sent", "kB/s", interface.sent / kBytesInKilobyte);
    rate("received_packets", "/s", interface.received_packets);
    rate("sent_packets", "/s", interface.sent_packets);
    rate("errors", "/s", interface.received_errors + interface.sent_errors);
    rate("dropped", "/s", interface.received_dropped + interface.sent_dropped);
  }

  const fs::path file_, class_;
  Rates rates_;
};

}  // namespace

std::unique_ptr<Group> make_network(const fs::path& root) { return std::make_unique<Network>(root); }

}  // namespace tidegate::drivers::host
