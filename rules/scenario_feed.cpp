#include "rules/scenario_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::rules {
namespace {

using config::Node;

constexpr std::size_t kMostSamples = 2'000'000;

/// "91x3": what, and how often.
struct Token {
  std::string_view text;
  std::int64_t times = 1;
};

class Reader {
 public:
  Reader(const Node& scenario, Feed& feed, std::vector<std::string>& failures)
      : every_(scenario.duration("every")), feed_(feed), failures_(failures) {}

  void read(SeriesId id, const Node& list) {
    Timestamp at = kScenarioStart;
    for (const Node& item : list.items) {
      const auto token = split(id, item.text);
      if (!token) {
        fail(item, "is no sample");
        continue;
      }
      if (feed_.arrivals.size() + static_cast<std::size_t>(token->times) > kMostSamples) {
        fail(item, fmt::format("makes it more than {} samples", kMostSamples));
        return;
      }
      if (!put(id, *token, at)) fail(item, "is no sample");
    }
  }

 private:
  void fail(const Node& item, std::string_view why) {
    failures_.push_back(fmt::format("{}: '{}' {}", config::text(item.at), item.text, why));
  }

  /// A state may end in an x and digits.
  std::optional<Token> split(SeriesId id, std::string_view text) const {
    const auto& states = feed_.series[index(id)].states;
    const std::size_t x = text.rfind('x');
    double count = 0;
    if (x == std::string_view::npos || std::find(states.begin(), states.end(), text) != states.end() ||
        !parse_number(text.substr(x + 1), count)) {
      return Token{text};
    }
    if (!(count >= 1 && count <= 1e6) || count != std::floor(count)) return std::nullopt;
    return Token{text.substr(0, x), static_cast<std::int64_t>(count)};
  }

  bool put(SeriesId id, const Token& token, Timestamp& at) {
    for (std::int64_t i = 0; i < token.times; ++i, at += every_) {
      feed_.end = std::max(feed_.end, at);
      if (token.text == "_") continue;
      const auto read = sample(id, token.text, at);
      if (!read) return false;
      feed_.arrivals.push_back({at, *read});
    }
    return true;
  }

  std::optional<Sample> sample(SeriesId id, std::string_view text, Timestamp at) const {
    Sample sample{id, Quality::good, Reason::none, at - feed_.series[index(id)].lag, 0};
    if (text == "bad") return Sample{id, Quality::bad, Reason::no_answer, at, 0};
    if (const std::size_t mark = text.find('@'); mark != std::string_view::npos) {
      const auto time = parse_duration(text.substr(mark + 1));
      if (!time) return std::nullopt;
      sample.time = kScenarioStart + *time;
      text = text.substr(0, mark);
    }
    for (const auto& [word, reason] :
         {std::pair{std::string_view("retained:"), Reason::retained}, {"uncertain:", Reason::clock}}) {
      if (!text.starts_with(word)) continue;
      sample.quality = Quality::uncertain;
      sample.reason = reason;
      text.remove_prefix(word.size());
    }
    const auto& states = feed_.series[index(id)].states;
    const auto state = std::find(states.begin(), states.end(), text);
    if (state != states.end()) {
      sample.value = static_cast<double>(state - states.begin());
    } else if (text == "nan") {
      sample.value = std::numeric_limits<double>::quiet_NaN();
    } else if (!parse_number(text, sample.value)) {
      return std::nullopt;
    }
    return sample;
  }

  const Micros every_;
  Feed& feed_;
  std::vector<std::string>& failures_;
};

}  // namespace

SeriesId Feed::id_of(const std::string& name) {
  const auto found = std::find_if(series.begin(), series.end(), [&](const FedSeries& one) { return one.name == name; });
  if (found != series.end()) return SeriesId{static_cast<std::uint32_t>(found - series.begin())};
  series.push_back({name, {}, {}, {}});
  return SeriesId{static_cast<std::uint32_t>(series.size() - 1)};
}

Feed read_feed(const Node& scenario, std::vector<std::string>& failures) {
  Feed feed;
  for (const Node::Entry& entry : scenario["series"].entries) {
    FedSeries& one = feed.series[index(feed.id_of(entry.key))];
    one.info.unit = entry.value.string("unit");
    one.states = entry.value["states"].strings();
    one.lag = entry.value.duration("lag") - entry.value.duration("ahead");
    for (const SeriesKind kind : {SeriesKind::number, SeriesKind::counter, SeriesKind::boolean, SeriesKind::state}) {
      if (name(kind) == entry.value.string("kind")) one.info.kind = kind;
    }
  }
  Reader reader(scenario, feed, failures);
  for (const Node::Entry& entry : scenario["feed"].entries) reader.read(feed.id_of(entry.key), entry.value);
  std::stable_sort(feed.arrivals.begin(), feed.arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return feed;
}

}  // namespace tidegate::rules
