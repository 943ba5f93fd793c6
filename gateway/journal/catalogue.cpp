#include "gateway/journal/catalogue.h"

#include <algorithm>
#include <cassert>
#include <mutex>

#include "gateway/core/text.h"

namespace tidegate::journal {
namespace {

std::optional<std::size_t> code_of(const std::vector<std::string>& labels, std::string_view text) {
  for (std::size_t code = 0; code < labels.size(); ++code) {
    if (labels[code] == text) return code;
  }
  return std::nullopt;
}

/// An interval that was learned is one of whole milliseconds and a mark, by which it is told from one that was given.
constexpr Micros kMark{1};
Micros marked(Micros interval) { return std::chrono::floor<std::chrono::milliseconds>(interval) + kMark; }
bool is_learned(Micros interval) { return interval > Micros{0} && interval == marked(interval); }

bool learns(const SeriesInfo& told) { return told.expected_interval == Micros{0}; }

/// What becomes of an entry's info when the source tells this of it.
SeriesInfo with_what_was_learned(const SeriesInfo& before, SeriesInfo told) {
  if (learns(told) && told.source == before.source && is_learned(before.expected_interval))
    told.expected_interval = before.expected_interval;
  return told;
}

bool is_as_told(const Catalogue::Entry& entry, const SeriesInfo& told) {
  if (entry.learns != learns(told)) return false;
  return entry.info == told || (entry.learns && entry.info == with_what_was_learned(entry.info, told));
}

}  // namespace

Catalogue::Catalogue(Limits limits) : limits_(limits) {}

Result<SeriesId> Catalogue::intern(std::string_view name, const SeriesInfo& info) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = by_name_.find(name);
    if (found != by_name_.end() && is_as_told(entries_[index(found->second)], info)) return found->second;
  }
  const std::unique_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    Entry& entry = entries_[index(found->second)];
    if (is_as_told(entry, info)) return entry.id;
    SeriesInfo whole = with_what_was_learned(entry.info, info);
    if (entry.info != whole) changed_.insert(entry.id);
    entry.info = std::move(whole);
    entry.learns = learns(info);
    changed_at_[index(entry.id)] = ++version_;
    return entry.id;
  }
  if (!valid_series_name(name)) {
    return fail(Errc::invalid,
                "'{}' is not a series name: 1 to 255 bytes of UTF-8, levels separated by '/', none of + # {{ }}",
                printable(name));
  }
  if (entries_.size() >= limits_.max_series) {
    return fail(Errc::full, "series '{}' not taken: the gateway has its {} series already", printable(name),
                limits_.max_series);
  }
  const SeriesId id{static_cast<std::uint32_t>(entries_.size())};
  add({id, std::string(name), info, {}, learns(info)});
  changed_.insert(id);
  return id;
}

void Catalogue::learn(SeriesId series, Micros interval) {
  const std::unique_lock lock(mutex_);
  Entry& entry = entries_[index(series)];
  if (!entry.learns || entry.info.expected_interval == marked(interval)) return;
  entry.info.expected_interval = marked(interval);
  changed_.insert(series);
  changed_at_[index(series)] = ++version_;
}

void Catalogue::add(Entry entry) {
  const SeriesId id = entry.id;
  labels_saved_.push_back(entry.labels.size());
  entries_.push_back(std::move(entry));
  by_name_.emplace(entries_.back().name, id);
  changed_at_.push_back(++version_);
}

Result<double> Catalogue::label(SeriesId series, std::string_view text) {
  {
    const std::shared_lock lock(mutex_);
    if (index(series) >= entries_.size()) return fail(Errc::invalid, "there is no series {}", index(series));
    if (const auto code = code_of(entries_[index(series)].labels, text)) return static_cast<double>(*code);
  }
  const std::unique_lock lock(mutex_);
  Entry& entry = entries_[index(series)];
  if (const auto code = code_of(entry.labels, text)) return static_cast<double>(*code);
  if (entry.labels.size() >= limits_.max_labels) {
    return fail(Errc::full, "series '{}' has its {} states already; is '{}' free text rather than a state?", entry.name,
                limits_.max_labels, printable(text, 80));
  }
  entry.labels.emplace_back(text);
  relabelled_.insert(series);
  changed_at_[index(series)] = ++version_;
  return static_cast<double>(entry.labels.size() - 1);
}

std::size_t Catalogue::size() const {
  const std::shared_lock lock(mutex_);
  return entries_.size();
}

std::uint64_t Catalogue::version() const {
  const std::shared_lock lock(mutex_);
  return version_;
}

std::optional<SeriesId> Catalogue::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

Catalogue::Entry Catalogue::entry(SeriesId id) const {
  const std::shared_lock lock(mutex_);
  assert(index(id) < entries_.size());
  return entries_[index(id)];
}

std::vector<Catalogue::Entry> Catalogue::entries(std::size_t first) const {
  const std::shared_lock lock(mutex_);
  if (first >= entries_.size()) return {};
  return {entries_.begin() + static_cast<std::ptrdiff_t>(first), entries_.end()};
}

std::vector<Catalogue::Entry> Catalogue::changed_since(std::uint64_t since) const {
  const std::shared_lock lock(mutex_);
  std::vector<Entry> changed;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (changed_at_[i] > since) changed.push_back(entries_[i]);
  }
  return changed;
}

std::optional<std::string> Catalogue::label_text(SeriesId series, double code) const {
  const std::shared_lock lock(mutex_);
  if (index(series) >= entries_.size() || !(code >= 0)) return std::nullopt;
  const std::vector<std::string>& labels = entries_[index(series)].labels;
  if (code >= static_cast<double>(labels.size())) return std::nullopt;
  const auto at = static_cast<std::size_t>(code);
  if (static_cast<double>(at) != code) return std::nullopt;
  return labels[at];
}

Catalogue::Unsaved Catalogue::unsaved() const {
  const std::shared_lock lock(mutex_);
  Unsaved unsaved;
  for (const SeriesId id : changed_) unsaved.series.push_back(entries_[index(id)]);
  for (const SeriesId id : relabelled_) {
    const std::vector<std::string>& labels = entries_[index(id)].labels;
    for (std::size_t code = labels_saved_[index(id)]; code < labels.size(); ++code) {
      unsaved.labels.emplace_back(id, static_cast<std::uint32_t>(code));
      unsaved.label_texts.push_back(labels[code]);
    }
  }
  return unsaved;
}

void Catalogue::saved(const Unsaved& what) {
  if (what.empty()) return;
  const std::unique_lock lock(mutex_);
  for (const Entry& entry : what.series) {
    if (entries_[index(entry.id)].info == entry.info) changed_.erase(entry.id);
  }
  for (const auto& [id, code] : what.labels) {
    labels_saved_[index(id)] = code + 1;
    if (code + 1 == entries_[index(id)].labels.size()) relabelled_.erase(id);
  }
}

void Catalogue::restore(Entry entry) {
  const std::unique_lock lock(mutex_);
  assert(index(entry.id) == entries_.size());
  add(std::move(entry));
}

}  // namespace tidegate::journal
