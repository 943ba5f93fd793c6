#pragma once

#include <memory>
#include <string>
#include <thread>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "tests/drivers/modbus/serial_line.h"
#include "tests/drivers/modbus/simulator.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/process.h"

namespace tidegate::test {

/// A driver that runs, and what it said.
class Running {
 public:
  explicit Running(const std::string& yaml) : driver_(make_driver(yaml, clock_, metrics_, why_)) {
    if (driver_ != nullptr)
      thread_ = std::jthread([this](std::stop_token stop) { ended_ = driver_->run(sink_, stop); });
  }
  ~Running() { stop(); }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  const std::string& why() const { return why_; }  ///< its problems
  fakes::FakeSink& sink() { return sink_; }
  Metrics& metrics() { return metrics_; }

  bool says(SourceHealth health, const std::string& words,
            std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    return sink_.wait_for_words(words, health, patience);
  }
  std::string last_words() {
    const auto all = sink_.reports();
    return all.empty() ? "nothing was reported" : all.back().text;
  }

 private:
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::string why_;
  std::unique_ptr<drivers::Driver> driver_;
  Status ended_;
  std::jthread thread_;
};

}  // namespace tidegate::test
