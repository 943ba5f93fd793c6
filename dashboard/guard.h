#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::dashboard {

/// The defence against DNS rebinding: a page of another site may make a browser send requests here under that site's
/// name, never under one of these. Immutable; any thread.
class HostAllowList {
 public:
  /// `names`: this machine's, and those of the configuration.
  explicit HostAllowList(std::vector<std::string> names);

  /// Is the Host header an IP address, localhost, *.localhost, *.local or one of the names, with or without a port?
  bool allows(std::string_view host) const;

 private:
  std::vector<std::string> names_;  ///< lower case
};

/// Does an Origin header ("https://box.local:8080") name the same host and port as the Host header? "null" does not.
bool same_origin(std::string_view origin, std::string_view host);

/// Is it application/json, whatever its parameters?
bool json_content_type(std::string_view content_type);

/// This machine's name, and its first label.
std::vector<std::string> machine_names();

}  // namespace tidegate::dashboard
