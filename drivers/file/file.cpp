#include "drivers/file/file.h"

#include "drivers/file/options.h"
#include "drivers/file/replay.h"
#include "drivers/file/tail.h"

namespace tidegate::drivers::file {
namespace {

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  return options.replay ? make_replay(std::move(options), context) : make_tail(std::move(options), context);
}

}  // namespace

DriverType type() { return {"file", "Follows a CSV or JSON-lines file, or replays a recording.", shape(), make}; }

}  // namespace tidegate::drivers::file
