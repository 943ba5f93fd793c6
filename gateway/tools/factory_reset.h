#pragma once

#include "gateway/core/result.h"
#include "gateway/tools/gateway_client.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::tools {

struct ResetOptions {
  bool configuration = true;  ///< it goes too, where no gateway runs; one that runs has its own wiped
  bool yes = false;           ///< nobody is asked whether he means it
  bool finish = false;        ///< only what was begun, and nothing where nothing was
  bool json = false;
};
/// The box as it came, once whoever sits at the terminal has said that he means it: by the gateway that runs, or
/// without one. `find_store` says where a gateway is that goes on with another configuration.
Result<int> factory_reset(const ResetOptions& options, const GatewayClient& gateway, const FindStore& find_store,
                          const Surroundings& surroundings);

struct ResetCodeOptions {
  bool json = false;
};
/// What an admin who is elsewhere needs to reset the gateway, on a line of its own.
Result<int> reset_code(const ResetCodeOptions& options, const GatewayClient& gateway);

}  // namespace tidegate::tools
