#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "dashboard/api.h"
#include "dashboard/front.h"
#include "dashboard/hub.h"
#include "tests/dashboard/rig.h"

/// What tests of connections share.
namespace tidegate::dashboard::test {

inline const std::string kHealthz = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server's parts, with limits of the test's own.
struct OwnLimits {
  OwnLimits(Rig& rig, const Front::Limits& limits) : OwnLimits(rig, limits, listen_on("127.0.0.1", 0).value()) {}
  OwnLimits(Rig& rig, const Front::Limits& limits, Fd listener)
      : port(bound_port(listener)),
        gate(rig.access.get(), port),
        backups(rig.gateway, rig.clock, ""),
        backend{options, *rig.journal, rig.gateway, rig.clock, rig.metrics, rig.access.get(), gate, backups},
        web(backend, HostAllowList({}), {}),
        hub(options, *rig.journal, gate, rig.gateway, rig.clock, rig.metrics),
        front(only(std::move(listener)), web, hub, backups, rig.metrics, limits) {}

  static Doors only(Fd listener) {
    std::vector<Door> doors;
    doors.push_back({std::move(listener)});
    return Doors(std::move(doors));
  }

  const Options options;
  const int port;
  Gate gate;
  Backups backups;
  Backend backend;
  Web web;
  Hub hub;
  Front front;
};

/// Without the deadlines of a slow reader: a test waits for what they are not about.
inline Front::Limits patient() {
  Front::Limits limits;
  limits.write = limits.take = std::chrono::hours(1);
  return limits;
}

/// The server has closed it.
inline bool closed(RawConnection& connection) {
  std::string ignored;
  connection.receive(ignored, std::chrono::milliseconds(10));
  return connection.closed();
}

}  // namespace tidegate::dashboard::test
