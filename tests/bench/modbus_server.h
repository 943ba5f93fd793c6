#pragma once

namespace tidegate::bench {

/// A unit behind Modbus TCP with 10,000 holding registers, made of libmodbus' server side so that it is no bottleneck:
/// listens on a free port of 127.0.0.1, tells it through `ready`, and serves one connection after another on the core
/// `core` until it is killed.
[[noreturn]] void serve_modbus(int ready, int core);

/// Keeps this process on one core; false where there is none such.
bool stay_on(int core);

}  // namespace tidegate::bench
