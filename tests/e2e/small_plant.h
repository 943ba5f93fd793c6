#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/drivers/modbus/simulator.h"
#include "tests/drivers/serial/pty.h"
#include "tests/drivers/snmp/snmpd.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {

/// A folder as a web server shows it, with one document of numbers.
class WebFolder {
 public:
  explicit WebFolder(const nlohmann::json& document);
  void kill() { server_->kill(); }
  void start();
  std::string url() const;

 private:
  test::TempDir directory_;
  const int port_ = test::free_port();
  std::unique_ptr<test::Process> server_;
};

/// How often what is polled is polled, and for how long an agent that does not answer is waited for.
struct Pace {
  std::string every = "1s", timeout = "1500ms";
};

/// A small plant: Modbus units, an SNMP agent, an MQTT broker, a URL and a serial line, 5,000 points in all, each of
/// which shows one value for ever.
class SmallPlant {
 public:
  SmallPlant();

  /// The gateway's configuration for it; `more` are sources beside its own.
  std::string configuration(const std::string& more = "", const Pace& pace = {}) const;
  /// What is not polled says its values: the topics once, for each client that subscribes by then.
  void publish();
  void say();
  void start_units();

  /// The points that are not there, or not good, or of another value; the first few.
  std::vector<std::string> wrong(const test::GatewayProcess& gateway) const;

 private:
  test::TempDir directory_;
  const int modbus_port_ = test::free_port();
  std::map<std::string, double> expected_;

 public:
  std::unique_ptr<test::Simulator> units;
  test::Snmpd agent;
  test::Broker broker;
  WebFolder web;
  test::PtyDevice scale;
};

/// The health of the source of this name.
bool source_named(const test::GatewayProcess& gateway, const std::string& name, const std::string& health);

}  // namespace tidegate::e2e
