// What an argument is that stands where a window or a duration does.

#include <fmt/format.h>

#include <cmath>

#include "rules/expr/tree.h"
#include "rules/units.h"

namespace tidegate::rules::expr {
namespace {

constexpr Micros kLongest = std::chrono::days(400), kWidest = std::chrono::days(90);
constexpr double kMostSamples = 4096;

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

std::variant<Extent, Problem> extent(const Tree& tree, const Node& node) {
  const auto refuse = [&](std::string text) { return Problem{node.at, std::move(text)}; };
  Extent out;
  if (node.kind == Node::Kind::since) {
    out.kind = Extent::Kind::since;
    out.of_day = node.time;
    return out;
  }
  if (node.kind != Node::Kind::number) {
    return refuse(fmt::format("'{}' is no window: write 5m, 100 samples or since(midnight)", tree.written(node)));
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

}  // namespace tidegate::rules::expr
