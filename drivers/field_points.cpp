#include "drivers/field_points.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::drivers {
namespace {

constexpr std::size_t kMaxProblemBytes = 300;

/// Each once, and not all of a thousand.
void note(std::string& problems, const std::string& problem) {
  if (problem.empty() || problems.size() > kMaxProblemBytes || problems.find(problem) != std::string::npos) return;
  problems += (problems.empty() ? "" : "; ") + problem;
}

}  // namespace

FieldPoints::FieldPoints(FieldsRule rule, Name name, Micros every)
    : rule_(std::move(rule)), name_(std::move(name)), every_(every) {
  for (const FieldRule& field : rule_.fields) {
    Entry& entry = entries_[field.path];
    entry.rule = field;
    entry.natural = field.value.kind;
    entry.point.emplace(name_(field.name), field.value);
  }
}

Status FieldPoints::open(Sink& sink) {
  Status all;
  for (auto& [path, entry] : entries_) {
    if (!entry.point || !entry.natural) continue;
    if (Status opened = entry.point->open(sink, *entry.natural, every_); !opened) all = std::move(opened);
  }
  return all;
}

FieldPoints::Entry* FieldPoints::entry_of(std::span<const Leaf> record, const Leaf& leaf) {
  if (const auto found = entries_.find(leaf.path); found != entries_.end()) return &found->second;
  if (entries_.size() >= kMostPaths) return nullptr;
  auto rule = rule_of(rule_, record, leaf);
  if (!rule && leaf.type == Leaf::Type::text) return &passed_over_;  // it may be a number next time
  Entry entry;
  if (rule) {
    entry.rule = std::move(*rule);
    entry.natural = entry.rule.value.kind;
    entry.point.emplace(name_(entry.rule.name), entry.rule.value);
  }
  return &entries_.emplace(leaf.path, std::move(entry)).first->second;
}

FieldPoints::Stamp FieldPoints::stamp_of(const Record& record) {
  if (!rule_.timestamp) return {record.now};
  std::optional<Timestamp> time;
  for (const Leaf& leaf : record.leaves) {
    if (leaf.path == rule_.timestamp->path) time = time_of(leaf, rule_.timestamp->format, record.now);
  }
  if (!time && rule_.timestamp->may_lack) return {record.now};
  if (!time) return {record.now, Quality::uncertain, Reason::clock};
  const bool old = record.whole && time == last_;
  last_ = time;
  return {*time, Quality::good, Reason::none, old};
}

std::string FieldPoints::take(Sink& sink, const Record& record, std::vector<Sample>& samples) {
  std::string problems;
  const Stamp stamp = stamp_of(record);
  if (stamp.old) return problems;
  ++record_;
  for (const Leaf& leaf : record.leaves) {
    Entry* entry = entry_of(record.leaves, leaf);
    if (entry == nullptr) {
      note(problems, fmt::format("more than {} different values", kMostPaths));
      break;
    }
    entry->seen = record_;
    if (!entry->point) continue;
    if (!entry->point->is_open()) {
      // Nothing is known yet of a value that is not there: its type comes with the first one that is.
      if (leaf.type == Leaf::Type::null && !entry->natural) continue;
      if (!entry->natural) entry->natural = natural_kind(leaf);
      if (const Status opened = entry->point->open(sink, *entry->natural, every_); !opened) {
        note(problems, opened.error().text);
        continue;
      }
    }
    note(problems, entry->point->take(sink, leaf, stamp.time, stamp.quality, stamp.reason, samples));
  }
  if (record.whole) lose_missing(stamp, problems, samples);
  return problems;
}

void FieldPoints::lose_missing(const Stamp& stamp, std::string& problems, std::vector<Sample>& samples) {
  for (const FieldRule& field : rule_.fields) {
    Entry& entry = entries_.find(field.path)->second;
    if (entry.seen == record_) continue;
    note(problems, fmt::format("{}: there is no '{}' in what came", entry.point->series(), field.path));
    entry.point->lose(Reason::device_fault, stamp.time, samples);
  }
}

void FieldPoints::lose(Reason why, Timestamp time, std::vector<Sample>& samples) {
  for (auto& [path, entry] : entries_) {
    if (entry.point) entry.point->lose(why, time, samples);
  }
}

}  // namespace tidegate::drivers
