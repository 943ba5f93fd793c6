// Any text as a rules file: read, checked, compiled, and what compiles is run over series of every kind.

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "gateway/config/load.h"
#include "rules/engine.h"

namespace {

using namespace tidegate;

config::References no_references() {
  return {[](const std::string&) { return std::nullopt; },
          [](const std::filesystem::path&) -> Result<std::string> { return fail(Errc::not_found, "no files here"); },
          [](const std::filesystem::path&) -> Result<config::References::PrivateFile> {
            return fail(Errc::not_found, "no files here");
          }};
}

/// A transition must be of a known rule, and raised and cleared in turn.
void run(std::vector<rules::Rule> compiled) {
  rules::Engine engine(std::move(compiled));
  rules::Output out;
  Timestamp now{std::chrono::seconds(1'700'000'000)};
  std::uint32_t next = 0;
  const std::vector<std::string> states{"closed", "open"};
  for (const char* unit : {"", "°C", "bar", "%"}) {
    for (const SeriesKind kind : {SeriesKind::number, SeriesKind::counter, SeriesKind::boolean, SeriesKind::state}) {
      SeriesInfo info;
      info.kind = kind;
      info.unit = unit;
      engine.declare(SeriesId{next}, "device" + std::to_string(next) + "/temperature", info, states, now, out);
      ++next;
    }
  }
  for (const std::string& name : engine.literal_series()) engine.declare(SeriesId{next++}, name, {}, {}, now, out);

  constexpr double kHuge = std::numeric_limits<double>::max();
  for (const double value : {0.0, 1.0, 50.0, 95.0, -1e300, kHuge, -kHuge, 80.0, 5e-324, 0.5}) {
    for (std::uint32_t i = 0; i < next; ++i) {
      const Sample sample{SeriesId{i}, i % 5 == 4 ? Quality::uncertain : Quality::good, Reason::none, now, value};
      engine.observe({&sample, 1}, now, out);
    }
    engine.tick(now, out);
    now += std::chrono::seconds(40);
  }
  for (const Event& event : out.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition != nullptr && transition->alert.rule.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 16'384) return 0;
  config::Problems problems;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  config::Node node = config::parse(text, "rules.yaml", ".", no_references(), problems);
  config::check(node, config::Shape::list(rules::rule_shape()), problems);
  const bool was_whole = problems.empty();
  auto compiled = rules::parse_rules(node, problems);
  if (was_whole && problems.empty() && compiled.size() > node.items.size()) std::abort();
  for (const auto& problem : problems.sorted()) {
    if (problem.what.empty()) std::abort();
  }
  if (compiled.size() <= 64) run(std::move(compiled));
  return 0;
}
