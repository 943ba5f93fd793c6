#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "drivers/driver.h"
#include "tests/drivers/section.h"
#include "tests/drivers/snmp/snmpd.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {

using namespace std::chrono_literals;

// 99999 is nobody's: 1 are scalars, 2 is a table whose first column names the rows.
inline const std::string kObjects = R"(
override 1.3.6.1.4.1.99999.1.1.0 counter 4294967290
override 1.3.6.1.4.1.99999.1.2.0 octet_str "23.5"
override 1.3.6.1.4.1.99999.1.3.0 integer -40
override 1.3.6.1.4.1.99999.1.4.0 uinteger 4000000000
override 1.3.6.1.4.1.99999.1.5.0 timeticks 12345
override 1.3.6.1.4.1.99999.1.6.0 object_id 1.3.6.1.4
override 1.3.6.1.4.1.99999.1.8.0 integer 2
override 1.3.6.1.4.1.99999.1.9.0 octet_str "on line"
)";
inline const std::string kRows = R"(
override 1.3.6.1.4.1.99999.2.1.1.1 octet_str "Port/1"
override 1.3.6.1.4.1.99999.2.1.1.2 octet_str "Port/2"
override 1.3.6.1.4.1.99999.2.1.1.10 octet_str "Port/2"
override 1.3.6.1.4.1.99999.2.1.2.1 integer 11
override 1.3.6.1.4.1.99999.2.1.2.2 integer 22
override 1.3.6.1.4.1.99999.2.1.2.10 integer 33
override 1.3.6.1.4.1.99999.2.1.3.1 counter 100
override 1.3.6.1.4.1.99999.2.1.3.10 counter 300
)";
inline const std::string kTable =
    "{name: port, rows: 1.3.6.1.4.1.99999.2.1.1, columns: [{name: load, oid: 1.3.6.1.4.1.99999.2.1.2}, "
    "{name: errors, oid: 1.3.6.1.4.1.99999.2.1.3}]}";

/// The driver, and the agent that it asks.
class SnmpDriver : public testing::Test {
 protected:
  void start(const std::string& options) {
    std::string why;
    driver_ = test::make_driver(
        fmt::format("{{name: box, type: snmp, host: 127.0.0.1, port: {}, every: 100ms, {}}}", agent_.port(), options),
        clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  double value(const std::string& name) const {
    const auto sample = sink_.last(name);
    EXPECT_TRUE(sample) << name;
    if (!sample) return -1;
    EXPECT_EQ(sample->quality, Quality::good) << name;
    return sample->value;
  }
  bool turns(const std::string& name, Quality quality, std::chrono::milliseconds patience = 20s) {
    return sink_.wait_until(
        [&](const fakes::FakeSink& sink) {
          const auto last = sink.last(name);
          return last && last->quality == quality;
        },
        patience);
  }
  bool says(const std::string& text) { return sink_.wait_for_words(text); }
  std::string told() const { return sink_.reports().empty() ? "" : sink_.reports().back().text; }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  test::Snmpd agent_{kObjects + kRows};
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

}  // namespace tidegate::drivers
