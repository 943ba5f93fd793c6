#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gateway/core/time_text.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {

/// Where two lists of samples first differ; empty where they do not.
inline std::string difference(const std::vector<Sample>& found, const std::vector<Sample>& wanted) {
  const auto shown = [](const std::vector<Sample>& samples, std::size_t at) {
    if (at >= samples.size()) return std::string("nothing");
    const Sample& one = samples[at];
    return fmt::format("{} of series {} at {}, {}", one.value, index(one.series), rfc3339(one.time), name(one.quality));
  };
  if (found == wanted) return "";
  std::size_t at = 0;
  while (at < found.size() && at < wanted.size() && found[at] == wanted[at]) ++at;
  return fmt::format("{} samples for {}; number {} is {} instead of {}", found.size(), wanted.size(), at,
                     shown(found, at), shown(wanted, at));
}

/// A journal with history of some days, filled at random, beside a plain list of all that it was given.
class RandomStore : public JournalTest {
 protected:
  /// A number, a counter, a boolean and a state, each on two devices; readings that fail, come late, from ahead, twice.
  void fill(std::mt19937& random, int batches) {
    if (ids.empty()) make_series();
    for (int i = 0; i < batches; ++i) {
      std::vector<Sample> samples;
      for (auto count = random() % 30; count > 0; --count) samples.push_back(draw(random));
      all.insert(all.end(), samples.begin(), samples.end());
      append_samples(std::move(samples));
      if (random() % 20 == 0) clock.advance(std::chrono::minutes(random() % 300));
      if (random() % 40 == 0) compact();
      if (random() % 100 == 0) reopen();
    }
  }

  void make_series() {
    for (const char* device : {"boiler1", "hall/pump-2"}) {
      const std::pair<const char*, SeriesKind> metrics_of_each[] = {{"temperature", SeriesKind::number},
                                                                    {"starts", SeriesKind::counter},
                                                                    {"open", SeriesKind::boolean},
                                                                    {"mode", SeriesKind::state}};
      for (const auto& [metric, kind] : metrics_of_each) {
        names.push_back(std::string(device) + "/" + metric);
        const auto id = journal->catalogue().intern(names.back(), info("", kind));
        ASSERT_TRUE(id);
        ids.push_back(*id);
        if (kind != SeriesKind::state) continue;
        for (const char* label : {"idle", "heating", "fault, \"cold\""}) {
          ASSERT_TRUE(journal->catalogue().label(*id, label));
        }
      }
    }
  }

  Sample draw(std::mt19937& random) const {
    const auto which = random() % ids.size();
    const bool state = which % 4 == 3;
    Sample one{.series = ids[which], .time = clock.now() - Micros{static_cast<std::int64_t>(random() % 100'000'000)}};
    one.value = state ? static_cast<double>(random() % 3) : static_cast<double>(random() % 1000) / 10;
    if (random() % 30 == 0) one.time -= std::chrono::hours(random() % 30);
    if (random() % 50 == 0) one.time += std::chrono::minutes(random() % 60);
    if (random() % 10 == 0) one.time = std::chrono::floor<std::chrono::minutes>(one.time);  // so that some are equal
    if (random() % 10 == 0) one = {one.series, Quality::bad, Reason::no_answer, one.time, 0};
    if (random() % 10 == 0) one.quality = Quality::uncertain, one.reason = Reason::retained;
    return one;
  }

  /// What there is of a series, by definition: in order of time, of equal times as they came.
  std::vector<Sample> expected(std::size_t which, Timestamp from = Timestamp::min(),
                               Timestamp to = Timestamp::max()) const {
    std::vector<Sample> found;
    for (Sample one : all) {
      if (one.series != ids[which] || one.time < from || one.time >= to) continue;
      one.series = SeriesId{};
      found.push_back(one);
    }
    std::stable_sort(found.begin(), found.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
    return found;
  }
  std::vector<std::string> sorted_names() const {
    auto sorted = names;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }
  std::size_t which(std::string_view name) const {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }

  std::vector<std::string> names;
  std::vector<SeriesId> ids;  ///< beside `names`
  std::vector<Sample> all;
};

}  // namespace tidegate::journal
