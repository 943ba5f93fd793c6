#include "gateway/config/references.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "gateway/core/fd.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

tl::unexpected<Error> cannot_read(const std::filesystem::path& path, int error) {
  return fail(error == ENOENT ? Errc::not_found : Errc::io, "cannot read {}: {}", printable(path.string()),
              std::strerror(error));
}

Result<std::string> read_all(int fd, const std::filesystem::path& path) {
  std::string text;
  std::array<char, 16384> block{};
  while (true) {
    const ssize_t count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_read(path, errno);
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > kMaxFileBytes) {
      return fail(Errc::io, "cannot read {}: it is larger than {} bytes", printable(path.string()), kMaxFileBytes);
    }
  }
}

std::string exposure(mode_t mode, const std::filesystem::path& path) {
  if ((mode & (S_IRWXG | S_IRWXO)) == 0) return "";
  return fmt::format("others may use this file of secrets (mode {:04o}); run: chmod 600 {}", mode & 07777u,
                     printable(path.string()));
}

Result<References::PrivateFile> read_regular_file(const std::filesystem::path& path) {
  // Non-blocking, so that a FIFO does not hold up the start before it is refused.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return cannot_read(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::io, "cannot read {}: it is not a regular file", printable(path.string()));
  }
  return read_all(file.get(), path).map([&](std::string text) {
    return References::PrivateFile{std::move(text), exposure(status.st_mode, path)};
  });
}

void trim_line_end(std::string& text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
}

const std::vector<std::string>& tags() {
  static const std::vector<std::string> kTags = {"!env", "!secret", "!file"};
  return kTags;
}

}  // namespace

References References::system() {
  return {.environment = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value ? std::optional<std::string>(value) : std::nullopt;
          },
          .read_file =
              [](const std::filesystem::path& path) {
                return read_regular_file(path).map([](PrivateFile file) { return std::move(file.text); });
              },
          .read_private_file = read_regular_file};
}

bool ReferenceResolver::knows(std::string_view tag) {
  for (const std::string& known : tags()) {
    if (tag == known) return true;
  }
  return false;
}

std::string ReferenceResolver::unknown_tag(const std::string& tag) {
  constexpr std::string_view kYaml = "tag:yaml.org,2002:";
  const bool is_yaml = tag.substr(0, kYaml.size()) == kYaml;
  const std::string hint = did_you_mean(tag, tags());
  return fmt::format("unknown tag '{}'{}", is_yaml ? "!!" + printable(tag.substr(kYaml.size())) : printable(tag),
                     hint.empty() ? "; known are !env, !secret and !file" : hint);
}

std::optional<std::string> ReferenceResolver::resolve(std::string_view tag, const std::string& name, const Mark& at) {
  if (name.empty()) {
    problems_.add(at, fmt::format("{} needs a name, as in `{} NAME`", tag, tag));
    return std::nullopt;
  }
  if (!references_.environment) {
    problems_.add(at, fmt::format("{} cannot stand here: write the value itself", tag));
    return std::nullopt;
  }
  if (tag == "!env") return environment(name, at);
  if (tag == "!file") return file(name, at);
  return secret(name, at);
}

std::optional<std::string> ReferenceResolver::environment(const std::string& name, const Mark& at) {
  std::optional<std::string> value = references_.environment(name);
  if (!value) problems_.add(at, fmt::format("the environment variable '{}' is not set", printable(name)));
  return value;
}

std::optional<std::string> ReferenceResolver::file(const std::string& path, const Mark& at) {
  Result<std::string> text = references_.read_file(directory_ / path);
  if (!text) {
    problems_.add(at, text.error().text);
    return std::nullopt;
  }
  trim_line_end(*text);
  if (!valid_utf8(*text)) {
    problems_.add(at, fmt::format("{} is not UTF-8 text", printable((directory_ / path).string())));
    return std::nullopt;
  }
  return *text;
}

std::optional<std::string> ReferenceResolver::secret(const std::string& key, const Mark& at) {
  look_at_secrets(at);
  if (secrets_->refused) return std::nullopt;
  const Node* value = secrets_->find(key);
  if (value && value->kind == Node::Kind::scalar) return value->text;
  std::vector<std::string> keys;
  for (const Node::Entry& entry : secrets_->entries) keys.push_back(entry.key);
  problems_.add(at, value ? fmt::format("secret '{}' must be one text in secrets.yaml", printable(key))
                          : fmt::format("secrets.yaml has no key '{}'{}", printable(key), did_you_mean(key, keys)));
  return std::nullopt;
}

namespace {

/// The first line that is neither a key's nor a comment: a quote that is not closed takes the keys after it into its
/// value.
int line_without_key(std::string_view text, const Node& secrets) {
  std::set<int> keys;
  for (const Node::Entry& entry : secrets.entries) keys.insert(entry.at.line);
  int line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::size_t first = text.substr(0, end).find_first_not_of(" \t\r");
    const bool blank = first == std::string_view::npos || text[first] == '#';
    const bool marker = text.substr(0, end).starts_with("---");
    const bool item = !blank && text[first] == '-';  // of a list, which is told where it is asked for
    if (!blank && !marker && !item && !keys.contains(line)) return line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

}  // namespace

void ReferenceResolver::look_at_secrets(const Mark& at) {
  if (secrets_) return;
  const std::filesystem::path path = directory_ / "secrets.yaml";
  const auto name = std::make_shared<const std::string>(path.string());
  secrets_ = Node::refusal();
  const Result<References::PrivateFile> file = references_.read_private_file(path);
  if (!file && file.error().code == Errc::not_found) {
    problems_.add(at, fmt::format("{} does not exist; create it with mode 0600, one `key: value` a line",
                                  printable(path.string())));
    return;
  }
  if (!file) return problems_.add({name, 0, 0}, file.error().text);
  if (!file->exposure.empty()) problems_.add({name, 0, 0}, file->exposure);
  // The parser's own messages may repeat what stands there.
  Problems inner;
  Node secrets = parse(file->text, *name, directory_, {}, inner);
  if (inner.empty() && secrets.kind == Node::Kind::map) {
    if (const int line = line_without_key(file->text, secrets); line > 0) {
      problems_.add({name, line, 1}, "belongs to the value before it; is a quote before this not closed?");
      return;
    }
    secrets_ = std::move(secrets);
    return;
  }
  const Mark place = inner.empty() ? secrets.at : inner.sorted().front().at;
  problems_.add(place, "not a list of `key: value` lines; put a value with special characters in quotes");
}

}  // namespace tidegate::config
