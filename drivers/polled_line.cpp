#include "drivers/polled_line.h"

#include <algorithm>

namespace tidegate::drivers {
namespace {

constexpr Micros kFirstRest = std::chrono::seconds(1);
constexpr Micros kLongestRest = std::chrono::minutes(1);
constexpr Micros kLongestCheapRest = std::chrono::seconds(3);  // where a try costs the others nothing

}  // namespace

Watched::Watched(Polled polled, std::uint64_t seed)
    : polled_(std::move(polled)),
      rest_(kFirstRest, kLongestRest, seed),
      cheap_rest_(kFirstRest, kLongestCheapRest, seed) {}

Watched::State Watched::state() const { return {failure_.empty(), trouble(), polled_.device->notice()}; }

void Watched::open(Sink& sink) {
  const Status opened = polled_.device->open(sink);
  refused_ = opened ? "" : opened.error().text;
  troubles_.assign(polled_.intervals.size(), {});
}

bool Watched::read(const std::vector<std::size_t>& due, Turn& turn) {
  for (auto group = due.begin(); group != due.end(); ++group) {
    if (turn.stop.stop_requested()) return true;
    auto read = polled_.device->read(*group, turn);
    if (!read) {
      lose({group, due.end()}, read.error(), turn);
      return false;
    }
    troubles_[*group] = std::move(*read);
  }
  failure_.clear();
  rest_.reset();
  cheap_rest_.reset();
  return true;
}

std::string Watched::trouble() const {
  std::string all;
  const auto note = [&](const std::string& text) {
    if (!text.empty() && all.find(text) == std::string::npos) all += (all.empty() ? "" : "; ") + text;
  };
  note(failure_);
  note(refused_);
  if (failure_.empty()) std::for_each(troubles_.begin(), troubles_.end(), note);
  return all;
}

void Watched::lose(const std::vector<std::size_t>& groups, const Error& why, Turn& turn) {
  for (const std::size_t group : groups) polled_.device->lose(group, reason_of(why), turn);
  failure_ = why.text;
  const std::optional<Micros> asked = polled_.device->turned_away();
  const Micros rest = (asked || why.code == Errc::timed_out ? rest_ : cheap_rest_).next();
  until_ = turn.clock.now() + std::max(rest, asked.value_or(Micros{0}));
}

PolledLine::PolledLine(std::vector<Watched*> devices, const Clock& clock, Counts counts)
    : devices_(std::move(devices)), clock_(clock), counts_(counts), schedule_({}, {}) {}

void PolledLine::start() {
  std::vector<Micros> all;
  groups_.clear();
  for (std::size_t device = 0; device < devices_.size(); ++device) {
    const std::vector<Micros>& own = devices_[device]->intervals();
    for (std::size_t number = 0; number < own.size(); ++number) groups_.push_back({device, number});
    all.insert(all.end(), own.begin(), own.end());
  }
  schedule_ = {all, clock_.now()};
  counted_ = 0;
}

PolledLine::Taken PolledLine::take_turn(Sink& sink, const std::stop_token& stop) {
  const Timestamp planned = next(), begun = clock_.now();
  due_.assign(devices_.size(), {});
  for (const std::size_t group : schedule_.take_due(begun)) {
    due_[groups_[group].device].push_back(groups_[group].number);
  }
  read_due(sink, stop);
  const std::uint64_t missed = schedule_.missed() - counted_;
  counted_ = schedule_.missed();
  return {planned, begun, clock_.now(), missed};
}

// Each turn another one comes first: a slow one does not always delay the same.
void PolledLine::read_due(Sink& sink, const std::stop_token& stop) {
  samples_.clear();
  Turn turn{sink, clock_, samples_, stop};
  first_ = devices_.empty() ? 0 : (first_ + 1) % devices_.size();
  for (std::size_t i = 0; i < devices_.size() && !stop.stop_requested(); ++i) {
    const std::size_t at = (first_ + i) % devices_.size();
    if (due_[at].empty() || devices_[at]->rests(clock_.now())) continue;
    counts_.reads.add();
    if (!devices_[at]->read(due_[at], turn)) counts_.failed.add();
  }
  if (!samples_.empty()) sink.push(samples_);
}

}  // namespace tidegate::drivers
