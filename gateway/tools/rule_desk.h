#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gateway/core/result.h"
#include "gateway/tools/gateway_client.h"

/// The rules that are edited in a gateway that runs, by its interface. `json` has the answer for a program, as
/// docs/api.md has it.
namespace tidegate::tools {

struct RuleDeskOptions {
  std::filesystem::path file;
  std::string replaces;      ///< the etag of the text that the file was made of; empty: of whatever is there
  std::string name;          ///< of a rule
  std::int64_t version = 0;  ///< 0: the text that is there
  std::int64_t to = 0;       ///< the same
  std::string note;
  std::string who;  ///< empty: who runs this
  bool json = false;
};

Result<int> print_rules(const RuleDeskOptions& options, const GatewayClient& gateway);
/// What it would change and every mistake, and no more. kConfigurationWrong where there is any.
Result<int> check_rules(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> save_rules(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> list_versions(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> print_difference(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> roll_back(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> turn_off(const RuleDeskOptions& options, const GatewayClient& gateway);
Result<int> turn_on(const RuleDeskOptions& options, const GatewayClient& gateway);

}  // namespace tidegate::tools
