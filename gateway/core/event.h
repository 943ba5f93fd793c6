#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate {

enum class Severity : std::uint8_t { info, warning, high, critical };

/// An alert's phase, after ISA-18.2 / IEC 62682.
enum class Phase : std::uint8_t {
  normal,    ///< nothing to say
  pending,   ///< the condition holds, but not yet for as long as `for` asks
  active,    ///< raised
  clearing,  ///< still raised; the condition is gone, but not yet for as long as `clear_after` asks
  returned   ///< gone, but `ack: required` and nobody acknowledged it yet
};

/// A number that was looked at.
struct Fact {
  std::string name;  ///< "samples", "mean", "avg(value, 5m)", a series' name
  double value = 0;
  std::string unit;
  std::string state{};  ///< of a state series: what its code in `value` means
  friend bool operator==(const Fact&, const Fact&) = default;
};

/// What a transition was decided by, beside its value and limit.
struct Evidence {
  std::string version;              ///< of the rule: a fingerprint of what was written
  Timestamp from{}, to{};           ///< the time that was looked at; the same where it was a moment
  std::vector<std::string> series;  ///< that were read beside the one that it watches; perhaps patterns
  std::vector<Fact> facts;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// An MQTT message that a rule has sent out: what its `publish` asks for, filled in.
struct Publication {
  std::string to;  ///< the uplink that publishes it
  std::string topic;
  std::string payload;
  bool retain = false;
  friend bool operator==(const Publication&, const Publication&) = default;
};

/// A point of a device that a rule has set: what its `write` asks for, filled in.
struct PointSetting {
  std::string point;  ///< its series
  std::string value;  ///< as people write it: "off", "62.5"
  Micros within{0};   ///< so old may it be when it is sent
  Timestamp asked{};  ///< when that was decided, by the gateway's clock; epoch 0: it is not yet
  friend bool operator==(const PointSetting&, const PointSetting&) = default;
};

/// All that is remembered of one alert instance. Kept in the journal with the batch that changed it, so that a
/// restart goes on with the very same phase and timers.
struct AlertRecord {
  std::string id;      ///< rule and captures: "boiler-overheating:boiler1"; stable across edits of the rule
  std::string rule;    ///< the rule's name
  std::string series;  ///< the name of the series that it watches
  Phase phase = Phase::normal;
  bool acknowledged = false;
  Severity severity = Severity::warning;
  Timestamp since{};   ///< when this phase began (event time)
  Timestamp raised{};  ///< when it last became active; epoch 0 = never
  double value = 0;    ///< the value at the last transition (for `trend` the slope, for `absence` the age in seconds)
  double limit = 0;    ///< the limit that it was compared with
  std::string unit;    ///< of value and limit
  std::string message;
  Labels labels;
  std::string runbook;
  std::string acknowledged_by;
  std::string note;

  Severity heading = Severity::warning;  ///< the level that it is on its way to; `severity` where it stays
  Timestamp heading_since{};             ///< since when it has been as far; epoch 0 where it stays
  Timestamp shelved_until{};             ///< epoch 0: it is not shelved; kOutOfService: until somebody ends it
  Timestamp shelved_at{};                ///< when it was; so long does it last, though the clock be set
  std::string shelved_by;
  std::string shelved_why;
  std::string suppressed_by;  ///< the raised alert that explains this one, by its id; or its rule's `suppress_when`
  bool shadow = false;        ///< its rule is on trial: evaluated and kept, and nobody is called
  std::uint32_t chatter = 0;  ///< how often it was raised since it began to chatter; 0: it does not
  double chatter_band = 0;    ///< how far behind its limit the value then went at most: a wider dead band is quiet
  Evidence evidence{};        ///< of the last transition that a sample or a timer made
  /// What is published when it calls nobody any more, since it was published that it calls; kept here, so that it comes
  /// though the rule be edited or removed.
  std::vector<Publication> farewell{};
  /// Likewise the points that are set when it is over.
  std::vector<PointSetting> release{};
  std::string commented_by{};  ///< who said the last word on it since it was raised
  std::string comment{};

