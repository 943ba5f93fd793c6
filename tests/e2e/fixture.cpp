#include "tests/e2e/fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace tidegate::e2e {

using nlohmann::json;

test::Finished tidegate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), kProgram);
  return test::run(std::move(arguments));
}

std::string plant_configuration(const std::string& field, const std::string& cloud, const std::string& source_options) {
  std::string text = fmt::format(R"(gateway: {{name: plant}}
storage: {{commit_every: 50ms}}
sources:
  - name: field
    type: mqtt
    broker: {}
    {}
    subscriptions:
      - {{topic: "plant/{{device}}/{{metric}}", qos: 1, payload: {{format: number, unit: °C}}}}
rules:
  - {{name: hot, series: "{{device}}/temperature", threshold: {{above: 90, clear_below: 85}}, severity: critical}}
)",
                                 field, source_options);
  if (!cloud.empty()) {
    text += fmt::format("uplinks:\n  - {{name: cloud, type: mqtt, broker: {}, topic: \"site/{{gateway}}\"}}\n", cloud);
  }
  return text;
}

json get_json(const test::GatewayProcess& gateway, const std::string& path) {
  const std::string body = gateway.get(path);
  return body.empty() ? json() : json::parse(body);
}

bool source_is(const test::GatewayProcess& gateway, const std::string& health) {
  const json state = get_json(gateway, "/api/v1/state");
  if (!state.contains("sources")) return false;
  const json& sources = state["sources"];
  return sources.size() == 1 && sources[0]["health"] == health;
}

void wait_for_samples(const test::GatewayProcess& gateway, double more) {
  const auto stored = [&] { return gateway.metric("tidegate_journal_committed_samples_total"); };
  const double enough = std::max(0.0, stored()) + more;
  ASSERT_TRUE(test::eventually([&] { return stored() >= enough; }));
}

Upstream read_upstream(const std::string& printed) {
  Upstream upstream;
  std::set<std::string> seen;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || line.find("/status") < space) continue;
    const bool alerts = line.substr(0, space).ends_with("/alerts");
    const json message = json::parse(line.substr(space + 1), nullptr, false);
    if (message.is_discarded()) continue;  // the line that is just being printed
    if (!seen.insert(message.at("id").get<std::string>() + (alerts ? "/a" : "/s")).second) {
      ++upstream.duplicates;
      continue;
    }
    if (alerts) {
      for (const auto& transition : message.at("alerts")) {
        upstream.alert_causes.push_back(transition.at("alert").at("id").get<std::string>() + " " +
                                        transition.at("cause").get<std::string>());
      }
      continue;
    }
    if (!message.contains("series")) continue;
    for (const auto& [series, content] : message.at("series").items()) {
      for (const auto& point : content.at("points")) {
        if (!point.at(1).is_number()) continue;
        const Timestamp time{Micros{point.at(0).get<std::int64_t>()}};
        upstream.values.push_back({series, point.at(1).get<double>(), time});
      }
    }
  }
  return upstream;
}

}  // namespace tidegate::e2e
