#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/mqtt/client.h"
#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

/// Hands over what the broker keeps (retained) of these filters, as another client: with the client id CLIENT_ID-kept,
/// without a session and without a last will. It takes at least a second, since no broker says that this was all.
/// `take` is called on Paho's receive thread, as Client::Events::message is, and no more once this has returned.
/// Errc::invalid where the broker does not let such a client in; then only another user or client id helps.
Status read_kept(const ConnectionOptions& options, std::span<const Subscription> filters,
                 const std::function<void(const Message&)>& take, std::stop_token stop);

}  // namespace tidegate::mqtt
