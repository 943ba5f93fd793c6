#include "drivers/mqtt/outlet.h"

#include <algorithm>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::mqtt {
namespace {

using tidegate::mqtt::Connection;
using tidegate::mqtt::ConnectionOptions;

ConnectionOptions without_session(ConnectionOptions options) {
  options.client_id += "-write";
  options.session_expiry = Micros{0};
  options.will.reset();
  return options;
}

Micros left(std::chrono::steady_clock::time_point until) {
  return std::max(std::chrono::duration_cast<Micros>(until - std::chrono::steady_clock::now()), Micros{0});
}

}  // namespace

/// Commands go out one at a time: the broker's answers are told apart by nothing else.
class TopicOutlet::Turn {
 public:
  /// Waits for it until then, for ever where no time is given.
  explicit Turn(TopicOutlet& outlet, std::optional<Clock::time_point> until = {}) : outlet_(outlet) {
    std::unique_lock lock(outlet_.mutex_);
    const auto free = [&] { return !outlet_.taken_; };
    if (!until) outlet_.changed_.wait(lock, free);
    has_ = !until || outlet_.changed_.wait_until(lock, *until, free);
    if (has_) outlet_.taken_ = true;
  }
  ~Turn() {
    if (!has_) return;
    const std::scoped_lock lock(outlet_.mutex_);
    outlet_.taken_ = false;
    outlet_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return has_; }

 private:
  TopicOutlet& outlet_;
  bool has_ = false;
};

/// Hears what comes from its making on.
class TopicOutlet::Watching {
 public:
  Watching(TopicOutlet& outlet, Watch& watch) : outlet_(outlet), watch_(watch) {
    const std::scoped_lock lock(outlet_.mutex_);
    outlet_.watches_.push_back(&watch_);
  }
  ~Watching() {
    const std::scoped_lock lock(outlet_.mutex_);
    outlet_.watches_.erase(std::find(outlet_.watches_.begin(), outlet_.watches_.end(), &watch_));
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  TopicOutlet& outlet_;
  Watch& watch_;
};

TopicOutlet::TopicOutlet(std::vector<Command> commands, ConnectionOptions subscriber)
    : commands_(std::move(commands)), options_(without_session(std::move(subscriber))) {}

std::vector<WritablePoint> TopicOutlet::points() const {
  std::vector<WritablePoint> all;
  for (const Command& command : commands_) all.push_back(command.writable.point);
  return all;
}

Status TopicOutlet::write(std::string_view series, std::string_view value, const Permission& may) {
  const auto command = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const Command& one) { return one.writable.point.series == series; });
  if (command == commands_.end()) return fail(Errc::not_found, "'{}' is no point that may be set", printable(series));
  const auto wanted = to_device(command->writable, value);
  if (!wanted) return fail(wanted.error());
  Watch watch{*command, *wanted, may, Clock::now() + command->timeout};
  const Watching watching(*this, watch);
  if (const Status sent = send(watch); !sent) return sent;
  return command->writable.point.read_back ? wait_for(watch) : Status{};
}

void TopicOutlet::start() {
  if (commands_.empty()) return;
  const Turn turn(*this);
  connection_.emplace(options_, std::vector<tidegate::mqtt::Subscription>{}, Connection::Handlers{});
  connection_->start();
}

void TopicOutlet::stop() {
  hears(false);
  {
    const std::scoped_lock lock(mutex_);
    stopping_.request_stop();
  }
  const Turn none_is_sent(*this);
  connection_.reset();
  const std::scoped_lock lock(mutex_);
  stopping_ = {};
}

/// A token to wait with; an error while nothing that is written could be read back.
Result<std::stop_token> TopicOutlet::ready(const Writable& writable) {
  const std::scoped_lock lock(mutex_);
  if (writable.point.read_back && !hears_) {
    return fail(Errc::unavailable, "{}: not written: its source is not connected, and nothing could be read back",
                writable.point.series);
  }
  return stopping_.get_token();
}

Status TopicOutlet::send(Watch& watch) {
  const Command& command = watch.command;
  const std::string& series = command.writable.point.series;
  const auto stop = ready(command.writable);
  if (!stop) return fail(stop.error());
  const Turn turn(*this, watch.until);
  if (!turn) {
    return fail(Errc::timed_out, "{}: not written: commands before it still wait for the broker after {}", series,
                age_text(command.timeout));
  }
  if (!connection_) return fail(Errc::unavailable, "{}: not written: its source is stopped", series);
  if (!connection_->wait_connected(left(watch.until), *stop)) {
    return fail(Errc::unavailable, "{}: not written: {}", series, connection_->state().text);
  }
  {
    const std::scoped_lock lock(mutex_);
    watch.same = false;  // what came before the command is no answer to it
    watch.shown.clear();
  }
  return publish(watch, *stop);
}

/// Where the broker does not acknowledge it in time, the connection is given up, and with it what of the command has
/// not gone out yet.
Status TopicOutlet::publish(const Watch& watch, const std::stop_token& stop) {
  const std::string& series = watch.command.writable.point.series;
  tidegate::mqtt::Outgoing command = watch.command.message(watch.wanted);
  if (Status allowed = watch.may(); !allowed) return allowed;
  if (!command.retain) command.expiry = left(watch.until);       // a device that is away gets it no more by then
  Status sent = connection_->publish(std::move(command), stop);  // at once: nothing is under way
  if (!sent) return fail(sent.error().code, "{}: not written: {}", series, sent.error().text);
  sent = connection_->flush(left(watch.until), stop);
  if (sent) return {};
  const bool refused = sent.error().code == Errc::invalid;
  return fail(sent.error().code, "{}: {}: {}", series,
              refused ? "not written" : "the broker did not say that it has it; look at the point before you try again",
              sent.error().text);
}

Status TopicOutlet::wait_for(const Watch& watch) {
  const Command& command = watch.command;
  const std::string& series = command.writable.point.series;
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, watch.until, [&] { return watch.same || !hears_; });
  if (watch.same) return {};
  if (!watch.shown.empty()) return shows_instead(command.writable, watch.wanted, watch.shown);
  const std::string why = hears_ ? "nothing was heard of it within " + age_text(command.timeout)
                                 : std::string("its source lost its connection before anything was heard of it");
  return fail(Errc::timed_out, "{}: published to {}, but {}; look at the point before you try again", series,
              command.topic, why);
}

void TopicOutlet::hears(bool hears) {
  const std::scoped_lock lock(mutex_);
  hears_ = hears;
  changed_.notify_all();
}

bool TopicOutlet::awaits(std::string_view series) const {
  return std::any_of(commands_.begin(), commands_.end(),
                     [&](const Command& command) { return command.writable.point.series == series; });
}

void TopicOutlet::heard(std::string_view series, const Reading& reading) {
  const std::scoped_lock lock(mutex_);
  for (Watch* watch : watches_) {
    if (watch->command.writable.point.series != series) continue;
    watch->same = watch->same || is_same(watch->command.writable, watch->wanted, reading);
    watch->shown = shown(watch->command.writable, reading);
  }
  changed_.notify_all();
}

}  // namespace tidegate::drivers::mqtt
