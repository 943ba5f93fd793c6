#include "gateway/app/one_reading.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::app {
namespace {

constexpr std::size_t kMostSeries = 100'000, kMostRefused = 20;
constexpr auto kQuiet = std::chrono::milliseconds(700);  // longer than a poll takes to answer the next device's turn

}  // namespace

Result<SeriesId> OneReading::series(std::string_view name, const SeriesInfo& info) {
  if (!valid_series_name(name)) return fail(Errc::invalid, "'{}' cannot be a series' name", printable(name));
  const std::lock_guard lock(mutex_);
  if (const auto found = ids_.find(name); found != ids_.end()) {
    series_[index(found->second)].info = info;
    return found->second;
  }
  if (series_.size() >= kMostSeries) return fail(Errc::full, "more than {} series", kMostSeries);
  const SeriesId id{static_cast<std::uint32_t>(series_.size())};
  ids_.emplace(name, id);
  series_.push_back({std::string(name), info, {}, {}});
  last_change_ = std::chrono::steady_clock::now();
  return id;
}

Result<double> OneReading::label(SeriesId series, std::string_view text) {
  constexpr std::size_t kMostLabels = 256;
  const std::lock_guard lock(mutex_);
  auto& labels = series_.at(index(series)).labels;
  const auto found = std::find(labels.begin(), labels.end(), text);
  if (found != labels.end()) return static_cast<double>(found - labels.begin());
  if (labels.size() >= kMostLabels) return fail(Errc::full, "more than {} different texts", kMostLabels);
  labels.emplace_back(text);
  return static_cast<double>(labels.size() - 1);
}

Ticket OneReading::push(std::span<const Sample> samples) {
  const std::lock_guard lock(mutex_);
  for (const Sample& sample : samples) {
    Series& series = series_.at(index(sample.series));
    if (series.last.time == Timestamp{}) last_change_ = std::chrono::steady_clock::now();
    series.last = sample;
  }
  pushed_ += samples.size();
  changed_.notify_all();
  return Ticket{pushed_};
}

bool OneReading::wait_committed(Ticket, std::stop_token) { return true; }  // it has it, and that is all it is for

void OneReading::report(SourceHealth health, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (said_.health == health && said_.text == text) return;
  said_ = {health, std::string(text)};
  last_change_ = std::chrono::steady_clock::now();
  changed_.notify_all();
}

void OneReading::reject(std::string_view topic, std::string_view payload, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  if (refused_.size() >= kMostRefused) return;
  refused_.push_back(fmt::format("{}: {}: {}", topic, reason, payload.substr(0, 200)));
}

bool OneReading::wait(std::chrono::steady_clock::time_point end, const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const bool whole =
        !series_.empty() && said_.health != SourceHealth::starting &&
        std::all_of(series_.begin(), series_.end(), [](const Series& s) { return s.last.time != Timestamp{}; });
    if (now >= end || (whole && now - last_change_ >= kQuiet)) return true;
    changed_.wait_until(lock, stop, std::min(end, now + kQuiet / 4), [] { return false; });
  }
  return false;
}

std::vector<OneReading::Series> OneReading::all() const {
  const std::lock_guard lock(mutex_);
  return series_;
}
OneReading::Said OneReading::said() const {
  const std::lock_guard lock(mutex_);
  return said_;
}
std::vector<std::string> OneReading::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace tidegate::app
