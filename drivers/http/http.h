#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::http {

/// Polls URLs that answer with JSON, text or Prometheus' metrics; README.md beside this file has the options.
DriverType type();

}  // namespace tidegate::drivers::http
