// Dead letters that are handed back to the source that they came by.

#include <algorithm>

#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

constexpr std::string_view kOfUplinks = "uplink/";
constexpr const char* kDeed = "resubmit";

}  // namespace

Result<std::string> Runtime::resubmit(std::int64_t id, const std::string& who) {
  const auto letters = ground_->journal->dead_letters(1, id < INT64_MAX ? id + 1 : id);
  if (!letters) return fail(letters.error());
  if (letters->empty() || letters->front().id != id) {
    return fail(Errc::not_found, "there is no dead letter {}; /api/v1/dead-letters lists them", id);
  }
  const DeadLetter& letter = letters->front().letter;
  const std::lock_guard one(resubmitting_);  // else two would hand the same one back
  if (Status possible = check_resubmission(id, letter); !possible) return fail(std::move(possible.error()));
  const auto samples = read_again(letter);
  if (!samples) return fail(samples.error());
  audit({who, kDeed, std::to_string(id), fmt::format("{} {}: {} samples", letter.source, letter.topic, *samples)});
  return fmt::format("'{}' has read it once more: {} sample{}", printable(letter.source), *samples,
                     *samples == 1 ? "" : "s");
}

/// By the audit it is known who has handed it back before: its samples would count twice.
Status Runtime::check_resubmission(std::int64_t id, const DeadLetter& letter) const {
  if (letter.source.starts_with(kOfUplinks)) {
    return fail(Errc::conflict,
                "its far end refused it, and the uplink has gone on: what it sends is made of the log, which has no "
                "place for one message. Its samples are stored; `tidegate export` gives them");
  }
  if (letter.payload.size() >= DeadLetter::kMaxPayload) {
    return fail(Errc::conflict, "of its payload the first {} bytes are kept, and no more of it can be read",
                DeadLetter::kMaxPayload);
  }
  if (!ground_->state)
    return fail(Errc::conflict, "state.db cannot be used, so nobody knows whether it was read already");
  return ground_->state->look([&](journal::sql::Connection& connection) -> Status {
    auto rows = connection.prepare("SELECT who, time FROM deed WHERE what = ? AND about = ? LIMIT 1");
    if (!rows) return fail(std::move(rows.error()));
    const std::string about = std::to_string(id);
    const Result<bool> row = rows->bind(kDeed, about).step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    return fail(Errc::conflict, "{} has had it read already, at {}", printable(rows->text(0)),
                rfc3339_seconds(Timestamp{Micros{rows->integer(1)}}));
  });
}

Result<std::size_t> Runtime::read_again(const DeadLetter& letter) {
  const std::lock_guard lock(parts_mutex_);  // so that it is not replaced meanwhile
  const auto source =
      std::find_if(sources_.begin(), sources_.end(), [&](const auto& one) { return one->name() == letter.source; });
  if (source == sources_.end()) {
    return fail(Errc::conflict, "there is no source '{}' any more that could read it", printable(letter.source));
  }
  return (*source)->take_again(letter);
}

}  // namespace tidegate::app
