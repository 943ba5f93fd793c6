#include "gateway/core/pattern.h"

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate {

namespace {

constexpr std::size_t kMaxPattern = 65'535;  // MQTT's bound on a topic filter

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool valid_name(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), name_character);
}

bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Walks the levels of a name from the left without allocating.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) {}
  bool at_end() const { return ended_; }
  std::string_view rest() const { return rest_; }
  std::string_view take() {
    const std::size_t at = rest_.find('/');
    const std::string_view level = rest_.substr(0, at);
    ended_ = at == std::string_view::npos;
    rest_ = ended_ ? std::string_view() : rest_.substr(at + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool ended_ = false;
};

// What {name} binds within a level, or nothing; never the empty text.
std::optional<std::string_view> bound(std::string_view level, std::string_view prefix, std::string_view suffix) {
  if (level.size() <= prefix.size() + suffix.size()) return std::nullopt;
  if (!level.starts_with(prefix) || !level.ends_with(suffix)) return std::nullopt;
  return level.substr(prefix.size(), level.size() - prefix.size() - suffix.size());
}

Status check_name(const std::string& name, const std::vector<std::string>& allowed) {
  if (name.empty()) return fail(Errc::invalid, "{{}} names nothing; put a name between the braces");
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return {};
  return fail(Errc::invalid, "{{{}}} is not known here{}; there is {{{}}}", printable(name),
              did_you_mean(name, allowed), fmt::join(allowed, "}, {"));
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.empty()) return fail(Errc::invalid, "the pattern is empty; write a name, or # for every name");
  if (text.size() > kMaxPattern) return fail(Errc::invalid, "the pattern is longer than {} bytes", kMaxPattern);
  if (!valid_utf8(text) || std::any_of(text.begin(), text.end(), control)) {
    return fail(Errc::invalid, "the pattern '{}' is not plain UTF-8 text", printable(text));
  }
  Pattern pattern;
  pattern.text_ = text;
  const auto levels = split(text, '/');
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (auto added = pattern.add_level(levels[i], i + 1 == levels.size()); !added)
      return fail(std::move(added.error()));
  }
  return pattern;
}

Status Pattern::add_level(std::string_view level, bool last) {
  if (level == "+" || level == "#") {
    if (level == "#" && !last) return fail(Errc::invalid, "'#' stands for all the rest, so it must be the last level");
    literal_ = false;
    anonymous_ = true;
    levels_.push_back({level == "+" ? Level::Kind::one : Level::Kind::rest, "", "", ""});
    return {};
  }
  if (level.find_first_of("+#") != std::string_view::npos) {
    return fail(Errc::invalid, "level '{}': + and # stand for whole levels; within one, use {{name}}", level);
  }
  const std::size_t open = level.find('{');
  if (open == std::string_view::npos && level.find('}') == std::string_view::npos) {
    levels_.push_back({Level::Kind::literal, std::string(level), "", ""});
    return {};
  }
  return add_capture(level, open, last);
}

Status Pattern::add_capture(std::string_view level, std::size_t open, bool last) {
  const std::size_t close = level.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return fail(Errc::invalid, "level '{}': the braces do not match; a capture is {{name}}", level);
  }
  std::string_view name = level.substr(open + 1, close - open - 1);
  const std::string_view prefix = level.substr(0, open), suffix = level.substr(close + 1);
  if (suffix.find_first_of("{}") != std::string_view::npos) {
    return fail(Errc::invalid, "level '{}': a level may hold one capture {{name}}", level);
  }
  const bool rest = name.ends_with("...");
  if (rest) name.remove_suffix(3);
  if (!valid_name(name)) {
    return fail(Errc::invalid, "level '{}': a capture's name is made of letters, digits and _, as in {{device}}",
                level);
  }
  if (rest && (!last || !prefix.empty() || !suffix.empty())) {
    return fail(Errc::invalid, "level '{}': {{{}...}} takes all the rest, so it must be the whole last level", level,
                name);
  }
  for (const Level& other : levels_) {
    if (other.capture == name)
      return fail(Errc::invalid, "level '{}': {{{}}} is captured twice; use two names", level, name);
  }
  literal_ = false;
  levels_.push_back(
      {rest ? Level::Kind::rest : Level::Kind::one, std::string(prefix), std::string(name), std::string(suffix)});
  return {};
}

template <class Bind>
bool Pattern::walk(std::string_view name, const Bind& bind) const {
  if (only_ && name != *only_) return false;
  Levels levels(name);
  for (const Level& level : levels_) {
    if (level.kind == Level::Kind::rest) {
      if (level.capture.empty()) return true;  // MQTT: "a/#" matches "a" too
      if (levels.at_end() || levels.rest().empty()) return false;
      bind(level, levels.rest());
      return true;
    }
    if (levels.at_end()) return false;
    const std::string_view text = levels.take();
    if (level.kind == Level::Kind::literal) {
      if (text != level.prefix) return false;
    } else if (!level.capture.empty()) {
      const auto value = bound(text, level.prefix, level.suffix);
      if (!value) return false;
      bind(level, *value);
    }
  }
  return levels.at_end();
}

bool Pattern::matches(std::string_view name) const {
  return walk(name, [](const Level&, std::string_view) {});
}

std::optional<Captures> Pattern::match(std::string_view name) const {
  Captures captures;
  if (!walk(name, [&](const Level& level, std::string_view value) { captures.emplace_back(level.capture, value); })) {
    return std::nullopt;
  }
  return captures;
}

Pattern Pattern::only(std::string name) const {
  Pattern narrowed = *this;
  narrowed.only_ = std::move(name);
  return narrowed;
}

std::vector<std::string> Pattern::capture_names() const {
  std::vector<std::string> names;
  for (const Level& level : levels_) {
    if (!level.capture.empty()) names.push_back(level.capture);
  }
  return names;
}

std::string Pattern::mqtt_filter() const {
  std::string filter;
  for (const Level& level : levels_) {
    if (&level != levels_.data()) filter += '/';
    filter += level.kind == Level::Kind::literal ? std::string_view(level.prefix)
              : level.kind == Level::Kind::one   ? "+"
                                                 : "#";
  }
  return filter;
}

Result<Template> Template::parse(std::string_view text, const std::vector<std::string>& allowed) {
  Template parsed;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      plain += c;
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      plain += c;
      ++i;
    } else {
      const std::size_t close = c == '{' ? text.find('}', i) : std::string_view::npos;
      if (close == std::string_view::npos) {
        return fail(Errc::invalid, "'{}': a brace without its partner; write {{{{ or }}}} for a brace itself", text);
      }
      const std::string name(text.substr(i + 1, close - i - 1));
      if (auto fine = check_name(name, allowed); !fine) return fail(std::move(fine.error()));
      if (!plain.empty()) parsed.parts_.emplace_back(false, std::exchange(plain, {}));
      parsed.parts_.emplace_back(true, name);
      i = close;
    }
  }
  if (!plain.empty()) parsed.parts_.emplace_back(false, std::move(plain));
  return parsed;
}

std::vector<std::string> Template::names() const {
  std::vector<std::string> found;
  for (const auto& [is_name, part] : parts_) {
    if (is_name && std::find(found.begin(), found.end(), part) == found.end()) found.push_back(part);
  }
  return found;
}

}  // namespace tidegate
