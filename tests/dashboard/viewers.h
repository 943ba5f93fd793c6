#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/dashboard/rig.h"

/// What tests of the stream share.
namespace tidegate::dashboard::test {

inline Options quick_ticks() {
  Options options;
  options.name = "plant-7";
  options.site = "Hall 3";
  options.stream.tick = std::chrono::milliseconds(50);
  return options;
}

inline std::vector<std::string> names(const std::vector<SseEvent>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.push_back(event.name);
  return out;
}

/// hot_boiler(Phase::active)
inline constexpr std::string_view kAlertJson =
    R"({"id":"hot:boiler1","rule":"hot","series":"boiler1/temperature","phase":"active","acknowledged":false,)"
    R"("acknowledged_by":"","note":"","severity":"critical","since":1700000000000000,"raised":1700000000000000,)"
    R"("value":93.25,"limit":90.0,"unit":"°C","message":"boiler1 is at 93.25 °C, limit 90","labels":{"area":"east"},)"
    R"("runbook":"Close V12.","silenced":false,"shelved_until":null,"out_of_service":false,"shelved_by":"",)"
    R"("shelved_why":"","suppressed_by":"","shadow":false,"chatter":0,"chatter_band":0.0,"commented_by":"","comment":"","evidence":{"version":"","from":null,"to":null,"series":[],"facts":[]}})";

/// What follows the first line, which says when to come again.
inline std::string without_retry(std::string body) {
  EXPECT_TRUE(body.starts_with("retry: ")) << body;
  return body.substr(body.find("\n\n") + 2);
}

}  // namespace tidegate::dashboard::test
