#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/sink.h"

namespace tidegate::fakes {

/// A Sink that keeps everything that a driver said, for tests to look at and to wait for. Any thread.
class FakeSink final : public Sink {
 public:
  struct Report {
    SourceHealth health;
    std::string text;
    friend bool operator==(const Report&, const Report&) = default;
  };
  struct Rejected {
    std::string topic, payload, reason;
  };

  Result<SeriesId> series(std::string_view name, const SeriesInfo& info) override {
    const std::lock_guard lock(mutex_);
    if (!valid_series_name(name)) return fail(Errc::invalid, "'{}' cannot be a series", name);
    if (const auto found = ids_.find(name); found != ids_.end()) {
      infos_[index(found->second)] = info;
      return found->second;
    }
    if (names_.size() >= max_series_) return fail(Errc::full, "the source has its {} series already", max_series_);
    const SeriesId id{static_cast<std::uint32_t>(names_.size())};
    ids_.emplace(name, id);
    names_.emplace_back(name);
    infos_.push_back(info);
    labels_.emplace_back();
    changed_.notify_all();
    return id;
  }

  Result<double> label(SeriesId series, std::string_view text) override {
    constexpr std::size_t kMaxLabels = 256;
    const std::lock_guard lock(mutex_);
    std::vector<std::string>& labels = labels_.at(index(series));
    const auto found = std::find(labels.begin(), labels.end(), text);
    if (found != labels.end()) return static_cast<double>(found - labels.begin());
    if (labels.size() >= kMaxLabels) return fail(Errc::full, "the series has its {} labels already", kMaxLabels);
    labels.emplace_back(text);
    return static_cast<double>(labels.size() - 1);
  }

  Ticket push(std::span<const Sample> samples) override {
    const std::lock_guard lock(mutex_);
    samples_.insert(samples_.end(), samples.begin(), samples.end());
    changed_.notify_all();
    return Ticket{samples_.size()};
  }

  bool wait_committed(Ticket ticket, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    const auto wanted = static_cast<std::uint64_t>(ticket);
    ++committed_waits_;
    changed_.notify_all();
    const auto on_disk = [&] { return committed_ >= wanted && wanted > dropped_; };
    const bool ended = changed_.wait(lock, stop, [&] { return on_disk() || wanted <= dropped_; });
    if (!ended) ++waits_given_up_;
    return on_disk();
  }

  void report(SourceHealth health, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    reports_.push_back({health, std::string(text)});
    changed_.notify_all();
  }

  void reject(std::string_view topic, std::string_view payload, std::string_view reason) override {
    const std::lock_guard lock(mutex_);
    rejected_.push_back({std::string(topic), std::string(payload), std::string(reason)});
    changed_.notify_all();
  }

  // What a test sets.

  void limit_series(std::size_t most) {
    const std::lock_guard lock(mutex_);
    max_series_ = most;
  }
  /// Everything up to `ticket` counts as on disk from now on; at the start everything does.
  void commit_through(std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    committed_ = ticket;
    changed_.notify_all();
  }

  /// Everything up to `ticket` counts as dropped at the queue's bound, never to be on disk.
  void drop_through(std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    dropped_ = ticket;
    changed_.notify_all();
  }

  // What a test looks at; all are copies.

  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  std::optional<SeriesInfo> info(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = ids_.find(name);
    if (found == ids_.end()) return std::nullopt;
    return infos_[index(found->second)];
  }
  std::vector<Sample> samples() const {
    const std::lock_guard lock(mutex_);
    return samples_;
  }
  /// The samples of one series, in order of arrival.
  std::vector<Sample> samples(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return samples_locked(name);
  }
  std::optional<Sample> last(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const std::vector<Sample> all = samples_locked(name);
    if (all.empty()) return std::nullopt;
    return all.back();
  }
  /// The label of a state series' newest sample.
  std::optional<std::string> last_label(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const std::vector<Sample> all = samples_locked(name);
    if (all.empty()) return std::nullopt;
    return labels_[index(all.back().series)].at(static_cast<std::size_t>(all.back().value));
  }
  std::vector<Report> reports() const {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::vector<Rejected> rejected() const {
    const std::lock_guard lock(mutex_);
    return rejected_;
  }
  std::size_t committed_waits() const {
    const std::lock_guard lock(mutex_);
    return committed_waits_;
  }
  /// Waits for a commit that ended because of a stop.
  std::size_t waits_given_up() const {
    const std::lock_guard lock(mutex_);
    return waits_given_up_;
  }

  /// Waits until `holds(*this)`, asked again after every change; false when it did not within `at_most`.
  template <class Predicate>
  bool wait_until(const Predicate& holds, std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    while (!holds(*this)) {
      std::unique_lock lock(mutex_);
      if (std::chrono::steady_clock::now() >= deadline) return false;
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return true;
  }
  bool wait_for_samples(std::string_view name, std::size_t count,
                        std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    return wait_until([&](const FakeSink& sink) { return sink.samples(name).size() >= count; }, at_most);
  }
  bool wait_for_health(SourceHealth health, std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    return wait_for_words("", health, at_most);
  }
  /// Until the newest report has these words, and is of this health where one is said.
  bool wait_for_words(std::string_view words, std::optional<SourceHealth> health = std::nullopt,
                      std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    return wait_until(
        [&](const FakeSink& sink) {
          const auto all = sink.reports();
          if (all.empty() || (health && all.back().health != *health)) return false;
          return all.back().text.find(words) != std::string::npos;
        },
        at_most);
  }
  /// Until the newest sample of a series is bad for this reason.
  bool wait_for_bad(std::string_view name, Reason why) const {
    return wait_until([&](const FakeSink& sink) {
      const auto newest = sink.last(name);
      return newest && newest->quality == Quality::bad && newest->reason == why;
    });
  }

 private:
  std::vector<Sample> samples_locked(std::string_view name) const {
    std::vector<Sample> found;
    const auto id = ids_.find(name);
    if (id == ids_.end()) return found;
    std::copy_if(samples_.begin(), samples_.end(), std::back_inserter(found),
                 [&](const Sample& sample) { return sample.series == id->second; });
    return found;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::string, SeriesId, std::less<>> ids_;
  std::vector<std::string> names_;
  std::vector<SeriesInfo> infos_;
  std::vector<std::vector<std::string>> labels_;
  std::vector<Sample> samples_;
  std::vector<Report> reports_;
  std::vector<Rejected> rejected_;
  std::size_t max_series_ = 100'000;
  std::uint64_t committed_ = UINT64_MAX;
  std::uint64_t dropped_ = 0;
  std::size_t committed_waits_ = 0;
  std::size_t waits_given_up_ = 0;
};

}  // namespace tidegate::fakes
