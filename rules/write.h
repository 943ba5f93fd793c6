#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"

namespace tidegate::rules {

struct Rule;

/// One item of a rule's `write`: a point of a device, and what it is set to when the alert begins to call somebody,
/// when it is acknowledged, and when it is over. What is not written is not set.
struct Write {
  struct Value {
    std::string text;  ///< as people write it: "off", "62.5"
    config::Mark at{};
    bool secret = false;  ///< of a reference, and so in no message
  };
  Template point;  ///< a series
  std::optional<Value> raised, acknowledged, cleared;
  Micros within{0};  ///< so old may it be when it is sent
  std::string text;  ///< of it all, as it is written: "{tank}/inlet_valve: raised 'off', cleared 'on'"
  config::Mark at{};
};

/// The shape of `write`.
config::Shape write_shape();
/// `captures` may stand in the name of a point. What is wrong is added to `problems`.
std::vector<Write> parse_write(const config::Node& items, const std::vector<std::string>& captures,
                               config::Problems& problems);
/// All that the name of its point may come to; nothing where that cannot be told.
std::optional<Pattern> points_of(const Rule& rule, const Write& write);

/// Fills in what the rule sets because of `transition`, which is whole but for that, decided at `now` by the gateway's
/// clock. `alert` keeps from the moment it calls somebody what is to be set when it is over, so that each of the two is
/// set once. That comes though it be shelved, suppressed or on trial by then: what was set is taken back, and not
/// before its reason is gone. Of an edited rule the old points are taken back too.
void write(const Rule& rule, Timestamp now, AlertTransition& transition, AlertRecord& alert);
/// The same for an alert whose rule is gone.
void write_release(Timestamp now, AlertTransition& transition);

}  // namespace tidegate::rules
