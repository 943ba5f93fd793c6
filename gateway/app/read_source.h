#pragma once

#include <string>

#include "gateway/core/result.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::app {

/// `tidegate read SOURCE`: what a source reads, once, a line for each of its points. Of the gateway that runs, if one
/// does: what it read last, for a second reader would take a serial line or an MQTT client id away from it. Else the
/// source's driver is started here, and nothing is stored.
struct ReadSource {
  std::string source;
  std::string lasts = "10s";  ///< at most, where it is started here
  bool json = false;
};
/// kDone; kUnwell where something it reads is bad, or it says that it is not well; kFailed where it read nothing.
Result<int> read_source(const ReadSource& options, const tools::Surroundings& surroundings);

}  // namespace tidegate::app
