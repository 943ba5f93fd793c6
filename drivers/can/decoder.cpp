#include "drivers/can/decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/troubles.h"

namespace tidegate::drivers::can {
namespace {

SeriesKind kind_of(const Signal& signal) { return signal.words.empty() ? SeriesKind::number : SeriesKind::state; }

// What the file says stands where the user says nothing.
ValueOptions with_defaults(ValueOptions value, const Signal& signal) {
  if (value.unit.empty()) value.unit = signal.unit;
  if (!value.kind && !signal.words.empty()) {
    value.kind = SeriesKind::state;
    value.states = signal.words;
  }
  return value;
}

}  // namespace

Decoder::Decoder(Dbc dbc, const Options& options) : options_(options), transport_(transport_for(dbc, options)) {
  for (Message& message : dbc.messages) {
    Heard& heard = messages_[key_of(message.id, message.extended)];
    heard.name = message.name;
    for (Signal& signal : message.signals) {
      const std::string path = message.name + '/' + signal.name;
      const auto own = std::find_if(options_.signals.begin(), options_.signals.end(),
                                    [&](const auto& of) { return of.signal == path; });
      const bool listed = own != options_.signals.end();
      ValueOptions value = with_defaults(listed ? own->value : ValueOptions{}, signal);
      Point point(options_.prefix + '/' + (listed && !own->name.empty() ? own->name : path), std::move(value));
      heard.signals.push_back({std::move(signal), std::move(point)});
    }
    for (const Watched& watched : heard.signals) {
      if (watched.signal.role == Signal::Role::selector) heard.selector = &watched.signal;
    }
  }
}

Transport Decoder::transport_for(const Dbc& dbc, const Options& options) {
  std::set<std::uint32_t> groups;
  for (const Message& message : dbc.messages) {
    if (message.extended) groups.insert(pgn_of(message.id));
  }
  return {std::move(groups), options.sender};
}

std::uint64_t Decoder::key_of(std::uint32_t id, bool extended) const {
  constexpr std::uint64_t kExtended = std::uint64_t{1} << 32u;
  if (!extended) return id;
  return kExtended | (options_.j1939 ? pgn_of(id) : id);
}

Status Decoder::open(Sink& sink) {
  Status status;
  for (auto& [key, heard] : messages_) {
    for (Watched& watched : heard.signals) {
      const Micros expected = options_.every > Micros{0} ? options_.every : options_.silent_after;
      if (Status opened = watched.point.open(sink, kind_of(watched.signal), expected); !opened) status = opened;
    }
  }
  return status;
}

// Turns are whole multiples: a message that comes each second by its sender's clock is one in each.
std::int64_t Decoder::turn_of(Timestamp time) const { return time.time_since_epoch() / options_.every; }

void Decoder::take(const Frame& frame, Timestamp now, Sink& sink, std::vector<Sample>& samples) {
  const bool other = options_.j1939 && options_.sender && frame.extended && (frame.id & 0xFFu) != *options_.sender;
  const auto found = other ? messages_.end() : messages_.find(key_of(frame.id, frame.extended));
  if (found != messages_.end()) take_message(found->second, frame.data(), now, sink, samples);
  if (!options_.j1939) return;
  // The receiver of a group speaks too, whoever it is.
  const auto whole = transport_.take(frame, now, losses_);
  tell_losses();
  if (whole) take_message(messages_.at(key_of(whole->id, true)), whole->data, now, sink, samples);
}

void Decoder::take_message(Heard& heard, std::span<const std::uint8_t> data, Timestamp now, Sink& sink,
                           std::vector<Sample>& samples) {
  heard.last = now;
  heard.silent = false;
  heard.loss.clear();
  std::optional<std::uint64_t> selected;
  if (heard.selector != nullptr) selected = raw_bits(*heard.selector, data);
  for (Watched& watched : heard.signals) {
    const bool there = watched.signal.role != Signal::Role::selected || watched.signal.selector == selected;
    const bool due = options_.every == Micros{0} || turn_of(now) != turn_of(watched.told);
    if (there && due) take_signal(watched, data, now, sink, samples);
  }
}

void Decoder::tell_losses() {
  for (const Transport::Loss& loss : losses_) {
    Heard& heard = messages_.at(key_of(loss.id, true));
    heard.loss = fmt::format("{} from {} is lost: {}", heard.name, loss.id & 0xFFu, loss.why);
  }
  lost_ += losses_.size();
  losses_.clear();
}

void Decoder::take_signal(Watched& watched, std::span<const std::uint8_t> data, Timestamp now, Sink& sink,
                          std::vector<Sample>& samples) {
  watched.trouble.clear();
  watched.told = now;
  const auto bits = raw_bits(watched.signal, data);
  const auto state = bits && options_.j1939 ? j1939_availability(watched.signal, *bits) : Availability::available;
  if (!bits || state != Availability::available) {
    watched.point.lose(Reason::device_fault, now, samples);
    const char* why = !bits                          ? "the message is shorter than it should be"
                      : state == Availability::error ? "the sender says that it is in error"
                                                     : "";  // what is not fitted is no news
    if (*why != '\0') watched.trouble = fmt::format("{}: {}", watched.point.series(), why);
    return;
  }
  const double raw = raw_value(watched.signal, *bits);
  const bool words = !watched.point.options().states.empty();
  const double value = words ? raw : raw * watched.signal.scale + watched.signal.offset;
  const bool finite = value - value == 0;
  watched.trouble = watched.point.take(
      sink, {finite ? Reading::Type::number : Reading::Type::not_a_number, finite ? value : 0}, now, samples);
}

void Decoder::begin(Timestamp now) {
  for (auto& [key, heard] : messages_) heard.last = now;
}

void Decoder::look_for_silence(Timestamp now, std::vector<Sample>& samples) {
  transport_.expire(now, losses_);
  tell_losses();
  if (options_.silent_after == Micros{0}) return;
  for (auto& [key, heard] : messages_) {
    if (heard.silent || now - heard.last < options_.silent_after) continue;
    heard.silent = true;
    for (Watched& watched : heard.signals) watched.point.lose(Reason::no_answer, now, samples);
  }
}

void Decoder::lose_all(Timestamp now, std::vector<Sample>& samples) {
  transport_.lose_all(losses_);
  tell_losses();
  for (auto& [key, heard] : messages_) {
    for (Watched& watched : heard.signals) {
      watched.point.lose(Reason::no_answer, now, samples);
      watched.told = {};
    }
  }
}

std::string Decoder::trouble() const {
  Troubles troubles;
  for (const auto& [key, heard] : messages_) {
    if (heard.silent) troubles.add(fmt::format("{} is silent", heard.name));
    troubles.add(heard.loss);
    for (const Watched& watched : heard.signals) troubles.add(watched.trouble);
  }
  return troubles.text();
}

std::size_t Decoder::signals() const {
  std::size_t count = 0;
  for (const auto& [key, heard] : messages_) count += heard.signals.size();
  return count;
}

}  // namespace tidegate::drivers::can
