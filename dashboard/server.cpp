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

}  // namespace

/// In the order of the flow; taken down in reverse: no new request, then no viewer.
struct Server::Impl {
  Impl(const Options& given, Fd listener, const journal::Journal& journal, Gateway& gateway, const Clock& clock,
       Metrics& metrics)
      : options(given),
        port(bound_port(listener)),
        api(options, journal, gateway, clock, metrics),
        web(api, host_names(options),
            {limits.requests_per_connection,
             static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(limits.idle).count())}),
        hub(options, journal, gateway, clock, metrics),
        front(std::move(listener), web, hub, metrics, limits) {}

  const Options options;
  const Front::Limits limits;
  const int port;
  Api api;
  Web web;
  Hub hub;
  Front front;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Options& options, const journal::Journal& journal, Gateway& gateway,
                                              const Clock& clock, Metrics& metrics) {
  auto listener = listen_on(options.address, options.port);
  if (!listener) return fail(listener.error());
  return std::unique_ptr<Server>(
      new Server(std::make_unique<Impl>(options, std::move(*listener), journal, gateway, clock, metrics)));
}

int Server::port() const { return impl_->port; }

}  // namespace tidegate::dashboard
