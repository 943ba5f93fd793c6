#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <utility>
#include <vector>

#include "gateway/app/pump.h"
#include "tests/fakes/machine.h"

namespace tidegate::app {

/// A pump with a real journal on a disk, without sources: what comes is pushed, and time passes when test::Machine is
/// told so. One thread.
class SteppedGateway {
 public:
  SteppedGateway(const std::filesystem::path& disk, std::vector<rules::Rule> rules)
      : clock_(test::Machine::read, test::Machine::is_kept) {
    journal::Options options;
    options.directory = disk;
    auto opened = journal::Journal::open(options, clock_, metrics_);
    if (!opened) throw std::runtime_error(opened.error().text);
    journal_ = std::move(*opened);
    clock_.begin_after(journal_->left_off());
    pump_ = std::make_unique<Pump>(intake_, *journal_, freshness_, clock_, heart_, metrics_, Pump::Limits{});
    pump_->recover(std::move(rules));
    settle();
  }

 protected:
  /// All that was pushed is seen and on disk.
  void settle() {
    std::stop_source stop;
    stop.request_stop();
    pump_->run(stop.get_token());
  }

  GatewayClock clock_;
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  Intake intake_{10'000};
  Freshness freshness_;
  Heartbeat heart_;
  std::unique_ptr<Pump> pump_;
};

}  // namespace tidegate::app
