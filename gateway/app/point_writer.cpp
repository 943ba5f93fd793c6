#include "gateway/app/point_writer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/alert.h"

namespace tidegate::app {
namespace {

constexpr const char* kDeed = "write";

std::string who(const AlertTransition& transition) { return "rule " + transition.alert.rule; }

}  // namespace

PointWriter::PointWriter(PointDoors doors, journal::Journal& journal, const Clock& clock, Metrics& metrics,
                         Timestamp began)
    : doors_(std::move(doors)),
      journal_(journal),
      clock_(clock),
      began_(began),
      given_up_(metrics.counter(fmt::format("uplink/{}/given_up", kName), "",
                                "Points that rules wanted to be set, and that could not be in time.")) {}

state::Deed PointWriter::deed(const Wish& wish, std::string detail) {
  return {who(*wish.transition), kDeed, wish.setting->point, std::move(detail)};
}

void PointWriter::tell(const Status& kept, const Wish& wish) {
  if (!kept)
    spdlog::error("the audit does not keep what came of {}: {}", printable(wish.setting->point), kept.error().text);
}

/// Those that somebody still wants, oldest first. Of a gap nobody knows what was to be set.
std::vector<PointWriter::Wish> PointWriter::wishes_of(std::span<const uplink::Parcel> parcels) {
  std::vector<Wish> wishes;
  Since since;
  for (auto parcel = parcels.rbegin(); parcel != parcels.rend(); ++parcel) {
    if (parcel->batch->gap) continue;
    for (std::size_t event = parcel->first + parcel->count; event-- > parcel->first;) {
      const auto* transition = std::get_if<AlertTransition>(&parcel->batch->events[event].body);
      if (transition == nullptr) continue;
      for (std::size_t i = transition->write.size(); i-- > 0;) {
        const Wish wish{{parcel->batch->seq, event, i}, transition, &transition->write[i]};
        if (still_wanted(wish, since)) wishes.push_back(wish);
      }
      since.add(*transition);
    }
  }
  std::reverse(wishes.begin(), wishes.end());
  return wishes;
}

/// And not over yet. What a newer wish outdoes may be wanted again, where that one's alert is over before it was done.
bool PointWriter::still_wanted(const Wish& wish, Since& since) {
  Progress& progress = progress_[wish.place];
  const auto ended = ended_.find(wish.setting->point);
  if (ended != ended_.end() && std::get<Seq>(wish.place) <= ended->second && !std::exchange(progress.over, true)) {
    if (progress.recorded) tell(doors_.record(deed(wish, "not set: somebody has set it since")), wish);
  }
  const std::string why = progress.over ? "" : since.outdoes(*wish.transition, *wish.setting);
  if (!why.empty()) {
    if (std::exchange(progress.recorded, false)) tell(doors_.record(deed(wish, "not set: " + why)), wish);
    return false;
  }
  since.points.insert(wish.setting->point);
  return !progress.over;
}

void PointWriter::Since::add(const AlertTransition& transition) {
  const AlertRecord& alert = transition.alert;
  if (!rules::raised(alert.phase) || silenced(alert)) quiet[alert.id] = transition.cause;
  if (!rules::raised(alert.phase)) return;
  for (const PointSetting& setting : alert.release) owed.emplace(alert.id, setting.point);
}

/// Why nobody wants it any more; empty where somebody does.
std::string PointWriter::Since::outdoes(const AlertTransition& transition, const PointSetting& setting) const {
  const AlertRecord& alert = transition.alert;
  if (points.contains(setting.point)) return "another value is wanted by now";
  if (!rules::raised(alert.phase)) {
    const bool again = owed.contains({alert.id, setting.point});
    return again ? fmt::format("{} is raised again, and it comes when that is over", alert.id) : "";
  }
  const auto found = quiet.find(alert.id);
  return found == quiet.end() ? "" : fmt::format("{} {} meanwhile", alert.id, found->second);
}

Status PointWriter::send(uplink::Lane, std::span<const uplink::Parcel> parcels, std::stop_token stop) {
  auto ended = doors_.ended();
  if (!ended) return fail(std::move(ended.error()));
  ended_ = std::move(*ended);
  progress_.erase(progress_.begin(), progress_.lower_bound({parcels.front().batch->seq, 0, 0}));
  std::vector<Wish> wishes = wishes_of(parcels);
  // News first: a device that hangs delays no other one but while it is tried.
  std::stable_partition(wishes.begin(), wishes.end(),
                        [&](const Wish& wish) { return progress_[wish.place].trouble.empty(); });
  std::size_t open = 0;
  std::string trouble;
  for (const Wish& wish : wishes) {
    if (stop.stop_requested()) return fail(Errc::stopped, "the gateway stops");
    Progress& progress = progress_[wish.place];
    attempt(wish, progress);
    if (progress.over) continue;
    if (++open == 1) trouble = progress.trouble;
  }
  if (open == 0) return {};
  return fail(Errc::unavailable, "{}{}", trouble, open > 1 ? fmt::format("; and {} more to be set", open - 1) : "");
}

void PointWriter::attempt(const Wish& wish, Progress& progress) {
  const PointSetting& setting = *wish.setting;
  if (const std::string old = too_old(setting); !old.empty()) {
    return give_up(wish, progress, progress.trouble.empty() ? old : fmt::format("{}; {}", old, progress.trouble));
  }
  if (!progress.recorded) {
    const AlertTransition& transition = *wish.transition;
    const Status kept =
        doors_.record({who(transition), kDeed, setting.point,
                       fmt::format("to {}: {} {}", setting.value, transition.alert.id, transition.cause)});
    if (!kept) {
      progress.trouble = kept.error().text;
      return;
    }
    progress.recorded = true;
  }
  const Status done = doors_.set(setting.point, setting.value);
  if (done) return end(wish, progress, fmt::format("{} is set", setting.value));
  progress.trouble = done.error().text;
  if (done.error().code == Errc::invalid || done.error().code == Errc::not_found) {
    give_up(wish, progress, done.error().text);
  }
}

/// Why it must not be set any more; empty while it may.
std::string PointWriter::too_old(const PointSetting& setting) const {
  const Micros age = clock_.now() - setting.asked;
  if (age > setting.within) return fmt::format("this was to be done within {}", age_text(setting.within));
  const bool known = age >= Micros{0} && (setting.asked >= began_ || doors_.knows_time());
  return known ? "" : "nobody knows how long ago it was wanted: the clock is not set, or was wrong then";
}

void PointWriter::give_up(const Wish& wish, Progress& progress, const std::string& why) {
  const PointSetting& setting = *wish.setting;
  spdlog::error("{} gives up setting {} to {}: {}", who(*wish.transition), printable(setting.point),
                printable(setting.value), why);
  journal_.dead_letter({clock_.now(), fmt::format("uplink/{}", kName), setting.point, setting.value, why});
  given_up_.add();
  end(wish, progress, "not set, and given up: " + why);
}

void PointWriter::end(const Wish& wish, Progress& progress, const std::string& detail) {
  progress.over = true;
  tell(doors_.end(deed(wish, detail), std::get<Seq>(wish.place)), wish);
}

}  // namespace tidegate::app
