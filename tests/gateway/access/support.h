#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/access/access.h"
#include "gateway/state/state_view.h"
#include "tests/support/temp_dir.h"

namespace tidegate::access {

using namespace std::chrono_literals;

inline const std::string kGood = "correct horse battery";
inline const Identity kAdmin{"ada", Role::admin};

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    access.reset();
    state.reset();
    auto opened = state::State::open(directory.path(), clock);
    ASSERT_TRUE(opened) << opened.error().text;
    state = std::move(*opened);
    auto made = Access::open(*state, directory.path(), clock);
    ASSERT_TRUE(made) << made.error().text;
    access = std::move(*made);
  }
  std::string claim() {
    const auto session = access->claim(access->claim_code(), {"ada", kGood, "192.0.2.1"});
    EXPECT_TRUE(session) << session.error().text;
    return session.value_or("");
  }
  Result<std::string> log_in(const std::string& name, const std::string& password) {
    return access->log_in({name, password, "192.0.2." + std::to_string(++address % 250)});
  }
  std::vector<std::string> deeds() {
    std::vector<std::string> told;
    auto view = state::StateView::open(directory.path());
    EXPECT_TRUE(view->audit([&](const auto& entry) -> Status {
      told.push_back(entry.deed.who + " " + entry.deed.what + " " + entry.deed.about);
      EXPECT_TRUE(entry.sealed);
      return {};
    }));
    return told;
  }

  test::TempDir directory;
  FakeClock clock{Timestamp{1'700'000'000s}};
  std::unique_ptr<state::State> state;
  std::unique_ptr<Access> access;
  int address = 0;
};

}  // namespace tidegate::access
