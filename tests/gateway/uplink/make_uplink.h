#pragma once

#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "gateway/journal/journal.h"
#include "gateway/uplink/runner.h"

namespace tidegate::uplink {

/// What a gateway plant-7 makes of such a section of its configuration: `more` is what it says beside type and name.
inline std::unique_ptr<Uplink> make_uplink(const std::string& type, const std::string& name, const std::string& more,
                                           journal::Journal& journal) {
  config::Problems problems;
  const std::string text = "{name: " + name + ", type: " + type + ", " + more + "}";
  auto section = config::parse(text, "t.yaml", ".", config::References::system(), problems);
  config::check(section, uplink_shape(), problems);
  EXPECT_EQ(problems.text(), "");
  auto uplink = find_type(type)->make(section, {name, "plant-7", journal.epoch(), journal.catalogue()}, problems);
  EXPECT_EQ(problems.text(), "");
  return uplink;
}

}  // namespace tidegate::uplink
