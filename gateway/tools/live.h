#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/tools/gateway_client.h"
#include "gateway/tools/surroundings.h"

/// What is asked of the gateway that runs. `json` has the answer for a program: one JSON document, as docs/api.md has
/// its parts.
namespace tidegate::tools {

struct StatusOptions {
  bool json = false;
};
/// How the gateway is, in words: kDone, kUnwell where its store, a source or an uplink is not well, kCalling where only
/// an alert calls for somebody.
Result<int> status(const StatusOptions& options, const GatewayClient& gateway);

struct AlertsOptions {
  std::string rule;             ///< of this one only
  std::string severity;         ///< of this one and worse
  bool unacknowledged = false;  ///< that wait for somebody
  bool json = false;
};
/// The alerts that stand, the most severe first.
Result<int> list_alerts(const AlertsOptions& options, const GatewayClient& gateway);

/// A wish of an operator about one alert; what is empty is not said.
struct WishOptions {
  std::string alert;
  std::string note;
  std::string lasts;  ///< as a duration is written
  bool out_of_service = false;
  std::string why;
  std::string who;  ///< empty: who runs the command
  bool json = false;
};
Result<int> acknowledge(const WishOptions& options, const GatewayClient& gateway);
Result<int> shelve(const WishOptions& options, const GatewayClient& gateway);
Result<int> unshelve(const WishOptions& options, const GatewayClient& gateway);
/// `note` is what is said of it.
Result<int> comment(const WishOptions& options, const GatewayClient& gateway);

struct PointsOptions {
  bool json = false;
};
/// The points of devices that may be set, and what they show.
Result<int> list_points(const PointsOptions& options, const GatewayClient& gateway);

struct WriteOptions {
  std::string series, value;
  std::string why;
  std::string who;   ///< empty: who runs the command
  bool yes = false;  ///< nobody is asked whether he means it
  bool json = false;
};
/// Sets one of them, once whoever sits at the terminal has said that he means it.
Result<int> write_point(const WriteOptions& options, const GatewayClient& gateway);

struct ReloadOptions {
  bool json = false;
};
/// Has the gateway take its configuration over from the disk; kConfigurationWrong with every problem.
Result<int> reload(const ReloadOptions& options, const GatewayClient& gateway);

struct TapOptions {
  std::vector<std::string> patterns;
  std::size_t count = 0;  ///< samples, then it ends; 0: no end
  std::string lasts;      ///< a duration, then it ends; empty: no end
  bool json = false;
};
/// Samples of matching series as they come, a line each.
Result<int> tap(const TapOptions& options, const GatewayClient& gateway, const Surroundings& surroundings);

struct TopOptions {
  std::string every = "2s";
  std::size_t limit = 0;  ///< series; 0: as many as the screen takes
  bool once = false;
  bool json = false;
};
/// What comes in, the busiest series first, again and again.
Result<int> top(const TopOptions& options, const GatewayClient& gateway, const Surroundings& surroundings);

}  // namespace tidegate::tools
