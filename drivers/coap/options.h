#pragma once

#include <string>
#include <vector>

#include "drivers/coap/client.h"
#include "drivers/coap/payload.h"
#include "drivers/value.h"

namespace tidegate::drivers::coap {

struct PointOptions {
  std::string series, pointer;
  Format format = Format::automatic;
  ValueOptions value;
};

struct ResourceOptions {
  Resource resource;
  std::vector<PointOptions> points;
};

struct Options {
  Access access;
  Micros every;
  std::vector<ResourceOptions> resources;
};

config::Shape shape();
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::coap
