#include "gateway/tools/events.h"

#include <algorithm>

#include "gateway/journal/reader.h"

namespace tidegate::tools {

/// In portions that end with a batch: where one goes on behind the end of a portion, it is in the next one.
Status for_each_event(journal::StoreView& view, const std::function<void(const journal::StoredEvent&)>& take) {
  journal::EventQuery query{.damaged_too = true};
  while (true) {
    const auto events = journal::read_events(view.log(), query);
    if (!events) return fail(events.error());
    const bool is_last = events->size() < query.limit;
    const auto whole = [&](const journal::StoredEvent& stored) { return is_last || stored.seq < events->back().seq; };
    const auto end = std::find_if_not(events->begin(), events->end(), whole);
    std::for_each(events->begin(), end, take);
    if (is_last) return {};
    if (end == events->begin()) {
      query.limit *= 2;  // one batch has more than that
    } else {
      query.after = std::prev(end)->seq;
    }
  }
}

}  // namespace tidegate::tools
