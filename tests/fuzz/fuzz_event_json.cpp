// Any text as a stored event, alert, list of alerts or labels: what reads must come back the same from another round.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "gateway/journal/event_json.h"

namespace {

namespace journal = tidegate::journal;

/// The text of what was read from `text`, read and written again.
template <class Read>
void check(std::string_view text, const Read& read) {
  const auto first = read(text);
  if (!first) return;
  const std::string once = journal::to_json(*first);
  const auto second = read(std::string_view(once));
  if (!second || journal::to_json(*second) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check(text, [](std::string_view from) { return journal::event_from_json(from); });
  check(text, [](std::string_view from) { return journal::alert_from_json(from); });
  check(text, [](std::string_view from) { return journal::alerts_from_json(from); });
  check(text, [](std::string_view from) { return journal::labels_from_json(from); });
  return 0;
}
