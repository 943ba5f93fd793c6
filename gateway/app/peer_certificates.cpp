#include "gateway/app/peer_certificates.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/config/certificates.h"

namespace tidegate::app {
namespace {

/// By owner.
std::map<std::string, Timestamp> ends_of(const Metrics& metrics) {
  std::map<std::string, Timestamp> ends;
  metrics.for_each([&](const Metric& metric) {
    const std::string_view path = metric.path;
    if (!path.ends_with(config::kPeerEndMetric) || metric.value() <= 0) return;
    ends.emplace(path.substr(0, path.size() - config::kPeerEndMetric.size()),
                 Timestamp{std::chrono::seconds(static_cast<std::int64_t>(metric.value()))});
  });
  return ends;
}

}  // namespace

std::vector<std::string> PeerCertificates::look(const dashboard::GatewayView& view, const Metrics& metrics,
                                                std::optional<Timestamp> now) {
  std::vector<std::string> news;
  if (!now) return news;
  const auto ends = ends_of(metrics);
  const auto look_at = [&](const char* kind, const std::string& name) {
    const auto found = ends.find(fmt::format("{}/{}", kind, name));
    if (found == ends.end()) return;
    const int urgent = config::urgency(found->second - *now);
    if (urgent <= std::exchange(told_[found->first], urgent)) return;
    news.push_back(fmt::format("{} {}: {}", kind, name, config::ends_soon({}, {"other end", found->second}, *now)));
  };
  for (const auto& source : view.sources) look_at("source", source.name);
  for (const auto& uplink : view.uplinks) look_at("uplink", uplink.name);
  return news;
}

}  // namespace tidegate::app
