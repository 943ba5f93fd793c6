// How what programs push comes to its source, and when they are told that it is stored.

#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {

/// Rather than that others' samples give way to it, or that it waits for a disk that takes nothing.
Status Runtime::room_for_push() const {
  const Pump::Store store = pump_.store();
  if (!store.takes_samples) {
    return fail(Errc::unavailable, "the disk takes no samples now ({}); send it again", store.trouble);
  }
  const Intake::Stats queue = intake_.stats();
  if (queue.depth + Push::kMostSamples > queue.capacity) {
    return fail(Errc::unavailable, "{} samples wait for the disk already; send it again", queue.depth);
  }
  return {};
}

/// Under push_mutex_.
Result<Inlet*> Runtime::inlet_of(const std::string& source) const {
  if (!takes_pushes_) return fail(Errc::unavailable, "the gateway starts; send it again in a second");
  std::vector<std::string> names;
  Inlet* found = nullptr;
  for (const auto& one : sources_) {
    if (one->inlet() == nullptr) continue;
    names.push_back(one->name());
    if (source.empty() || source == one->name()) found = one->inlet();
  }
  if (names.empty()) {
    return fail(Errc::not_found,
                "no source takes what is pushed: write `- {{name: pushed, type: push}}` below `sources:`, and have the "
                "configuration reloaded");
  }
  if (source.empty() && names.size() > 1) {
    return fail(Errc::conflict, "several sources take what is pushed: say which with ?source=, one of {}",
                fmt::join(names, ", "));
  }
  if (found != nullptr) return found;
  return fail(Errc::not_found, "no source '{}' takes what is pushed{}; there is {}", printable(source, 64),
              did_you_mean(source, names), fmt::join(names, ", "));
}

Result<Pushed> Runtime::push(const std::string& source, const Push& push) {
  constexpr Micros kPatience = std::chrono::seconds(5);
  Result<Pushed> pushed;
  {
    const std::lock_guard lock(push_mutex_);
    const auto inlet = inlet_of(source);
    if (!inlet) return fail(inlet.error());
    if (const Status room = room_for_push(); !room) return fail(room.error());
    pushed = (*inlet)->take(push);
  }
  if (!pushed || pushed->samples == 0 || intake_.wait_committed(pushed->ticket, {}, kPatience)) return pushed;
  return fail(Errc::timed_out,
              "what was sent is not on disk after {}, and may never be: look at the store's state, and send it again",
              age_text(kPatience));
}

}  // namespace tidegate::app
