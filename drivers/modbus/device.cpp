#include "drivers/modbus/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "drivers/modbus/decode.h"
#include "drivers/modbus/point_options.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::modbus {
namespace {

constexpr Micros kRefusedRests = std::chrono::minutes(1);
constexpr std::size_t kMostTroubles = 5;  // in words; of more, the number

constexpr int kIllegalFunction = 1, kIllegalAddress = 2, kIllegalValue = 3, kGatewayPath = 10, kGatewayTarget = 11;

/// Exceptions by which a gateway says that the unit is not there.
bool is_absent(int exception) { return exception == kGatewayPath || exception == kGatewayTarget; }
bool is_configuration(int exception) { return exception >= kIllegalFunction && exception <= kIllegalValue; }

/// One is compared to its last bit.
bool is_whole_number(const PointOptions& point) {
  const SeriesKind kind = point.writable->point.kind;
  return is_integer(point.format.type) && (kind == SeriesKind::number || kind == SeriesKind::counter);
}

/// Several things that are wrong, as one text.
class Troubles {
 public:
  void add(std::string text) {
    if (text.empty()) return;
    if (++count_ > kMostTroubles) return;
    all_ += (all_.empty() ? "" : "; ") + std::move(text);
  }
  std::string text() const {
    return count_ > kMostTroubles ? fmt::format("{}; and {} more", all_, count_ - kMostTroubles) : all_;
  }

 private:
  std::string all_;
  std::size_t count_ = 0;
};

}  // namespace

Device::Device(DeviceOptions options, std::shared_ptr<Line> line)
    : options_(std::move(options)), line_(std::move(line)) {
  for (std::size_t number = 0; number < options_.points.size(); ++number) add(number);
  for (Group& group : groups_) {
    for (Block& block : plan(group.wanted, options_.limits)) group.requests.push_back({std::move(block)});
    group.found.resize(group.wanted.size());
  }
}

void Device::add(std::size_t number) {
  const PointOptions& point = options_.points[number];
  Group& group = group_of(point.every, groups_);
  const std::size_t value = group.wanted.size();
  group.wanted.push_back(point.span);
  std::size_t exponent = value;
  if (point.exponent) {
    exponent = group.wanted.size();
    group.wanted.push_back({point.span.table, *point.exponent, 1});
  }
  group.points.push_back({Point(point.series, point.value), number, value, exponent});
}

std::vector<Micros> Device::intervals() const { return intervals_of(groups_); }

Status Device::open(Sink& sink) {
  Status opened;
  for (Group& group : groups_) {
    for (Held& held : group.points) {
      const PointOptions& point = options_.points[held.options];
      Status one = held.point.open(sink, natural_kind(point.format), group.every);
      if (!one) opened = std::move(one);
    }
  }
  return opened;
}

Result<std::string> Device::read(std::size_t number, Turn& turn) {
  Group& group = groups_[number];
  if (Status asked = ask(group, turn); !asked) return fail(asked.error());
  return turn.stop.stop_requested() ? "" : take(group, turn);
}

Status Device::ask(Group& group, Turn& turn) {
  for (std::size_t at = 0; at < group.requests.size(); ++at) {
    if (turn.stop.stop_requested()) return {};
    const Timestamp now = turn.clock.now();
    if (group.requests[at].rests_until > now) continue;
    // Again and again while it is cut in two: what stands at `at` then is the first half.
    std::size_t before = 0;
    do {
      before = group.requests.size();
      if (Status asked = ask_one(group, at, turn.clock.now()); !asked) return asked;
    } while (group.requests.size() > before);
  }
  return {};
}

/// Of a unit that says nothing.
Error Device::what_to_look_at(Error error) const {
  if (error.code != Errc::timed_out) return error;
  const bool is_tcp = line_->options().kind == LineOptions::Kind::tcp;
  error.text += is_tcp ? "; is it on, and is its number right?"
                       : "; is it on, and are its number, baud, parity and wiring right?";
  return error;
}

Status Device::ask_one(Group& group, std::size_t at, Timestamp now) {
  Asked& request = group.requests[at];
  const auto answer = line_->read(options_.unit, request.block.span, request.registers);
  request.exception = 0;
  request.time = now;
  if (answer) return {};
  const int exception = answer.error().exception;
  if (exception == 0 || is_absent(exception)) return fail(what_to_look_at(answer.error().error));
  split_or_rest(group, at, exception, now);
  return {};
}

void Device::split_or_rest(Group& group, std::size_t at, int exception, Timestamp now) {
  const auto halves = exception == kIllegalAddress || exception == kIllegalValue
                          ? split(group.requests[at].block, group.wanted)
                          : std::nullopt;
  if (halves) {
    group.requests[at] = Asked{halves->first};
    group.requests.insert(group.requests.begin() + static_cast<std::ptrdiff_t>(at) + 1, Asked{halves->second});
    return;
  }
  group.requests[at].exception = exception;
  if (is_configuration(exception)) group.requests[at].rests_until = now + kRefusedRests;
}

