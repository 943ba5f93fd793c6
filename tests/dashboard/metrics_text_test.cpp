#include "dashboard/metrics_text.h"

#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::dashboard {
namespace {

std::string sample_text(bool flood = false) {
  Metrics metrics;
  metrics.counter("intake/dropped_samples", "samples", "Samples given up at the bound.").add(3);
  metrics.gauge("journal/commit_p99", "ms", "Time of a commit.").set(12.5);
  metrics.gauge("journal/used", "bytes", "Of the file.").set(4096);
  metrics.gauge("process/cpu", "%", "Of one core.").set(50);
  metrics.counter("source/plant-7/rejected", "", "").add(1);
  metrics.counter("source/plant_7/rejected", "", "").add(2);
  metrics.gauge("uplink/cloud/drain_time", "ms", "Until it is empty.").set(1500);
  metrics.counter("journal/written_bytes", "bytes", "Written so far.").add(8);
  GatewayView view;
  view.started = Timestamp{std::chrono::seconds(1'700'000'000)};
  view.sources.push_back({.name = "pl\"ant\n\\<img onerror>", .type = "mqtt", .text = {}, .health = SourceHealth::up});
  view.uplinks.push_back({.name = "cloud", .type = "mqtt", .text = {}});
  AlertRecord alert;
  alert.phase = Phase::active;
  alert.severity = Severity::critical;
  AlertRecord shelved = alert;
  shelved.phase = Phase::normal;
  shelved.shelved_until = kOutOfService;
  if (flood) view.flood = Flood{true, view.started, "hot", 12};
  return metrics_text(metrics, view, {alert, shelved, alert}, "1.2.3");
}

TEST(MetricsText, HasBaseUnitsAsSuffixesAndTotalOnCounters) {
  const std::string text = sample_text();
  for (const char* line : {"tidegate_intake_dropped_samples_total 3\n", "tidegate_journal_commit_p99_seconds 0.0125\n",
                           "tidegate_journal_used_bytes 4096\n", "tidegate_process_cpu_ratio 0.5\n",
                           "tidegate_source_rejected_total{source=\"plant-7\"} 1\n",
                           "tidegate_source_rejected_total{source=\"plant_7\"} 2\n",
                           "tidegate_uplink_drain_time_seconds{uplink=\"cloud\"} 1.5\n",
                           "tidegate_journal_written_bytes_total 8\n", "tidegate_build_info{version=\"1.2.3\"} 1\n",
                           "tidegate_source_up{source=\"pl\\\"ant\\n\\\\<img onerror>\",type=\"mqtt\"} 1\n",
                           "tidegate_uplink_up{uplink=\"cloud\",type=\"mqtt\"} 0\n",
                           "tidegate_alerts{severity=\"critical\",phase=\"active\"} 2\n",
                           "tidegate_alerts_silenced{severity=\"critical\",phase=\"normal\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

TEST(MetricsText, SayWhetherAlertsAreAFlood) {
  EXPECT_NE(sample_text(false).find("\ntidegate_alert_flood 0\n"), std::string::npos);
  EXPECT_NE(sample_text(true).find("\ntidegate_alert_flood 1\n"), std::string::npos);
}

TEST(MetricsText, PassesPromtool) {
  const test::TempDir directory;
  const auto file = directory.write("metrics", sample_text());
  const auto checked = test::run({"sh", "-c", "promtool check metrics < " + file.string()});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

}  // namespace
}  // namespace tidegate::dashboard
