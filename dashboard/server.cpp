#include "dashboard/server.h"

#include "dashboard/api.h"
#include "dashboard/front.h"
#include "dashboard/guard.h"
#include "dashboard/hub.h"
#include "dashboard/web.h"

namespace tidegate::dashboard {
namespace {

HostAllowList host_names(const Options& options) {
  auto names = machine_names();
  names.insert(names.end(), options.hosts.begin(), options.hosts.end());
  return HostAllowList(std::move(names));
}

/// The ways in: the port, and where it can be had the socket.
struct Entrance {
  Entrance(const Options& options, Fd listener) : port(bound_port(listener)) {
    doors.push_back({std::move(listener), options.tls});
    if (options.socket.empty()) return;
    if (auto made = SocketFile::listen(options.socket)) {
      socket.emplace(std::move(*made));
      doors.push_back({socket->take()});
    } else {
      notice = made.error().text;
    }
  }

  int port;
  std::vector<Door> doors;
  std::optional<SocketFile> socket;
  std::string notice;
};

}  // namespace

/// In the order of the flow; taken down in reverse: no new request, then no viewer.
struct Server::Impl {
  Impl(const Options& given, Fd listener, const journal::Journal& journal, access::Access* access, Gateway& gateway,
       const Clock& clock, Metrics& metrics)
      : options(given),
        entrance(options, std::move(listener)),
        gate(access, entrance.port),
        backups(gateway, clock, options.name),
        backend{options, journal, gateway, clock, metrics, access, gate, backups},
        web(backend, host_names(options),
            {limits.requests_per_connection,
             static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(limits.idle).count()),
             options.tls != nullptr && options.tls->is_own()}),
        hub(options, journal, gate, gateway, clock, metrics),
        front(Doors(std::move(entrance.doors)), web, hub, backups, metrics, limits) {}

  const Options options;
  const Front::Limits limits{.request = {.takes_samples = takes_samples}};
  Entrance entrance;
  Gate gate;
  Backups backups;
  Backend backend;
  Web web;
  Hub hub;
  Front front;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Options& options, const journal::Journal& journal,
                                              access::Access* access, Gateway& gateway, const Clock& clock,
                                              Metrics& metrics) {
  auto listener = listen_on(options.address, options.port);
  if (!listener) return fail(listener.error());
  return std::unique_ptr<Server>(
      new Server(std::make_unique<Impl>(options, std::move(*listener), journal, access, gateway, clock, metrics)));
}

int Server::port() const { return impl_->entrance.port; }
const std::string& Server::notice() const { return impl_->entrance.notice; }

}  // namespace tidegate::dashboard
