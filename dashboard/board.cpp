#include "dashboard/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "dashboard/json.h"
#include "dashboard/query.h"

namespace tidegate::dashboard {
namespace {

/// A learned interval creeps; a client needs to hear of it only when it would judge differently.
bool differs_much(Micros a, Micros b) { return a.count() * 5 < b.count() * 4 || b.count() * 5 < a.count() * 4; }

/// Does a batch leave an alert in another state than its last transition tells? That one is not announced itself.
bool has_untold_phase(const Batch& batch) {
  std::unordered_map<std::string_view, const AlertRecord*> left, told;
  for (const AlertRecord& alert : batch.alerts) left.insert_or_assign(alert.id, &alert);
  for (const Event& event : batch.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition != nullptr) told.insert_or_assign(transition->alert.id, &transition->alert);
  }
  return std::any_of(left.begin(), left.end(), [&](const auto& alert) {
    const auto found = told.find(alert.first);
    return found == told.end() || *found->second != *alert.second;
  });
}

/// Then samples that are shown may have been given other times.
bool tells_of_clock(const Batch& batch) {
  return std::any_of(batch.events.begin(), batch.events.end(), [](const Event& event) {
    const auto* notice = std::get_if<Notice>(&event.body);
    return notice != nullptr && notice->kind == "clock";
  });
}

}  // namespace

Board::Board(const Options& options, const journal::Journal& journal, Gateway& gateway, const Clock& clock)
    : options_(options), journal_(journal), gateway_(gateway), clock_(clock) {}

void Board::load() {
  position_ = journal_.last();  // first: what commits meanwhile is applied again, which changes nothing
  load_values();
  load_alerts();
}

void Board::load_values() {
  const auto latest = journal_.latest();
  describe(shown_count(latest));
  for (const auto& sample : latest) {
    if (sample.time != Timestamp{}) take(sample);
  }
}

void Board::load_alerts() {
  auto alerts = journal_.alerts();
  alerts_known_ = alerts.has_value();
  if (!alerts) return;
  alerts_.clear();
  for (auto& alert : *alerts) alerts_.emplace(alert.id, std::move(alert));
  alerts_changed_ = open_;
}

std::string Board::apply(const Batch& batch) {
  if (batch.gap) {
    load();
    position_ = std::max(position_, batch.gap->last);
    return gap(std::to_string(number(batch.gap->first)), std::to_string(number(batch.gap->last)), batch.gap->why);
  }
  std::size_t count = series_.size();
  for (const auto& sample : batch.samples) count = std::max(count, index(sample.series) + 1);
  if (count > series_.size() || journal_.catalogue().version() != catalogue_version_) describe(count);
  for (const auto& sample : batch.samples) take(sample);
  for (const auto& alert : batch.alerts) {
    if (over(alert)) {
      alerts_.erase(alert.id);
    } else {
      alerts_.insert_or_assign(alert.id, alert);
    }
  }
  if (has_untold_phase(batch)) alerts_changed_ = open_;
  if (tells_of_clock(batch)) load_values();
  position_ = batch.seq;
  return durable(batch.seq, batch.events);
}

void Board::take(const Sample& sample) {
  Shown& shown = series_.at(index(sample.series));
  // One from the far future was taken while a clock was wrong, and gives way to what can be true.
  if (sample.time < shown.latest.time && shown.latest.time <= clock_.now() + kMostAhead) return;
  shown.latest = sample;
  shown.value_changed = open_;
}

// Only as many as the journal has committed: the catalogue knows of a series a little before the disk does.
void Board::describe(std::size_t count) {
  const auto& catalogue = journal_.catalogue();
  const std::uint64_t version = catalogue.version();
  for (const auto& entry : catalogue.changed_since(catalogue_version_)) {
    if (index(entry.id) < series_.size()) renew(entry);
  }
  catalogue_version_ = version;
  if (count <= series_.size()) return;
  const auto fresh = catalogue.entries(series_.size());
  series_.resize(std::min(count, series_.size() + fresh.size()));
  for (const auto& entry : fresh) {
    if (index(entry.id) < series_.size()) renew(entry);
  }
}

void Board::renew(const journal::Catalogue::Entry& entry) {
  Shown& shown = series_.at(index(entry.id));
  std::string head = series_head(entry);
  if (head == shown.head) return;
  shown.head = std::move(head);
  shown.quoted_name = json_string(entry.name);
  shown.latest.series = entry.id;
  shown.stale_after = gateway_.stale_after(entry.id);
  shown.description_changed = open_;
}

void Board::notice_staleness() {
  for (Shown& shown : series_) {
    const Micros stale_after = gateway_.stale_after(shown.latest.series);
    if (!differs_much(stale_after, shown.stale_after)) continue;
    shown.stale_after = stale_after;
    shown.description_changed = open_;
  }
}

void Board::refresh_state() {
  notice_staleness();
  if (!alerts_known_) load_alerts();
  const StateContext context{&options_, journal_.epoch(), journal_.stats()};
  std::string now = text(state_json(gateway_.view(), context));
  if (now == state_) return;
  state_ = std::move(now);
  state_changed_ = open_;
}

std::string Board::hello() const {
  const Json json = {{"epoch", journal_.epoch()},
                     {"time", micros(clock_.now())},
                     {"version", options_.version},
                     {"name", options_.name},
                     {"site", options_.site},
                     {"ping_seconds", 10},
                     {"max_streams", options_.max_streams},
                     {"demo", options_.demo}};
  std::string out;
  append_event(out, "hello", text(json));
  return out;
}

