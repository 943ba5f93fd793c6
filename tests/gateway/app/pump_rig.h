#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "gateway/app/pump.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {

using namespace std::chrono_literals;
using test::eventually;

/// A pump with a real journal, without drivers, viewers or uplinks.
class Rig {
 public:
  struct Options {
    Micros commit_every = 50ms;
    std::size_t batch_samples = 1000;
    std::size_t max_series = 1000;
    bool start = true;
    GatewayClock::Read read = GatewayClock::read_system;
    GatewayClock::Kept kept = GatewayClock::is_kept;
  };
  Rig(const std::filesystem::path& directory, const std::string& rules) : Rig(directory, rules, Options{}) {}
  Rig(const std::filesystem::path& directory, const std::string& rules, const Options& rig)
      : rules_(rules), clock_(rig.read, rig.kept) {
    journal::Options options;
    options.directory = directory;
    options.series.max_series = rig.max_series;
    auto opened = journal::Journal::open(options, clock_, metrics_);
    if (!opened) throw std::runtime_error(opened.error().text);
    journal_ = std::move(*opened);
    clock_.begin_after(journal_->left_off());
    pump_ = std::make_unique<Pump>(intake_, *journal_, freshness_, clock_, heart_, metrics_,
                                   Pump::Limits{rig.commit_every, rig.batch_samples});
    if (!rig.start) return;
    pump_->recover(rules_of(rules));
    thread_ = std::jthread([this](std::stop_token stop) { pump_->run(std::move(stop)); });
  }
  /// Of a pump that was not started: all that was pushed until now.
  void drain() {
    std::stop_source stop;
    stop.request_stop();
    pump_->recover(rules_of(rules_));
    pump_->run(stop.get_token());
  }

  SeriesId series(const std::string& name) { return *journal_->catalogue().intern(name, SeriesInfo{}); }
  Ticket push(SeriesId series, double value, Quality quality = Quality::good) {
    const Sample sample{series, quality, Reason::none, clock_.now(), value};
    return intake_.push({&sample, 1});
  }
  /// Pushes and waits until it is on disk.
  void store(SeriesId series, double value) { ASSERT_TRUE(intake_.wait_committed(push(series, value), {})); }

  std::vector<std::string> transitions() const {
    std::vector<std::string> causes;
    const auto events = journal_->events({.after = Seq{0}, .limit = 1000, .newest_first = false, .alerts_only = true});
    for (const auto& stored : *events) {
      if (const auto* flood = std::get_if<Flood>(&stored.event.body)) {
        causes.push_back(fmt::format("flood {} {} {}", flood->on ? "on" : "over", flood->first, flood->count));
        continue;
      }
      const auto& transition = std::get<AlertTransition>(stored.event.body);
      causes.push_back(transition.alert.id + " " + transition.cause);
    }
    return causes;
  }

  /// Of the system clock, in words.
  std::vector<std::string> clock_events() const {
    std::vector<std::string> told;
    const auto events = journal_->events({});
    for (const auto& stored : *events) {
      if (std::holds_alternative<ClockStep>(stored.event.body)) told.emplace_back("step");
      const auto* notice = std::get_if<Notice>(&stored.event.body);
      if (notice != nullptr && notice->kind == "clock") told.push_back(notice->text);
    }
    return told;
  }
  std::vector<Timestamp> stored_times() const {
    std::vector<Timestamp> times;
    const auto batches = journal_->read(Seq{0});
    for (const auto& batch : *batches) {
      for (const Sample& sample : batch->samples) times.push_back(sample.time);
    }
    return times;
  }

  const std::string rules_;
  GatewayClock clock_;
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  Intake intake_{10'000};
  Freshness freshness_;
  Heartbeat heart_;
  std::unique_ptr<Pump> pump_;
  std::jthread thread_;
};

}  // namespace tidegate::app
