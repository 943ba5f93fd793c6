#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/core/outlet.h"
#include "gateway/core/push.h"
#include "gateway/core/result.h"
#include "gateway/core/sink.h"
#include "gateway/core/turns.h"

namespace tidegate::drivers {

/// A source of samples. `run` is called once, on a thread of its own, and returns when asked to stop (Ok) or when it
/// can never work (an error, which the supervisor shows; it calls run again after a pause). A device or broker that is
/// away is no reason to return: report it down, wait with backoff, try again, for ever. A driver prints and logs
/// nothing: it reports to the sink.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual Status run(Sink& sink, std::stop_token stop) = 0;
  /// Decodes once more what it has rejected, as it came at that time: its configuration may be a better one by now. Any
  /// thread, beside run(). What is still wrong goes to Sink::reject. Errc::conflict: it does not decode what comes
  /// alone.
  virtual Status take_again(Sink&, const DeadLetter&) const {
    return fail(Errc::conflict, "a source of its type has nothing that could be read once more");
  }
  /// Of a driver that programs push to; lives as long as the driver.
  virtual Inlet* inlet() { return nullptr; }
  /// Of a driver whose devices can be written to; lives as long as the driver.
  virtual Outlet* outlet() { return nullptr; }
  /// How it keeps its turns; nothing before the first, and of a driver that takes none. Any thread, beside run().
  virtual std::optional<Turns> turns() const { return std::nullopt; }
};

/// What a driver is given at its making; outlives it.
struct Context {
  std::string source;  ///< the name of its section in the configuration
  const Clock& clock;
  Metrics& metrics;  ///< for drivers that count, and for `self`, which shows all of them
  /// It only looks, and stores nothing: what its far end keeps for the gateway (an MQTT session) is left alone.
  bool trial = false;
};

/// A kind of driver: its name in `type:`, the shape of its options, and how to make one of a checked section. Making
/// dials nothing and fails for configuration only: problems go to `problems` at their place, and nullptr is returned.
struct DriverType {
  std::string name;
  std::string doc;  ///< one sentence
  config::Shape options;
  std::unique_ptr<Driver> (*make)(const config::Node& section, const Context& context, config::Problems& problems);
};

}  // namespace tidegate::drivers
