#include "gateway/uplink/mqtt/link.h"

#include <utility>

namespace tidegate::uplink::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr Micros kConnectPatience = 1s;  // it connects in the background: the runner asks again soon
constexpr Micros kAckPatience = 20s;

}  // namespace

Status Link::reach(std::stop_token stop) {
  if (!std::exchange(started_, true)) connection_.start();
  if (connection_.wait_connected(kConnectPatience, stop)) return {};
  const auto state = connection_.state();
  return fail(Errc::unavailable, "{}", state.why.empty() ? state.text : state.why);
}

Notice Link::notice() const {
  auto state = connection_.state();
  return {std::move(state.notice), state.certificate_ends};
}

Status Link::send(std::span<const Parcel> parcels, const std::function<Messages(const Parcel&)>& messages_of,
                  std::stop_token stop) {
  if (Status reached = reach(stop); !reached) return reached;
  for (const Parcel& parcel : parcels) {
    for (tidegate::mqtt::Outgoing& message : messages_of(parcel)) {
      if (Status sent = connection_.publish(std::move(message), stop); !sent) return sent;
    }
  }
  return connection_.flush(kAckPatience, std::move(stop));
}

}  // namespace tidegate::uplink::mqtt
