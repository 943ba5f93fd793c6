#pragma once

#include <functional>

#include "gateway/core/result.h"
#include "gateway/journal/store_view.h"

namespace tidegate::tools {

/// Every event of the log in its order, each once; those that cannot be read any more too.
Status for_each_event(journal::StoreView& view, const std::function<void(const journal::StoredEvent&)>& take);

}  // namespace tidegate::tools
