#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {

/// A source on a tree that looks like /sys.
class Tree : public testing::Test {
 protected:
  // Replaced in one step, so that no read finds half a file.
  void put(const std::string& file, const std::string& text) {
    const auto whole = root_.path() / file;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(root_.path() / "new") << text;
    std::filesystem::rename(root_.path() / "new", whole);
  }
  void link(const std::string& target, const std::string& at) {
    std::filesystem::create_directories(root_.path() / target);
    std::filesystem::create_directories((root_.path() / at).parent_path());
    std::filesystem::create_directory_symlink(root_.path() / target, root_.path() / at);
  }
  void remove(const std::string& at) { std::filesystem::remove_all(root_.path() / at); }
  void move(const std::string& from, const std::string& to) {
    std::filesystem::rename(root_.path() / from, root_.path() / to);
  }

  void start(const std::string& type, const std::string& every, const std::string& options = "") {
    std::string why;
    driver_ = test::make_driver(fmt::format("{{name: box, type: {}, every: {}, root: '{}'{}{}}}", type, every,
                                            root_.path().string(), options.empty() ? "" : ", ", options),
                                clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && std::abs(last->value - value) < 1e-9;
    });
  }
  bool turns_bad(const std::string& name, Reason why) { return sink_.wait_for_bad(name, why); }
  bool says(const std::string& text) { return sink_.wait_for_words(text); }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  test::TempDir root_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

}  // namespace tidegate::drivers
