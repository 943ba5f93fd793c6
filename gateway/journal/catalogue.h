#pragma once

#include <deque>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal {

/// The name table: which series there are, and the labels of state series. Any thread; entries are never removed, so an
/// id once seen stays good. What is new is written by the journal with the next batch, before any sample refers to it.
class Catalogue {
 public:
  struct Entry {
    SeriesId id{};
    std::string name;
    SeriesInfo info;
    std::vector<std::string> labels;  ///< a state series' labels by code
    bool learns = false;              ///< its source runs and gives no interval: what stands there was learned
  };
  struct Limits {
    std::size_t max_series = 50'000;
    std::size_t max_labels = 256;  ///< a series
  };

  explicit Catalogue(Limits limits);

  /// The series of that name, made on first sight (Errc::full at the limit, Errc::invalid for a name that is none);
  /// takes over a changed info. An interval stays that was learned of the same source's samples.
  Result<SeriesId> intern(std::string_view name, const SeriesInfo& info);
  /// The interval that its samples show. Does nothing where the source gives one by now.
  void learn(SeriesId series, Micros interval);
  Result<double> label(SeriesId series, std::string_view text);

  std::size_t size() const;
  /// Grows with every change of any entry: a reader that kept this number knows whether to look again.
  std::uint64_t version() const;
  std::optional<SeriesId> find(std::string_view name) const;
  /// A copy; `id` must have been given out.
  Entry entry(SeriesId id) const;
  /// Copies of all entries from `first` on, in order of id.
  std::vector<Entry> entries(std::size_t first = 0) const;
  /// Copies of the entries that are new, renewed or have new labels since version() was `since`, in order of id.
  std::vector<Entry> changed_since(std::uint64_t since) const;
  /// A state sample's label, or nothing for a code that has none.
  std::optional<std::string> label_text(SeriesId series, double code) const;

  // The journal's side: what is not on disk yet. Taken under the journal's write lock.
  struct Unsaved {
    std::vector<Entry> series;                               ///< new or changed
    std::vector<std::pair<SeriesId, std::uint32_t>> labels;  ///< (series, code)
    std::vector<std::string> label_texts;                    ///< beside `labels`
    bool empty() const { return series.empty() && labels.empty(); }
  };
  Unsaved unsaved() const;
  void saved(const Unsaved& what);
  void restore(Entry entry);  ///< at open only, in order of id

 private:
  void add(Entry entry);

  mutable std::shared_mutex mutex_;
  Limits limits_;
  std::deque<Entry> entries_;
  std::vector<std::uint64_t> changed_at_;                   ///< beside entries_: the version that its last change made
  std::unordered_map<std::string_view, SeriesId> by_name_;  ///< views into entries_
  std::set<SeriesId> changed_;                              ///< new, or with another info than on disk
  std::set<SeriesId> relabelled_;                           ///< with labels that are not on disk
  std::vector<std::size_t> labels_saved_;                   ///< how many of each series' labels are on disk
  std::uint64_t version_ = 0;
};

}  // namespace tidegate::journal
