#pragma once

#include <string>

#include "gateway/config/node.h"

namespace tidegate::config {

/// Adds what a further file says: lists append, maps join, a scalar set twice is a problem that names both places.
/// `path` is where both stand, "" for the root.
void join(Node& into, Node from, const std::string& path, Problems& problems);

}  // namespace tidegate::config
