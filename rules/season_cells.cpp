#include "rules/season_cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "rules/clock_cells.h"

namespace tidegate::rules {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

float median(float* begin, float* end) {
  float* half = begin + (end - begin) / 2;
  std::nth_element(begin, half, end);
  if ((end - begin) % 2 == 1) return *half;
  return (*half + *std::max_element(begin, half)) / 2;
}

}  // namespace

SeasonCells::SeasonCells(Micros season)
    : season_(season),
      means_(static_cast<std::size_t>(kCells), kNothing),
      offsets_(static_cast<std::size_t>(kKept), std::numeric_limits<float>::quiet_NaN()) {}

std::int64_t SeasonCells::cell(Timestamp time) const { return clock_cell(time, season_, kCells); }

void SeasonCells::restart(std::int64_t cell) {
  next_ = cell;
  std::fill(means_.begin(), means_.end(), kNothing);
  std::fill(offsets_.begin(), offsets_.end(), std::numeric_limits<float>::quiet_NaN());
  level_.reset();
}

void SeasonCells::push(double mean) {
  offset(next_) = static_cast<float>(level_ ? std::clamp(mean - *level_, -1e38, 1e38) : kNothing);
  means_[slot(next_, kCells)] = mean;
  ++next_;
  level_ = level_of_last_season();
}

std::optional<double> SeasonCells::level_of_last_season() {
  std::array<double, static_cast<std::size_t>(kCells)> known;
  std::size_t count = 0;
  bool has_early = false;
  for (std::int64_t back = kCells; back > 0; --back) {
    const double mean = means_[slot(next_ - back, kCells)];
    if (std::isnan(mean)) continue;
    has_early = has_early || back > kCells * 3 / 4;
    known[count++] = mean;
  }
  if (!has_early) return std::nullopt;
  std::sort(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(count));
  double sum = 0;
  const std::size_t cut = count / 10;
  for (std::size_t i = cut; i < count - cut; ++i) sum += known[i] - known[cut];
  return known[cut] + sum / static_cast<double>(count - 2 * cut);
}

float SeasonCells::median_offset(std::int64_t cell) const {
  std::array<float, static_cast<std::size_t>(kSeasons)> known;
  std::size_t count = 0;
  for (std::int64_t season = 1; season <= kSeasons; ++season) {
    const float value = offset(cell - season * kCells);
    if (!std::isnan(value)) known[count++] = value;
  }
  return count > 0 ? median(known.data(), known.data() + count) : std::numeric_limits<float>::quiet_NaN();
}

std::optional<SeasonCells::Usual> SeasonCells::usual() const {
  std::optional<Usual> usual;
  const auto take = [&](float value) {
    if (std::isnan(value)) return;
    if (!usual) usual = {value, value};
    usual->low = std::min<double>(usual->low, value);
    usual->high = std::max<double>(usual->high, value);
  };
  for (std::int64_t near = next_ - 1; near <= next_ + 1; ++near) {
    take(median_offset(near));
    take(offset(near - kSeasons * kCells));
  }
  return usual;
}

std::optional<double> SeasonCells::expected() const {
  if (!level_) return std::nullopt;
  for (const std::int64_t cell : {next_, next_ - 1, next_ + 1}) {
    if (const float offset = median_offset(cell); !std::isnan(offset)) return *level_ + static_cast<double>(offset);
  }
  return std::nullopt;
}

}  // namespace tidegate::rules
