#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "drivers/mqtt/readers.h"
#include "gateway/config/load.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::mqtt {

/// Keeps what readers ask for.
class FakeOutbox final : public Outbox {
 public:
  void subscribe(tidegate::mqtt::Subscription subscription) override { filters.push_back(subscription.filter); }
  void publish(tidegate::mqtt::Outgoing message) override { published.push_back(std::move(message)); }
  std::vector<std::string> filters;
  std::vector<tidegate::mqtt::Outgoing> published;
};

/// All readers of a source, without a broker.
class ReadersTest : public ::testing::Test {
 protected:
  void use(const std::string& more) {
    config::Problems problems;
    auto node =
        config::parse("{broker: \"mqtt://x\", " + more + "}", "t.yaml", ".", config::References::system(), problems);
    config::check(node, shape(), problems);
    ASSERT_EQ(problems.text(), "");
    options = read_options(node, "field", problems);
    ASSERT_EQ(problems.text(), "");
    readers = std::make_unique<Readers>(options, "field", sink, outbox);
  }
  void take(std::string_view topic, std::string_view payload, bool retained = false) {
    readers->take({topic, payload, retained}, now);
  }
  std::string findings() const {
    bool offline = false;
    return readers->findings(offline);
  }
  /// "value unit" of the last sample, with its quality and reason where it is not good.
  std::string last(const std::string& series) const {
    const auto sample = sink.last(series);
    const auto info = sink.info(series);
    if (!sample || !info) return "none";
    std::string text =
        info->kind == SeriesKind::state ? sink.last_label(series).value_or("?") : number_text(sample->value);
    if (!info->unit.empty()) text += " " + info->unit;
    if (sample->quality == Quality::good) return text;
    return std::string(name(sample->quality)) + " " + std::string(name(sample->reason)) +
           (sample->quality == Quality::bad ? "" : " " + text);
  }
  std::string refused() const { return sink.rejected().empty() ? "" : sink.rejected().back().reason; }

  fakes::FakeSink sink;
  FakeOutbox outbox;
  Options options;
  std::unique_ptr<Readers> readers;
  Timestamp now = *parse_rfc3339("2026-03-01T12:00:00Z");
};

}  // namespace tidegate::drivers::mqtt
