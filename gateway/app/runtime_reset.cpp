// The box as it came: a runtime only begins it, and whoever runs it ends it.

#include <spdlog/spdlog.h>

#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/reset/factory_reset.h"

namespace tidegate::app {

/// The audit is wiped with all else; the log of the machine is not the gateway's. Started with --data it runs a
/// configuration that may be another's too, of the demo for example.
Status Runtime::factory_reset(const std::string& who) {
  audit({who, "factory reset", "", ""});
  spdlog::warn("{} asks for a factory reset", printable(who));
  const auto extent = settings_.is_data_named ? reset::Extent::storage : reset::Extent::all;
  return reset::begin(settings_.storage.directory, settings_.file, extent);
}

}  // namespace tidegate::app
