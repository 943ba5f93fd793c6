#include "drivers/mqtt/profile.h"

#include <algorithm>
#include <cassert>

#include "drivers/mqtt/profile_texts.h"
#include "gateway/config/load.h"

namespace tidegate::drivers::mqtt {

std::vector<std::string> written_profiles() {
  std::vector<std::string> names;
  for (const auto& [name, text] : profile_texts()) names.emplace_back(name);
  return names;
}

std::vector<SubscriptionRule> profile_rules(std::string_view name, std::string_view base) {
  const auto& texts = profile_texts();
  const auto found = std::find_if(texts.begin(), texts.end(), [&](const auto& entry) { return entry.first == name; });
  assert(found != texts.end());
  std::string text(found->second);
  const std::string first = std::string(name) + "/";
  for (std::size_t at = 0; !base.empty() && (at = text.find(first, at)) != std::string::npos;) {
    text.replace(at, name.size(), base);
    at += base.size() + 1;
  }
  // Nothing of this can fail that a test has not seen: the texts are built in.
  config::Problems problems;
  auto list = config::parse(text, std::string(name) + ".yaml", ".", config::References::system(), problems);
  config::check(list, config::Shape::list(subscription_shape(), 1000), problems);
  std::vector<SubscriptionRule> rules;
  for (const auto& item : list.items) {
    rules.push_back(read_subscription(item, problems));
    rules.back().style = name;
  }
  assert(problems.empty());
  return rules;
}

}  // namespace tidegate::drivers::mqtt
