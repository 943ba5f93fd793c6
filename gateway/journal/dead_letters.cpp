#include "gateway/journal/dead_letters.h"

#include <algorithm>

namespace tidegate::journal {
namespace {

constexpr std::size_t kMaxRecent = 512;
constexpr Micros kOneLetter = std::chrono::minutes(1);

}  // namespace

DeadLetters::DeadLetters(Metrics& metrics)
    : total_(metrics.counter("journal/dead_letters", "", "Payloads that could not be used.")),
      unrecorded_(metrics.counter("journal/dead_letters_unrecorded", "",
                                  "Payloads that could not be used and, too many at a time, were only counted.")) {}

void DeadLetters::add(DeadLetter letter) {
  total_.add();
  letter.payload.resize(std::min(letter.payload.size(), DeadLetter::kMaxPayload));
  const std::lock_guard lock(mutex_);
  const auto found = recent_.find(key_of(letter));
  if (found != recent_.end() && letter.time - found->second.change.letter.time < kOneLetter) {
    ++found->second.change.times;
    return;
  }
  if (found != recent_.end() && found->second.change.times == found->second.saved_times) {
    found->second = {{0, 1, std::move(letter)}, 0};
    return;
  }
  if (found != recent_.end()) {  // the old one is not saved yet: rather one letter too few than one lost count
    ++found->second.change.times;
    return;
  }
  if (recent_.size() >= kMaxRecent) {
    unrecorded_.add();
    return;
  }
  Key key = key_of(letter);
  recent_.emplace(std::move(key), Entry{{0, 1, std::move(letter)}, 0});
}

std::vector<DeadLetters::Change> DeadLetters::changes() const {
  const std::lock_guard lock(mutex_);
  std::vector<Change> changes;
  for (const auto& [key, entry] : recent_) {
    if (entry.change.times != entry.saved_times) changes.push_back(entry.change);
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.letter.time < b.letter.time; });
  return changes;
}

void DeadLetters::saved(const std::vector<Change>& changes, Timestamp now) {
  const std::lock_guard lock(mutex_);
  for (const Change& change : changes) {
    const auto found = recent_.find(key_of(change.letter));
    if (found == recent_.end() || found->second.change.letter.time != change.letter.time) continue;
    found->second.change.id = change.id;
    found->second.saved_times = change.times;
  }
  std::erase_if(recent_, [now](const auto& item) {
    const Entry& entry = item.second;
    return entry.change.times == entry.saved_times && now - entry.change.letter.time >= kOneLetter;
  });
}

}  // namespace tidegate::journal
