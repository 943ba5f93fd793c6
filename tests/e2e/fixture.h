#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/core/types.h"
#include "tests/support/broker.h"
#include "tests/support/gateway_process.h"
#include "tests/support/process.h"

namespace tidegate::e2e {

/// The program under test.
inline const char* const kProgram = TIDEGATE_PROGRAM;

/// Runs it to its end with these arguments.
test::Finished tidegate(std::vector<std::string> arguments);

/// A whole configuration: readings come from `field` as plain numbers on plant/DEVICE/METRIC, one rule watches
/// temperatures, and everything goes on to `cloud` below site/.
std::string plant_configuration(const std::string& field, const std::string& cloud,
                                const std::string& source_options = "");

/// The answer to a GET; null when there is none.
nlohmann::json get_json(const test::GatewayProcess& gateway, const std::string& path);
/// Is this the health of the one source that it has?
bool source_is(const test::GatewayProcess& gateway, const std::string& health);

/// Once so many more samples are stored.
void wait_for_samples(const test::GatewayProcess& gateway, double more);

/// What arrived upstream: the messages that a client of the broker printed, in order.
struct Upstream {
  struct Value {
    std::string series;
    double value;
    Timestamp time;
  };
  std::vector<Value> values;              ///< samples, each batch once
  std::vector<std::string> alert_causes;  ///< "hot:boiler raised", each id once
  int duplicates = 0;                     ///< messages that came again, told by their id
};
Upstream read_upstream(const std::string& printed);

}  // namespace tidegate::e2e
