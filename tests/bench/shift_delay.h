#pragma once

#include <string>

namespace tidegate::bench {

/// How long `shift` takes on normal samples that are independent of each other, and what the chart it is built on would
/// do with its limit alone: a table for people.
std::string shift_delays();

}  // namespace tidegate::bench
