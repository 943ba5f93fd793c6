#include "tests/e2e/small_plant.h"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

#include "tests/support/publisher.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;

// Holding registers of the simulator hold their own addresses, from here on.
constexpr int kRegister = 4000;
constexpr int kUnits = 3, kRegisters = 1000, kObjects = 180, kTopics = 1200, kFields = 600, kWords = 20;
static_assert(kUnits * kRegisters + kObjects + kTopics + kFields + kWords == 5000);

std::string objects() {
  std::string lines;
  for (int i = 1; i <= kObjects; ++i) lines += fmt::format("override 1.3.6.1.4.1.99999.7.{}.0 integer {}\n", i, 7 * i);
  return lines;
}

json document() {
  json fields;
  for (int i = 0; i < kFields; ++i) fields[fmt::format("f{}", i)] = i + 0.25;
  return fields;
}

std::map<std::string, double> all_values() {
  std::map<std::string, double> all;
  for (int i = 1; i <= kObjects; ++i) all[fmt::format("agent/o{}", i)] = 7 * i;
  for (int unit = 1; unit <= kUnits; ++unit) {
    for (int i = kRegister; i < kRegister + kRegisters; ++i) all[fmt::format("u{}/r{}", unit, i)] = i;
  }
  for (int i = 0; i < kFields; ++i) all[fmt::format("web/f{}", i)] = i + 0.25;
  for (int i = 0; i < kTopics; ++i) all[fmt::format("d{}", i)] = i * 0.5;
  for (int i = 0; i < kWords; ++i) all[fmt::format("scale/w{}", i)] = i - 10;
  return all;
}

std::string agent_points() {
  std::string text;
  for (int i = 1; i <= kObjects; ++i) {
    text += fmt::format("      - {{name: o{}, oid: 1.3.6.1.4.1.99999.7.{}.0}}\n", i, i);
  }
  return text;
}

std::string units_of_plc(const std::string& every) {
  std::string text;
  for (int unit = 1; unit <= kUnits; ++unit) {
    text += fmt::format("      - name: u{}\n        unit: {}\n        every: {}\n        points:\n", unit, unit, every);
    for (int i = kRegister; i < kRegister + kRegisters; ++i) {
      text += fmt::format("          - {{name: r{}, holding: {}}}\n", i, i);
    }
  }
  return text;
}

std::string words() {
  std::string line;
  for (int i = 0; i < kWords; ++i) line += fmt::format("{}w{}={}", i == 0 ? "" : ";", i, i - 10);
  return line + "\r\n";
}

}  // namespace

WebFolder::WebFolder(const json& document) {
  std::ofstream(directory_.path() / "values.json") << document.dump();
  start();
}

void WebFolder::start() {
  server_ = std::make_unique<test::Process>(std::vector<std::string>{"/usr/bin/python3", "-u", "-m", "http.server",
                                                                     std::to_string(port_), "--bind", "127.0.0.1",
                                                                     "--directory", directory_.path().string()});
  if (!server_->wait_for_output("Serving HTTP")) throw std::runtime_error("no web server: " + server_->output());
}

std::string WebFolder::url() const { return fmt::format("http://127.0.0.1:{}/values.json", port_); }

SmallPlant::SmallPlant()
    : expected_(all_values()), agent(objects()), web(document()), scale(directory_.path() / "tty") {
  start_units();
}

void SmallPlant::start_units() {
  units = std::make_unique<test::Simulator>("tcp", std::to_string(modbus_port_));
  if (!units->ready()) throw std::runtime_error("no Modbus units: " + units->process().output());
}

std::string SmallPlant::configuration(const std::string& more, const Pace& pace) const {
  std::string text = fmt::format(R"(gateway: {{name: plant}}
sources:
  - name: web
    type: http
    series: "{{source}}/{{field}}"
    requests: [{{name: web, url: "{}", every: {}}}]
  - name: field
    type: mqtt
    broker: {}
    subscriptions: [{{topic: "field/{{device}}", payload: {{format: number}}}}]
  - name: scale
    type: serial
    port: "{}"
    format: key_value
  - name: agent
    type: snmp
    host: 127.0.0.1
    port: {}
    every: {}
    timeout: {}
    points:
)",
                                 web.url(), pace.every, broker.url(), (directory_.path() / "tty").string(),
                                 agent.port(), pace.every, pace.timeout);
  text += agent_points();
  text += fmt::format("  - name: plc\n    type: modbus\n    tcp: '127.0.0.1:{}'\n    devices:\n", modbus_port_);
  return text + units_of_plc(pace.every) + more;
}

void SmallPlant::say() { scale.say(words()); }

void SmallPlant::publish() {
  test::Publisher publisher(broker.port());
  for (int i = 0; i < kTopics; ++i) publisher.publish(fmt::format("field/d{}", i), fmt::format("{}", i * 0.5), 1);
  publisher.flush();
}

std::vector<std::string> SmallPlant::wrong(const test::GatewayProcess& gateway) const {
  std::vector<std::string> found;
  std::map<std::string, double> missing = expected_;
  const json all = get_json(gateway, "/api/v1/series");
  for (const json& one : all["series"]) {
    const auto value = missing.find(one["name"].get<std::string>());
    if (value == missing.end()) continue;
    const json& last = one["last"];
    if (last.is_array() && last[1] == value->second && last[2] == "good") missing.erase(value);
  }
  for (const auto& [name, value] : missing) {
    if (found.size() < 5) found.push_back(name);
  }
  return found;
}

bool source_named(const test::GatewayProcess& gateway, const std::string& name, const std::string& health) {
  const json state = get_json(gateway, "/api/v1/state");
  for (const json& source : state["sources"]) {
    if (source["name"] == name) return source["health"] == health;
  }
  return false;
}

}  // namespace tidegate::e2e
