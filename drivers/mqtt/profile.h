#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/mqtt/subscription.h"

/// Styles of device: a word in place of subscriptions. Those that say all in topics and payloads are YAML beside this
/// file, in the language of `subscriptions:`; those that say it in messages of their own are readers.
namespace tidegate::drivers::mqtt {

/// profiles/NAME.yaml, in the order in which `auto` tries them.
std::vector<std::string> written_profiles();
inline const std::vector<std::string> kCodedProfiles = {"sparkplug", "homie", "homeassistant"};

/// Of a written profile. `base` takes the place of the profile's own first level, where it is not empty; it holds
/// letters, digits and - _ . / alone.
std::vector<SubscriptionRule> profile_rules(std::string_view name, std::string_view base);

}  // namespace tidegate::drivers::mqtt
