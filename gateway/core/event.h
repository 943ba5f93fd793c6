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

  friend bool operator==(const AlertRecord&, const AlertRecord&) = default;
};

/// A change worth telling the world: raised, returned, cleared, acknowledged, closed. Announced exactly once.
struct AlertTransition {
  AlertRecord alert;  ///< after the change
  Phase from{};
  std::string cause;  ///< "raised" | "cleared" | "returned" | "acknowledged" | "rule removed"
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
};

struct ClockStep {
  Micros by{};  ///< how far the system clock stands ahead of the gateway's own; negative: it went backwards
};

/// Nobody watched from `since` to the event's time: the gateway was off, asleep or stuck, or its clock was set. A
/// silence in it proves nothing.
struct Unwatched {
  Timestamp since{};
};

/// The gateway started, stopped, took a new configuration: a line for the log book.
struct Notice {
  std::string kind;  ///< "started" | "stopped" | "configuration" | "storage" | "clock"
  std::string text;
};

using EventBody = std::variant<AlertTransition, SourceChange, Acknowledge, ClockStep, Unwatched, Notice>;

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
