// Points of devices that people and rules set: who may is the gate's and the configuration's business, whether it may
// be now is decided here.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "gateway/app/point_writer.h"
#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

constexpr const char* kDeed = "write";

/// Between tries: what a rule wants of one device does not wait behind another one, or an interlock, that is away.
constexpr uplink::Waits kPointWaits{std::chrono::milliseconds(250), std::chrono::seconds(2), true};

Status nothing_kept() {
  return fail(Errc::unavailable, "nothing can be set while state.db cannot be used: nobody would know who did it");
}

}  // namespace

std::vector<dashboard::PointDesk::Point> Runtime::writable() const {
  const std::lock_guard lock(parts_mutex_);
  std::vector<Point> all;
  for (const auto& source : sources_) {
    if (source->outlet() == nullptr) continue;
    for (WritablePoint& point : source->outlet()->points()) all.push_back({source->name(), std::move(point)});
  }
  return all;
}

/// A yes/no series that says yes, good and fresh: an interlock that nobody knows is none that is closed.
Status Runtime::interlock_closed(const WritablePoint& point) const {
  if (point.interlock.empty()) return {};
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::conflict, "{} may not be set now: its interlock {} {}", point.series, point.interlock, why);
  };
  const auto id = ground_->journal->catalogue().find(point.interlock);
  if (!id) return refuse("has never had a value");
  const SeriesKind kind = ground_->journal->catalogue().entry(*id).info.kind;
  if (kind != SeriesKind::boolean) return refuse(fmt::format("is a {}, and has to be a yes/no series", name(kind)));
  const auto latest = ground_->journal->latest();
  if (index(*id) >= latest.size() || latest[index(*id)].time == Timestamp{}) return refuse("has never had a value");
  const Sample last = latest[index(*id)];
  if (last.quality != Quality::good) return refuse(fmt::format("is {}, which is no yes", name(last.quality)));
  if (last.time <= freshness_.ahead(*id))
    return refuse("came with a time ahead of the gateway's clock, so that nobody knows whether it is its newest");
  if (last.time < started_ && ground_->clock.state() != ClockState::set)
    return refuse("is of an earlier run, and nobody knows how long ago that was: the clock is not set");
  const Micros age = ground_->clock.now() - last.time;
  const Micros stale = freshness_.stale_after(*id);
  if (stale > Micros{0} && age > stale) return refuse(fmt::format("was last heard of {} ago", age_text(age)));
  if (last.value != 1) return refuse("says no");
  return {};
}

Result<Runtime::HeldPoint> Runtime::hold(const std::string& series) const {
  const std::lock_guard lock(parts_mutex_);
  std::vector<std::string> names;
  for (const auto& source : sources_) {
    Outlet* outlet = source->outlet();
    if (outlet == nullptr) continue;
    for (WritablePoint& point : outlet->points()) {
      if (point.series == series) return HeldPoint{source->hold(), outlet, std::move(point)};
      names.push_back(point.series);
    }
  }
  if (names.empty()) {
    return fail(Errc::not_found, "no point of this gateway may be set: write `writable:` at one, where its driver can");
  }
  return fail(Errc::not_found, "'{}' is no point that may be set{}; /api/v1/points lists them", printable(series, 64),
              did_you_mean(series, names));
}

/// Whoever wants it, and has said so in the audit. Errc::not_found: there is no such point; a device that is not there
/// may come back.
Status Runtime::set(const HeldPoint& held, const std::string& value) const {
  const Permission may = [&] { return interlock_closed(held.point); };
  if (const Status closed = may(); !closed) return fail(closed.error());  // nothing waits for its device in vain
  Status done = held.outlet->write(held.point.series, value, may);
  if (!done && done.error().code == Errc::not_found) return fail(Errc::unavailable, "{}", done.error().text);
  return done;
}

/// On disk before it is done: whatever becomes of the gateway, it is known who set it and why.
Status Runtime::record(const state::Deed& deed) {
  return ground_->state ? ground_->state->record(deed) : nothing_kept();
}

/// While there is a state.
state::PointMarks Runtime::marks() const { return {*ground_->state, ground_->journal->epoch()}; }

Result<std::string> Runtime::write(const dashboard::PointWrite& wish) {
  const Seq before = ground_->journal->last();
  const auto found = hold(wish.series);
  const std::string asked = fmt::format("to {}{}{}", wish.value, wish.why.empty() ? "" : ": ", wish.why);
  if (const Status kept = record({wish.who, kDeed, wish.series, asked}); !kept) return fail(kept.error());
  const Status done = found ? set(*found, wish.value) : fail(found.error());
  if (!done) {
    audit({wish.who, kDeed, wish.series, done.error().text});
    return fail(done.error());
  }
  // What a rule wanted before is over: it would undo what somebody has seen done.
  const Status kept = marks().put({wish.who, kDeed, wish.series, fmt::format("{} is set", wish.value)}, before);
  if (!kept) spdlog::error("the audit does not keep that {} is set: {}", wish.series, kept.error().text);
  return fmt::format("{} is set to {}{}", wish.series, printable(wish.value, 64),
                     found->point.read_back ? " and was read back" : "; it is not read back");
}

/// Once there is a point that may be set. Behind the sources, so that none is missing yet.
void Runtime::start_point_writer() {
  if (point_writer_ || writable().empty()) return;
  PointDoors doors{[this](const state::Deed& deed) { return record(deed); },
                   [this](const state::Deed& deed, Seq through) {
                     return ground_->state ? marks().put(deed, through) : nothing_kept();
                   },
                   [this]() -> Result<std::map<std::string, Seq, std::less<>>> {
                     if (!ground_->state) return fail(nothing_kept().error());
                     return marks().all();
                   },
                   [this](std::string_view point, std::string_view value) -> Status {
                     const auto held = hold(std::string(point));
                     return held ? set(*held, std::string(value)) : fail(held.error());
                   },
                   [this] { return ground_->clock.state() == ClockState::set; }};
  auto runner = std::make_unique<uplink::Runner>(
      uplink::Runner::Section{std::string(PointWriter::kName), std::string(PointWriter::kName), {}},
      std::make_unique<PointWriter>(std::move(doors), *ground_->journal, ground_->clock, ground_->metrics, started_),
      *ground_->journal, ground_->clock, ground_->metrics, kPointWaits);
  const std::lock_guard lock(parts_mutex_);
  point_writer_ = std::move(runner);
  point_writer_->start();
}

}  // namespace tidegate::app
