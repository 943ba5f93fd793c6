#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/result.h"

namespace tidegate {

/// What a match bound: {"device", "boiler1"}. Views into the matched name.
using Captures = std::vector<std::pair<std::string_view, std::string_view>>;

/// A topic-like pattern over names of levels separated by '/': a literal level, `+` (one level), `{name}` (one level,
/// captured), `#` or `{name...}` (all the rest, last level only). `{name}` may also stand within a level, once, beside
/// literal text ("sensor-{id}"). A capture never binds the empty text; `#` matches no level at all too ("a/#" matches
/// "a", as in MQTT). Immutable; any thread.
class Pattern {
 public:
  /// Errors name the offending level and say what is allowed.
  static Result<Pattern> parse(std::string_view text);

  bool matches(std::string_view name) const;
  /// The captures, in order of appearance, or nothing where `name` does not match.
  std::optional<Captures> match(std::string_view name) const;

  /// The same pattern, of which nothing but `name` is a match.
  Pattern only(std::string name) const;

  const std::string& text() const { return text_; }
  /// No wildcard and no capture: it names one series.
  bool literal() const { return literal_; }
  /// `+` or `#` without a name: captures alone do not identify a match.
  bool anonymous_wildcard() const { return anonymous_; }
  std::vector<std::string> capture_names() const;
  /// As an MQTT topic filter: captures become + and #. A capture within a level widens to `+`; match() narrows again.
  std::string mqtt_filter() const;

 private:
  struct Level {
    enum class Kind { literal, one, rest } kind;
    std::string prefix, capture, suffix;  ///< literal: the text is `prefix`
  };
  Status add_level(std::string_view level, bool last);
  Status add_capture(std::string_view level, std::size_t open, bool last);
  template <class Bind>
  bool walk(std::string_view name, const Bind& bind) const;

  std::string text_;
  std::vector<Level> levels_;
  std::optional<std::string> only_;
  bool literal_ = true;
  bool anonymous_ = false;
};

/// Text with {named} places, for series names and alert messages: "{device}/{field}". `{{` and `}}` are braces.
class Template {
 public:
  /// `allowed` lists the names that may stand in braces; any other is an error with the nearest one. An empty list
  /// allows every name.
  static Result<Template> parse(std::string_view text, const std::vector<std::string>& allowed);

  /// `lookup(name)` gives the text for a name; a name that it does not know (nullopt) is shown as "?".
  template <class Lookup>
  std::string render(const Lookup& lookup) const {
    std::string out;
    for (const auto& [is_name, part] : parts_) {
      if (!is_name) {
        out += part;
      } else if (const std::optional<std::string> found = lookup(std::string_view(part))) {
        out += *found;
      } else {
        out += '?';
      }
    }
    return out;
  }
  std::vector<std::string> names() const;

 private:
  std::vector<std::pair<bool, std::string>> parts_;
};

}  // namespace tidegate