  friend bool operator==(const AlertRecord&, const AlertRecord&) = default;
};

inline constexpr Timestamp kOutOfService = Timestamp::max();

/// Nobody is to be called: shelved by an operator, explained by another alert, or of a rule on trial.
inline bool silenced(const AlertRecord& alert) {
  return alert.shelved_until != Timestamp{} || !alert.suppressed_by.empty() || alert.shadow;
}
/// Nothing of it is left to remember.
inline bool over(const AlertRecord& alert) {
  return alert.phase == Phase::normal && alert.shelved_until == Timestamp{};
}

/// What a rule asks for when its alert is raised: the samples of these series in [from, until), kept beyond the
/// retention of samples and sent upstream.
struct SnapshotWish {
  Timestamp from{}, until{};
  std::vector<std::string> series;  ///< names and patterns
  friend bool operator==(const SnapshotWish&, const SnapshotWish&) = default;
};

/// A change worth telling the world. Announced exactly once, and journaled also where nobody is to be called.
struct AlertTransition {
  AlertRecord alert;  ///< after the change
  Phase from{};
  /// "raised" | "cleared" | "returned" | "acknowledged" | "escalated" | "eased" | "shelved" | "unshelved" |
  /// "suppressed" | "unsuppressed" | "commented" | "rule removed"
  std::string cause;
  std::vector<Publication> publish{};      ///< because of it
  std::optional<SnapshotWish> snapshot{};  ///< with "raised", where its rule asks for one
  std::vector<PointSetting> write{};       ///< because of it
};

enum class SourceHealth : std::uint8_t { starting, up, degraded, down, stopped };

struct SourceChange {
  std::string source;
  SourceHealth health{};
  std::string text;  ///< in plain words: what, why, what is tried next
};

/// An operator's wish; the engine answers with an AlertTransition in the same batch.
struct Acknowledge {
  std::string alert;  ///< AlertRecord::id
  std::string who;
  std::string note;

  friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};

/// An operator's wish that nobody be called for an alert, whatever it does, until then: kOutOfService where somebody
/// will say when; epoch 0 ends it. The engine answers as above.
struct Shelve {
  std::string alert;
  std::string who;
  std::string why;
  Timestamp until{};

  friend bool operator==(const Shelve&, const Shelve&) = default;
};

/// What somebody has to say of an alert, whatever its phase. The engine answers as above.
struct Comment {
  std::string alert;
  std::string who;
  std::string text;

  friend bool operator==(const Comment&, const Comment&) = default;
};

using Wish = std::variant<Acknowledge, Shelve, Comment>;
inline const std::string& alert_of(const Wish& wish) {
  return std::visit([](const auto& one) -> const std::string& { return one.alert; }, wish);
}

struct ClockStep {
  Micros by{};  ///< how far the system clock stands ahead of the gateway's own; negative: it went backwards
};

/// Nobody watched from `since` to the event's time: the gateway was off, asleep or stuck, or its clock was set. A
/// silence in it proves nothing.
struct Unwatched {
  Timestamp since{};
};

/// So many alerts were raised lately that nobody can look at each: that began, or it is over.
struct Flood {
  bool on = false;
  Timestamp since{};        ///< when the first of them was raised
  std::string first;        ///< its id: what it began with is often the cause
  std::uint32_t count = 0;  ///< how many were raised from it on

  friend bool operator==(const Flood&, const Flood&) = default;
};

/// The gateway started, stopped, took a new configuration: a line for the log book.
struct Notice {
  std::string kind;  ///< "started" | "stopped" | "configuration" | "storage" | "clock" | "http" | "certificate"
  std::string text;
};

/// What a transition's wish came to. Its samples stand beside the events, in the log, until room is wanted for newer
/// ones.
struct Snapshot {
  std::string alert;           ///< its id
  Seq asked{};                 ///< the batch of the transition that asked for it...
  int asked_ordinal = 0;       ///< ...and the transition's place among the batch's events
  Timestamp breach{};          ///< when the alert was raised
  Timestamp from{}, until{};   ///< as asked
  std::uint32_t series = 0;    ///< so many have samples in it
  std::uint32_t samples = 0;   ///< kept
  std::uint64_t left_out = 0;  ///< those farthest from the breach, for which there was no room
  std::string columns{};       ///< the samples, as journal::encode() has them; empty in what is read back
};

using EventBody = std::variant<AlertTransition, SourceChange, Acknowledge, Shelve, ClockStep, Unwatched, Notice, Flood,
                               Snapshot, Comment>;

/// What is told of alerts: transitions, and floods of them.
inline bool of_alerts(const EventBody& body) {
  return std::holds_alternative<AlertTransition>(body) || std::holds_alternative<Flood>(body);
}

struct Event {
  Timestamp time{};
  EventBody body;
};

/// Batches that a reader asked for and can no longer have: both ends included.
struct Gap {
  Seq first{};
  Seq last{};
  std::string why;  ///< "retention" | "damaged"
};

/// What commits together: samples, the events they caused, and the alerts' new state.
struct Batch {
  Seq seq{};              ///< given by the journal
  Timestamp committed{};  ///< the gateway's clock at the commit
  std::vector<Sample> samples;
  std::vector<Event> events;
  std::vector<AlertRecord> alerts;  ///< new state of every alert that changed in any way; `normal` removes the record
  std::size_t damaged_events = 0;   ///< set by Journal::read: so many more that cannot be read any more
  std::optional<Gap> gap;           ///< set by Journal::read in place of what is gone; then all else is empty
};

std::string_view name(Severity);
std::string_view name(Phase);
std::string_view name(SourceHealth);
std::optional<Severity> severity_from(std::string_view);
std::optional<Phase> phase_from(std::string_view);
std::optional<SourceHealth> health_from(std::string_view);

}  // namespace tidegate
