#include "dashboard/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace tidegate::dashboard {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// A unit of ours in Prometheus' base unit.
struct BaseUnit {
  std::string_view unit, suffix;
  double scale;
};
constexpr std::array<BaseUnit, 7> kUnits = {{{"s", "seconds", 1},
                                             {"ms", "seconds", 1e-3},
                                             {"us", "seconds", 1e-6},
                                             {"µs", "seconds", 1e-6},
                                             {"%", "ratio", 1e-2},
                                             {"°C", "celsius", 1},
                                             {"B", "bytes", 1}}};

BaseUnit base_unit(const std::string& unit) {
  const auto found =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const BaseUnit& known) { return known.unit == unit; });
  return found != kUnits.end() ? *found : BaseUnit{unit, unit, 1};
}

std::string name_characters(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); }, '_');
  return out;
}

bool has_word(std::string_view name, std::string_view word) {
  return name.ends_with(word) || name.find(std::string(word) + "_") != name.npos;
}

/// What a metric is called, and of which source or uplink it is: `source/plant-7/samples` is `source_samples` with the
/// label source="plant-7". A name inside the metric's would make another metric of each, and two of `a-b` and `a_b`.
struct Place {
  std::string path;
  Labels labels;
};

Place place_of(std::string_view path) {
  const auto first = path.find('/');
  const auto last = path.rfind('/');
  const std::string kind(path.substr(0, first));
  if (first == last || (kind != "source" && kind != "uplink")) return {std::string(path), {}};
  return {kind + std::string(path.substr(last)), {{kind, std::string(path.substr(first + 1, last - first - 1))}}};
}

std::string full_name(std::string_view path, Metric::Kind kind, std::string_view unit_suffix) {
  std::string name = "tidegate_" + name_characters(path);
  const std::string suffix = name_characters(unit_suffix);
  if (!suffix.empty() && !has_word(name, suffix)) name += "_" + suffix;
  if (kind == Metric::Kind::counter && !name.ends_with("_total")) name += "_total";
  return name;
}

class Families {
 public:
  void add(const std::string& name, const std::string& help, MetricType type, double value, const Labels& labels = {}) {
    MetricFamily& family = families_[name];
    family.name = name;
    family.help = help;
    family.type = type;
    ClientMetric metric;
    for (const auto& [key, text] : labels) metric.label.push_back({key, text});
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
  }
  std::string text() const {
    std::vector<MetricFamily> list;
    for (const auto& [name, family] : families_) list.push_back(family);
    return prometheus::TextSerializer().Serialize(list);
  }

 private:
  std::map<std::string, MetricFamily> families_;
};

void add_own(Families& families, const Metrics& metrics) {
  metrics.for_each([&](const Metric& metric) {
    const BaseUnit unit = base_unit(metric.unit);
    const Place place = place_of(metric.path);
    const std::string name = full_name(place.path, metric.kind, unit.suffix);
    const auto type = metric.kind == Metric::Kind::counter ? MetricType::Counter : MetricType::Gauge;
    families.add(name, metric.help.empty() ? "See " + place.path + "." : metric.help, type, metric.value() * unit.scale,
                 place.labels);
  });
}

// What a source or uplink counts is among the gateway's own metrics.
void add_sources(Families& families, const std::vector<SourceView>& sources) {
  for (const auto& source : sources) {
    const Labels labels = {{"source", source.name}, {"type", source.type}};
    const bool up = source.health == SourceHealth::up || source.health == SourceHealth::degraded;
    families.add("tidegate_source_up", "Whether the source delivers.", MetricType::Gauge, up ? 1 : 0, labels);
    families.add("tidegate_source_series", "Series of the source.", MetricType::Gauge,
                 static_cast<double>(source.series), labels);
  }
}

void add_uplinks(Families& families, const std::vector<UplinkView>& uplinks) {
  for (const auto& uplink : uplinks) {
    const Labels labels = {{"uplink", uplink.name}, {"type", uplink.type}};
    const bool up = uplink.health == SourceHealth::up || uplink.health == SourceHealth::degraded;
    families.add("tidegate_uplink_up", "Whether the far end takes batches.", MetricType::Gauge, up ? 1 : 0, labels);
  }
}

/// Two families, so that what calls somebody for tidegate_alerts calls nobody for one that is silenced.
void add_alerts(Families& families, const std::vector<AlertRecord>& alerts) {
  std::map<std::tuple<bool, std::string_view, std::string_view>, double> counts;
  for (const auto& alert : alerts) ++counts[{silenced(alert), name(alert.severity), name(alert.phase)}];
  for (const auto& [key, count] : counts) {
    const auto& [silent, severity, phase] = key;
    families.add(silent ? "tidegate_alerts_silenced" : "tidegate_alerts",
                 silent ? "Alerts that are shelved, explained by another or of a rule on trial."
                        : "Alerts that are not normal, without those that are silenced.",
                 MetricType::Gauge, count, {{"severity", std::string(severity)}, {"phase", std::string(phase)}});
  }
}

}  // namespace

std::string metrics_text(const Metrics& metrics, const GatewayView& view, const std::vector<AlertRecord>& alerts,
                         const std::string& version) {
  Families families;
  families.add("tidegate_build_info", "The running program; the value is always 1.", MetricType::Gauge, 1,
               {{"version", version}});
  families.add("tidegate_start_time_seconds", "When the gateway started, since the Unix epoch.", MetricType::Gauge,
               static_cast<double>(view.started.time_since_epoch().count()) * 1e-6);
  add_sources(families, view.sources);
  add_uplinks(families, view.uplinks);
  add_alerts(families, alerts);
  families.add("tidegate_alert_flood", "1 while alerts are raised faster than anybody can look at them.",
               MetricType::Gauge, view.flood ? 1 : 0);
  add_own(families, metrics);
  return families.text();
}

}  // namespace tidegate::dashboard
