#include "drivers/host/readings.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "gateway/core/text.h"

namespace tidegate::drivers::host {

namespace {

using Maker = std::unique_ptr<Group> (*)(const std::filesystem::path&);
constexpr std::array<std::pair<std::string_view, Maker>, 6> kGroups = {{{"cpu", make_cpu},
                                                                        {"memory", make_memory},
                                                                        {"disk", make_disk},
                                                                        {"network", make_network},
                                                                        {"temperature", make_temperature},
                                                                        {"uptime", make_uptime}}};

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& file) : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

const std::vector<std::string>& group_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make] : kGroups) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::unique_ptr<Group> make_group(std::string_view name, const std::filesystem::path& root) {
  for (const auto& [known, make] : kGroups) {
    if (known == name) return make(root);
  }
  return nullptr;
}

Result<std::string> read_file(const std::filesystem::path& file) {
  constexpr std::size_t kMaxBytes = 1u << 20, kStep = 4096;
  const OpenFile open(file);
  if (open.fd() < 0) return fail(Errc::io, "cannot open {}: {}", file.string(), std::strerror(errno));
  std::string text;
  while (text.size() < kMaxBytes) {
    const std::size_t before = text.size();
    text.resize(before + kStep);
    const ssize_t got = ::read(open.fd(), text.data() + before, kStep);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "cannot read {}: {}", file.string(), std::strerror(errno));
    if (got == 0) break;
  }
  return text;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (true) {
    const std::size_t start = line.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return found;
    const std::size_t size = std::min(line.find_first_of(" \t\n", start), line.size()) - start;
    found.push_back(line.substr(start, size));
    line.remove_prefix(start + size);
  }
}

std::optional<double> read_number(const std::filesystem::path& file) {
  double value = 0;
  const auto text = read_file(file);
  if (!text || !parse_number(*text, value)) return std::nullopt;
  return value;
}

std::string as_level(std::string_view text) {
  std::string level;
  for (const char c : trim(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    const bool upper = c >= 'A' && c <= 'Z';
    level += plain ? c : upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  return level.empty() ? "unnamed" : level;
}

void Rates::begin(Timestamp now) { now_ = now; }

std::optional<double> Rates::per_second(const std::string& key, double total) {
  const auto [at, is_new] = last_.try_emplace(key, Total{now_, total});
  const Total before = std::exchange(at->second, Total{now_, total});
  const double seconds = std::chrono::duration<double>(now_ - before.time).count();
  if (is_new || seconds <= 0 || total < before.value) return std::nullopt;
  return (total - before.value) / seconds;
}

}  // namespace tidegate::drivers::host