std::string Board::alerts_text() const {
  if (!alerts_known_) return "null";
  Json list = Json::array();
  for (const auto& [id, alert] : alerts_) list.push_back(alert_json(alert));
  return text(list);
}

std::string Board::state_text() const {
  constexpr std::string_view kStart = "{\"gateway\":{";
  if (state_.size() < kStart.size()) return "{}";
  return fmt::format("{}\"time\":{},{}", kStart, micros(clock_.now()), std::string_view(state_).substr(kStart.size()));
}

std::string Board::series_list(Tick seen, Selection& selection) const {
  std::string out;
  for (const Shown& shown : series_) {
    if (shown.description_changed <= seen || !selection.has(shown.latest.series, journal_.catalogue())) continue;
    out += out.empty() ? '[' : ',';
    append_series(out, shown.head, shown.stale_after, shown.latest);
  }
  if (!out.empty()) out += ']';
  return out;
}

std::string Board::values(Tick seen, Selection& selection) const {
  std::string out;
  for (const Shown& shown : series_) {
    if (shown.value_changed <= seen || !selection.has(shown.latest.series, journal_.catalogue())) continue;
    out += out.empty() ? '{' : ',';
    out += shown.quoted_name;
    out += ':';
    append_reading(out, shown.latest);
  }
  if (!out.empty()) out += '}';
  return out;
}

std::string Board::snapshot(Selection& selection) const {
  const std::string series = series_list(0, selection);
  std::string out;
  append_event(out, "snapshot",
               fmt::format("{{\"time\":{},\"series\":{},\"alerts\":{},\"state\":{}}}", micros(clock_.now()),
                           series.empty() ? "[]" : series, alerts_text(), state_text()));
  return out;
}

std::string Board::changes_since(Tick seen, Selection& selection) const {
  std::string out;
  if (const auto series = series_list(seen, selection); !series.empty()) {
    append_event(out, "series", fmt::format("{{\"series\":{}}}", series));
  }
  if (const auto changed = values(seen, selection); !changed.empty()) {
    append_event(out, "delta", fmt::format("{{\"time\":{},\"values\":{}}}", micros(clock_.now()), changed));
  }
  if (alerts_known_ && alerts_changed_ > seen)
    append_event(out, "alerts", fmt::format("{{\"alerts\":{}}}", alerts_text()));
  if (state_changed_ > seen) append_event(out, "state", state_text());
  return out;
}

std::string Board::id(Seq seq) const { return fmt::format("{}:{}", journal_.epoch(), number(seq)); }

// The id stands on the last event of a batch: a connection that breaks before it repeats all, and loses none.
std::string Board::durable(Seq seq, const std::vector<Event>& events) const {
  Json alerts = Json::array(), floods = Json::array(), changes = Json::array();
  for (const Event& event : events) {
    if (const auto* transition = std::get_if<AlertTransition>(&event.body)) {
      alerts.push_back(alert_event_json(seq, event.time, *transition));
    } else if (const auto* flood = std::get_if<Flood>(&event.body)) {
      floods.push_back(flood_event_json(seq, event.time, *flood));
    } else if (const auto* change = std::get_if<SourceChange>(&event.body)) {
      changes.push_back(source_change_json(event.time, *change));
    }
  }
  std::string out;
  if (!alerts.empty()) {
    append_event(out, "alert", text({{"seq", number(seq)}, {"alerts", alerts}}),
                 floods.empty() && changes.empty() ? id(seq) : "");
  }
  if (!floods.empty()) {
    append_event(out, "flood", text({{"seq", number(seq)}, {"floods", floods}}), changes.empty() ? id(seq) : "");
  }
  if (!changes.empty()) append_event(out, "source", text({{"seq", number(seq)}, {"changes", changes}}), id(seq));
  return out;
}

std::string Board::gap(std::string_view first, std::string_view last, std::string_view why) const {
  std::string out;
  append_event(out, "gap", fmt::format("{{\"first\":{},\"last\":{},\"why\":\"{}\"}}", first, last, why));
  return out;
}

std::string Board::replay(std::string_view last_event_id) const {
  if (last_event_id.empty()) return {};
  const auto id = parse_event_id(last_event_id);
  if (!id) return gap("null", "null", "id");
  if (id->epoch != journal_.epoch()) return gap("null", "null", "epoch");
  if (id->seq > position_) return gap("null", "null", "id");
  std::string out;
  if (next(id->seq) < journal_.first()) {
    out = gap(std::to_string(number(next(id->seq))), std::to_string(number(prev(journal_.first()))), "retention");
  }
  return out + replay_after(id->seq);
}

std::string Board::replay_after(Seq seq) const {
  const auto stored = journal_.events({.after = seq, .limit = kMaxReplay + 1, .damaged_too = true});
  if (!stored || stored->size() > kMaxReplay) {
    return gap(std::to_string(number(next(seq))), std::to_string(number(position_)), "limit");
  }
  std::string out;
  for (auto at = stored->begin(); at != stored->end() && at->seq <= position_;) {
    const auto end = std::find_if(at, stored->end(), [&](const auto& event) { return event.seq != at->seq; });
    std::vector<Event> batch;
    for (auto stored_event = at; stored_event != end; ++stored_event) {
      if (!stored_event->damaged) batch.push_back(stored_event->event);
    }
    const std::string seq_text = std::to_string(number(at->seq));
    if (static_cast<std::ptrdiff_t>(batch.size()) < end - at) out += gap(seq_text, seq_text, "damaged");
    out += durable(at->seq, batch);
    at = end;
  }
  return out;
}

}  // namespace tidegate::dashboard
