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

Status Link::flush(std::stop_token stop) { return connection_.flush(kAckPatience, std::move(stop)); }

}  // namespace tidegate::uplink::mqtt
