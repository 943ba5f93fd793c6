#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/mqtt/connection.h"
#include "tests/support/process.h"

namespace tidegate::mqtt {

using namespace std::chrono_literals;
using test::eventually;

/// A connection and what it has been told.
class Listener {
 public:
  explicit Listener(ConnectionOptions options, std::vector<Subscription> subscriptions = {}, bool start = true) {
    connection = std::make_unique<Connection>(
        std::move(options), std::move(subscriptions),
        Connection::Handlers{[this](const Message& message) {
                               const std::scoped_lock lock(mutex_);
                               messages_.push_back(std::string(message.topic) + "=" + std::string(message.payload) +
                                                   (message.retained ? " retained" : ""));
                             },
                             [this](const State& state) {
                               const std::scoped_lock lock(mutex_);
                               texts_.push_back(state.text);
                             }});
    if (start) connection->start();
  }

  std::vector<std::string> messages() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }
  bool heard(const std::string& message) const {
    return eventually([&] {
      const auto all = messages();
      return std::find(all.begin(), all.end(), message) != all.end();
    });
  }
  /// True once a state's text holds `part`.
  bool said(const std::string& part) const {
    return eventually([&] { return texts().find(part) != std::string::npos; });
  }
  std::string texts() const {
    const std::scoped_lock lock(mutex_);
    std::string all;
    for (const auto& text : texts_) all += text + "\n";
    return all;
  }
  bool connected() const { return connection->wait_connected(20s, {}); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
  std::vector<std::string> texts_;

 public:
  std::unique_ptr<Connection> connection;  // goes first: its handlers use the above
};

inline ConnectionOptions options_for(const std::string& url, const std::string& client_id = "tidegate-test") {
  ConnectionOptions options;
  options.broker = *Address::parse(url);
  options.client_id = client_id;
  options.first_wait = 50ms;
  options.longest_wait = 200ms;
  return options;
}

/// The protocol's versions, as a parameter of tests.
inline const auto kVersions = ::testing::Values(ConnectionOptions::Version::v5, ConnectionOptions::Version::v3_1_1);
inline std::string name_of_version(const ::testing::TestParamInfo<ConnectionOptions::Version>& version) {
  return version.param == ConnectionOptions::Version::v5 ? "v5" : "v3_1_1";
}

}  // namespace tidegate::mqtt