std::string Device::take(Group& group, Turn& turn) {
  Troubles troubles;
  for (std::size_t at = 0; at < group.requests.size(); ++at) {
    const Asked& request = group.requests[at];
    for (const std::size_t span : request.block.wanted) group.found[span] = at;
    if (request.exception == 0) continue;
    const bool is_mistake = is_configuration(request.exception);
    troubles.add(fmt::format("{}: {}{}", text(request.block.span), exception_text(request.exception),
                             is_mistake ? "; compare the point with the device's manual" : ""));
  }
  for (Held& held : group.points) troubles.add(take(held, group, turn));
  return troubles.text();
}

std::string Device::take(Held& held, const Group& group, Turn& turn) {
  const Asked& request = group.requests[group.found[held.value]];
  const Asked& second = group.requests[group.found[held.exponent]];
  if (request.exception != 0 || second.exception != 0) {
    held.point.lose(Reason::device_fault, turn.clock.now(), turn.samples);
    return "";
  }
  const auto registers_of = [&](const Asked& asked, const Span& span) {
    return std::span(asked.registers).subspan(span.first - asked.block.span.first, span.count);
  };
  const PointOptions& point = options_.points[held.options];
  Reading reading = decode(registers_of(request, group.wanted[held.value]), point.format, text_);
  if (held.exponent != held.value && word_of(point.value.faults, reading.number) == nullptr) {
    const auto factor = power_of_ten(registers_of(second, group.wanted[held.exponent])[0], point.format.order);
    if (factor) {
      reading.number *= *factor;
    } else {
      reading = {Reading::Type::null};
    }
  }
  return held.point.take(turn.sink, reading, request.time, turn.samples);
}

void Device::lose(std::size_t group, Reason why, Turn& turn) {
  for (Held& held : groups_[group].points) held.point.lose(why, turn.clock.now(), turn.samples);
}

std::vector<WritablePoint> Device::writable() const {
  std::vector<WritablePoint> all;
  for (const PointOptions& point : options_.points) {
    if (point.writable) all.push_back(point.writable->point);
  }
  return all;
}

Status Device::write(std::string_view series, std::string_view value, const Permission& may) {
  const auto point = std::find_if(options_.points.begin(), options_.points.end(),
                                  [&](const PointOptions& one) { return one.series == series; });
  if (point == options_.points.end()) return fail(Errc::not_found, "{} is no point of {}", series, options_.name);
  if (!point->writable) return fail(Errc::invalid, "{} may not be written: its point does not say writable", series);
  const auto registers = registers_for(*point, value);
  if (!registers) return fail(registers.error());
  Status allowed;
  const auto is_allowed = [&] { return (allowed = may()).has_value(); };
  const auto written = line_->write(options_.unit, point->span, *registers, point->writes_multiple, is_allowed);
  if (!allowed) return allowed;
  if (!written) {
    const auto& [exception, error, may_be_done] = written.error();
    if (may_be_done) return settle(*point, *registers, error);
    return fail(error.code, "{}: not written: {}", series, error.text);
  }
  return point->writable->point.read_back ? verify(*point, *registers) : Status{};
}

Status Device::verify(const PointOptions& point, std::span<const std::uint16_t> written) {
  const auto instead = instead_of(point, written);
  if (!instead) {
    return fail(instead.error().code, "{}: written, but it cannot be read back: {}", point.series,
                instead.error().text);
  }
  if (instead->empty()) return {};
  return fail(Errc::conflict, "{}: written, but it shows {}", point.series, *instead);
}

/// Of a write without a good answer: it is done where the point shows it, and else nobody knows.
Status Device::settle(const PointOptions& point, std::span<const std::uint16_t> written, const Error& doubt) {
  std::string found;
  if (point.writable->point.read_back) {
    const auto instead = instead_of(point, written);
    if (instead && instead->empty()) return {};
    found = instead ? "; it shows " + *instead : "; it cannot be read back: " + instead.error().text;
  }
  return fail(doubt.code, "{}: {}{}: look at the point before you try again", point.series, doubt.text, found);
}

/// "12 % instead of 33 %"; empty where the point shows what was written.
Result<std::string> Device::instead_of(const PointOptions& point, std::span<const std::uint16_t> written) {
  constexpr int kLooks = 3;  // some take a moment until they show it
  constexpr auto kBetween = std::chrono::milliseconds(100);
  std::string no_text;
  const Reading wanted = decode(written, point.format, no_text);
  std::vector<std::uint16_t> registers;
  Reading now;
  for (int look = 0; look < kLooks; ++look) {
    if (look > 0) std::this_thread::sleep_for(kBetween);
    const auto answer = line_->read(options_.unit, point.span, registers);
    if (!answer) return fail(answer.error().error);
    now = decode(registers, point.format, no_text);
    const bool is_written =
        is_whole_number(point) ? std::ranges::equal(registers, written) : is_same(*point.writable, wanted, now);
    if (is_written) return "";
  }
  return fmt::format("{} instead of {}", shown(*point.writable, now), shown(*point.writable, wanted));
}

}  // namespace tidegate::drivers::modbus
