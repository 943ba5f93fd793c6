#pragma once

#include <initializer_list>
#include <string>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"

namespace tidegate::rules {

/// Reads the quantities of one rule in one unit: that of the first which has one; those without are taken in it. What
/// does not convert is a problem at its place.
class Quantities {
 public:
  Quantities(std::initializer_list<const config::Node*> nodes, config::Problems& problems);

  double point(const config::Node& node) { return read(node, false); }      ///< a level: 90 °C
  double difference(const config::Node& node) { return read(node, true); }  ///< a width: 5 °C
  const std::string& unit() const { return unit_; }
  bool ok() const { return ok_; }
  void complain(const config::Node& node, std::string what);

 private:
  double read(const config::Node& node, bool difference);

  config::Problems& problems_;
  std::string unit_;
  std::string unit_text_;  ///< the quantity that set the unit
  bool ok_ = true;
};

}  // namespace tidegate::rules
