#pragma once

namespace tidegate::bench {

/// What the gateway is measured against: a Paho C++ subscriber that counts messages in its callback and does nothing
/// else. Prints "ready", then, when `count` have come, "SECONDS CPU_SECONDS", both since the first. The exit code.
int bare_subscriber(int port, int count);

}  // namespace tidegate::bench
