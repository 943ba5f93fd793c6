// The certificate of a runtime's dashboard: where it comes from, and what is told of it and of those of others.

#include <spdlog/spdlog.h>

#include "dashboard/self_signed.h"
#include "gateway/app/runtime.h"

namespace tidegate::app {
namespace {

constexpr Micros kWatchEvery = std::chrono::seconds(10);

dashboard::TlsKeeper::Options keeper_options(const Settings& settings) {
  dashboard::TlsKeeper::Options options;
  if (settings.http.has("certificate")) {
    options.own = {settings.http.string("certificate"), settings.http.string("key")};
    return options;
  }
  options.folder = settings.storage.directory / "tls";
  options.names = [hosts = settings.hosts] {
    auto names = dashboard::names_of_machine();
    names.insert(names.end(), hosts.begin(), hosts.end());
    return names;
  };
  return options;
}

}  // namespace

/// Nothing before somebody has set the clock.
std::optional<Timestamp> Runtime::known_time() const {
  if (ground_->clock.state() != ClockState::set) return std::nullopt;
  return ground_->clock.now();
}

Status Runtime::open_tls(const Endpoint& endpoint) {
  if (settings_.lan_http || endpoint.loopback()) return {};
  auto opened = dashboard::TlsKeeper::open(keeper_options(settings_), known_time());
  if (!opened) return fail(std::move(opened.error()));
  tls_ = std::move(*opened);
  certificate_ends_ = &ground_->metrics.gauge("http/certificate_expiry_timestamp", "s",
                                              "When the dashboard's certificate ends, since the Unix epoch.");
  watch_tls();
  return {};
}

void Runtime::watch_tls() {
  const Micros uptime{GatewayClock::read_system(CLOCK_BOOTTIME)};
  if (!tls_ || (tls_watched_ != Micros{0} && uptime - tls_watched_ < kWatchEvery)) return;
  tls_watched_ = uptime;
  for (const auto& [good, text] : tls_->look(known_time())) {
    good ? spdlog::info("{}", text) : spdlog::warn("{}", text);
    note("http", text);
  }
  certificate_ends_->set(std::chrono::duration<double>(tls_->tls()->until().time_since_epoch()).count());
}

void Runtime::watch_peers(const dashboard::GatewayView& view) {
  for (const std::string& text : peers_.look(view, ground_->metrics, known_time())) {
    spdlog::warn("{}", text);
    note("certificate", text);
  }
}

}  // namespace tidegate::app
