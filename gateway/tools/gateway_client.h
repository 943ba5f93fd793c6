#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/tools/event_reader.h"

namespace tidegate::tools {

using Json = nlohmann::ordered_json;

/// One line of valid UTF-8, as the gateway itself writes JSON.
std::string text_of(const Json& json);
/// A member that is a text.
inline std::string word(const Json& object, const char* key) { return object.at(key).get<std::string>(); }
/// The text of a state series' code; empty where it is none. `series` is one of /api/v1/series.
std::string state_text(const Json& series, double code);
/// As the gateway writes a time.
inline Timestamp time_of(const Json& time) { return Timestamp{Micros{time.get<std::int64_t>()}}; }

/// Asks the gateway that runs on this machine, by the socket in its storage folder, what docs/api.md offers. Each
/// request has a connection of its own. An error is what the gateway said, or says why there is no answer and what to
/// do: nobody is there, or this user may not ask. One thread.
class GatewayClient {
 public:
  /// On behalf of who runs this program.
  explicit GatewayClient(std::filesystem::path socket);
  /// On behalf of somebody else, whose name this is; empty: the same.
  GatewayClient as(const std::string& name) const;

  /// The sentence of /healthz; "ok" where all is well.
  Result<std::string> health() const;
  /// Errc::invalid, not_found and conflict are as the gateway answered.
  Result<Json> get(const std::string& target) const;
  /// `if_match`, where it is not empty, is the header of that name.
  Result<Json> post(const std::string& target, const Json& body, const std::string& if_match = {}) const;

  /// Follows the live stream, of the series that fit one of the patterns, until `take` wants no more, `until` has come,
  /// or a stop is asked for (Errc::stopped). Errc::interrupted where the gateway ends it.
  Status follow(const std::vector<std::string>& patterns, EventReader::Take take,
                std::chrono::steady_clock::time_point until, const std::stop_token& stop) const;

 private:
  const std::filesystem::path socket_;
  std::string name_;
};

}  // namespace tidegate::tools
