// The box as it came: a runtime only begins it, and whoever runs it ends it.

#include <spdlog/spdlog.h>

#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/reset/factory_reset.h"

namespace tidegate::app {

/// The audit is wiped with all else; the log of the machine is not the gateway's.
Status Runtime::factory_reset(const std::string& who) {
  audit({who, "factory reset", "", ""});
  spdlog::warn("{} asks for a factory reset", printable(who));
  return reset::begin(settings_.storage.directory, settings_.file, reset::Extent::all);
}

}  // namespace tidegate::app
