#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {

/// The server with a journal and no gateway, asked by who may do everything.
class Http : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  tidegate::test::HttpResponse get(const std::string& path) { return rig.http().get(path); }
  nlohmann::json get_json(const std::string& path) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_EQ(response.headers.at("content-type"), "application/json") << path;
    return nlohmann::json::parse(response.body);
  }
  Rig rig;
};

}  // namespace tidegate::dashboard::test
