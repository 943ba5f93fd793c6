#include <fmt/format.h>

#include <cstdio>

#include "gateway/tools/live.h"
#include "gateway/tools/output.h"

namespace tidegate::tools {

Result<int> reload(const ReloadOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.post("/api/v1/reload", Json::object());
  if (!answer && answer.error().code == Errc::invalid) {
    fmt::print(stderr, "tidegate reload: refused, nothing was changed:\n{}\n", answer.error().text);
    return kConfigurationWrong;
  }
  if (!answer) return fail(answer.error());
  Status done = print((options.json ? text_of(*answer) : answer->at("text").get<std::string>()) + '\n');
  if (!done) return fail(std::move(done.error()));
  return kDone;
}

}  // namespace tidegate::tools
