#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::test {

/// A running source `field` of type mqtt, stopped at its end. `more`: its options beside the broker.
class RunningMqtt {
 public:
  RunningMqtt(const std::string& url, const std::string& more, fakes::FakeSink& sink) {
    std::string why;
    driver_ = make_driver("{name: field, type: mqtt, broker: \"" + url + "\", " + more + "}", clock_, metrics_, why);
    EXPECT_EQ(why, "");
    thread_ = std::jthread([this, &sink](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink, std::move(stop))); });
  }

  Outlet* outlet() { return driver_->outlet(); }
  Metrics& metrics() { return metrics_; }
  void ask_to_stop() { thread_.request_stop(); }

 private:
  FakeClock clock_;
  Metrics metrics_;
  std::unique_ptr<drivers::Driver> driver_;
  std::jthread thread_;
};

}  // namespace tidegate::test
