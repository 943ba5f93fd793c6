// What arguments are, and which of the functions of one name they are meant for.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rules/expr/tree.h"
#include "rules/units.h"

namespace tidegate::rules::expr {
namespace {

constexpr Micros kLongest = std::chrono::days(400), kWidest = std::chrono::days(90);
constexpr double kMostSamples = 4096;
constexpr Micros kDay = std::chrono::days(1), kLeastTumble = std::chrono::seconds(1);
constexpr Micros kShortestSeason = std::chrono::seconds(1), kLongestSeason = std::chrono::days(7);

bool holds_pattern(const Tree& tree, const Node& node) {
  if (node.kind == Node::Kind::name) return node.reference_kind == Reads::Kind::pattern;
  if (node.kind == Node::Kind::call && is_aggregate(*node.function)) return false;
  return std::any_of(node.arguments.begin(), node.arguments.end(),
                     [&tree](std::size_t i) { return holds_pattern(tree, tree.nodes[i]); });
}

/// min(x, 5m), but not min(x, 5 m).
bool ends_in_window(const Tree& tree, const Node& call) {
  if (call.arguments.size() != 2) return false;
  const Node& last = tree.argument(call, 1);
  const bool is_number = last.kind == Node::Kind::number;
  return is_window_only(last) ||
         (is_number && (last.time >= Micros{0} || last.text == "samples" || last.text == "sample"));
}

std::optional<Problem> check_argument(const Tree& tree, char parameter, const Node& argument,
                                      const Function& function) {
  const auto judge = [](auto read) {
    auto* refused = std::get_if<Problem>(&read);
    return refused == nullptr ? std::nullopt : std::optional(std::move(*refused));
  };
  if (parameter == 'w') return judge(extent(tree, argument));
  if (parameter == 'd') return judge(duration(tree, argument));
  if (parameter == 'p') return judge(period(tree, argument));
  if (parameter == 't' && argument.kind != Node::Kind::time_of_day)
    return Problem{argument.at, "here stands a time of day, like 06:30"};
  if (parameter == 'u' && argument.kind != Node::Kind::text)
    return Problem{argument.at, "here stands a unit in double quotes, like \"kW\""};
  if (parameter == 'r' && argument.kind != Node::Kind::name)
    return Problem{argument.at, fmt::format("{} is of a series: here stands a name", function.name)};
  return std::nullopt;
}

}  // namespace

std::variant<Micros, Problem> duration(const Tree& tree, const Node& node) {
  const auto refuse = [&](std::string text) { return Problem{node.at, std::move(text)}; };
  if (node.kind != Node::Kind::number)
    return refuse(fmt::format("'{}' is no duration: write one like 30s, 5m or 1h30m", tree.written(node)));
  Micros time = node.time;
  if (time < Micros{0}) {
    if (node.text.empty())
      return refuse(fmt::format("{} of what? Write a time with its unit, like 30s, 5m or 1h", tree.written(node)));
    if (node.text == "m") return refuse("with a space these are metres: five minutes are 5m or 5 min");
    const auto seconds = convert(node.value, node.text, "s");
    if (!seconds) return refuse(fmt::format("'{}' is no time: write one like 30s, 5m or 1h", tree.written(node)));
    if (!(*seconds <= 1e9)) return refuse("the longest duration is 400 days");
    time = Micros{std::llround(*seconds * 1e6)};
  }
  if (time <= Micros{0}) return refuse("a duration is longer than 0");
  if (time > kLongest) return refuse("the longest duration is 400 days");
  return time;
}

std::variant<Micros, Problem> period(const Tree& tree, const Node& node) {
  auto read = duration(tree, node);
  const Micros* time = std::get_if<Micros>(&read);
  if (time == nullptr || (*time >= kShortestSeason && *time <= kLongestSeason)) return read;
  return Problem{node.at, "a season is 1s to 7d long"};
}

namespace {

/// each 1h, session 30s
std::variant<Extent, Problem> spaced_extent(const Tree& tree, const Node& node) {
  const Node& written = tree.argument(node, 0);
  auto time = duration(tree, written);
  if (auto* problem = std::get_if<Problem>(&time)) return std::move(*problem);
  Extent out;
  out.kind = node.kind == Node::Kind::each ? Extent::Kind::each : Extent::Kind::session;
  out.width = std::get<Micros>(time);
  if (node.kind == Node::Kind::session && out.width >= kDay)
    return Problem{written.at, "a session has samples less than a day apart: write a shorter time"};
  if (node.kind == Node::Kind::each && (out.width < kLeastTumble || kDay % out.width != Micros{0})) {
    return Problem{written.at, fmt::format("a day is cut into windows of 1s or more that fill it: {} does not, 15m, 1h "
                                           "or 24h do",
                                           tree.written(written))};
  }
  return out;
}

}  // namespace

std::variant<Extent, Problem> extent(const Tree& tree, const Node& node) {
  const auto refuse = [&](std::string text) { return Problem{node.at, std::move(text)}; };
  Extent out;
  if (node.kind == Node::Kind::since) {
    out.kind = Extent::Kind::since;
    out.of_day = node.time;
    return out;
  }
  if (node.kind == Node::Kind::each || node.kind == Node::Kind::session) return spaced_extent(tree, node);
  if (node.kind != Node::Kind::number) {
    return refuse(fmt::format("'{}' is no window: write 5m, 100 samples, each 1h, session 30s or since(midnight)",
                              tree.written(node)));
  }
  if (node.text == "samples" || node.text == "sample") {
    if (node.value != std::floor(node.value) || node.value < 1 || node.value > kMostSamples)
      return refuse(fmt::format("a window holds 1 to {} samples", kMostSamples));
    out.kind = Extent::Kind::samples;
    out.count = static_cast<std::size_t>(node.value);
    return out;
  }
  auto time = duration(tree, node);
  if (auto* problem = std::get_if<Problem>(&time)) {
    if (node.text.empty()) problem->text = fmt::format("a window of {} what? Write 5m or 100 samples", node.value);
    return std::move(*problem);
  }
  out.width = std::get<Micros>(time);
  if (out.width > kWidest) return refuse("the widest window is 90 days");
  return out;
}

const Function* choose_function(const Tree& tree, std::string_view name, const Node& call) {
  const Function* best = nullptr;
  for (const Function& row : functions()) {
    if (row.name != name) continue;
    const bool is_meant = is_aggregate(row) ? call.arguments.size() == 1 && holds_pattern(tree, tree.argument(call, 0))
                          : is_window(row)  ? ends_in_window(tree, call)
                                            : !ends_in_window(tree, call);
    if (best == nullptr || is_meant) best = &row;
  }
  return best;
}

std::optional<Problem> check_arguments(const Tree& tree, const Node& call) {
  const Function& function = *call.function;
  std::string_view parameters = function.parameters;
  const bool has_more = parameters.ends_with('*');
  if (has_more) parameters.remove_suffix(1);
  const std::size_t given = call.arguments.size();
  if (given < parameters.size() || (given > parameters.size() && !has_more)) {
    const bool lacks_window = parameters.ends_with('w') && given + 1 == parameters.size();
    return Problem{call.at, fmt::format("{} is written {}{}", function.name, function.usage,
                                        lacks_window ? ", with a window like 5m or 100 samples" : "")};
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (auto problem = check_argument(tree, parameters[i], tree.argument(call, i), function)) return problem;
  }
  return std::nullopt;
}

}  // namespace tidegate::rules::expr
