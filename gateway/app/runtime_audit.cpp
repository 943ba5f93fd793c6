// What people decide: what they ask of alerts, and what is kept of who did it.

#include <spdlog/spdlog.h>

#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

state::Deed deed_of(const Acknowledge& wish) { return {wish.who, "acknowledge", wish.alert, wish.note}; }

state::Deed deed_of(const Shelve& wish) {
  if (wish.until == Timestamp{}) return {wish.who, "unshelve", wish.alert, wish.why};
  const std::string until = wish.until == kOutOfService ? "out of service" : "until " + rfc3339(wish.until);
  return {wish.who, "shelve", wish.alert, fmt::format("{}: {}", until, wish.why)};
}

state::Deed deed_of(const Comment& wish) { return {wish.who, "comment", wish.alert, wish.text}; }

}  // namespace

Result<AlertRecord> Runtime::ask(const Wish& wish) {
  auto answer = pump_.ask(wish);
  // One that timed out may be on disk yet.
  if (answer || answer.error().code == Errc::timed_out) {
    audit(std::visit([](const auto& one) { return deed_of(one); }, wish));
  }
  return answer;
}

Result<std::vector<state::StateView::Entry>> Runtime::deeds(std::size_t limit,
                                                            std::optional<std::int64_t> before) const {
  auto view = state::StateView::open(settings_.storage.directory);
  return view ? view->newest(limit, before) : fail(std::move(view.error()));
}

void Runtime::audit(const state::Deed& deed) {
  if (!ground_->state) return;
  if (const Status kept = ground_->state->record(deed); !kept) {
    spdlog::error("the audit does not keep that {} did '{}' to '{}': {}", printable(deed.who), deed.what,
                  printable(deed.about), kept.error().text);
  }
}

}  // namespace tidegate::app
