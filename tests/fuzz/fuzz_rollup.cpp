// Any numbers as a stored rollup: what is taken for one must be whole buckets of their width, and come back the same
// from another round of encoding.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "gateway/journal/codec.h"
#include "gateway/journal/history/rollup.h"

namespace {

using namespace tidegate;
namespace history = tidegate::journal::history;

constexpr std::size_t kFields = 9;
constexpr std::size_t kRow = 8 * (1 + kFields);

/// Rows of a time and nine numbers, as the columns that a rollup is stored as.
std::vector<Sample> columns_of(const std::uint8_t* bytes, std::size_t rows) {
  std::vector<Sample> columns(rows * kFields);
  for (std::size_t row = 0; row < rows; ++row) {
    std::int64_t time;
    std::memcpy(&time, bytes + row * kRow, sizeof time);
    for (std::size_t field = 0; field < kFields; ++field) {
      Sample& sample = columns[field * rows + row];
      sample.series = SeriesId{static_cast<std::uint32_t>(field)};
      // Mostly whole minutes, so that the checks behind that one are reached.
      sample.time = Timestamp{time % 3 == 0 ? Micros{time} : history::kMinute * (time % 40'000'000)};
      std::memcpy(&sample.value, bytes + row * kRow + 8 * (1 + field), sizeof sample.value);
      if (field == 0 || field == 1 || field >= 7)
        sample.value = static_cast<double>(static_cast<std::int64_t>(bytes[row * kRow + 8 * (1 + field)]));
    }
  }
  return columns;
}

bool same(const journal::Bucket& a, const journal::Bucket& b) {
  const auto bits = [](double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; };
  return a.count == b.count && a.bad == b.bad && a.first_time == b.first_time && a.last_time == b.last_time &&
         bits(a.min, b.min) && bits(a.max, b.max) && bits(a.sum, b.sum) && bits(a.first, b.first) &&
         bits(a.last, b.last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::size_t rows = size / kRow;
  if (rows > 64) return 0;
  const auto rollups = history::decode_rollups(journal::encode(columns_of(bytes, rows)), history::kMinute);
  if (!rollups) return 0;
  for (const history::Rollup& rollup : *rollups) {
    const Timestamp start = history::start_of(rollup.start, history::kMinute);
    if (rollup.bucket.first_time < start || rollup.bucket.last_time >= start + history::kMinute) std::abort();
  }
  history::RollupBuilder hours(history::Day{}, history::kHour);
  hours.add(*rollups);
  const auto again = history::decode_rollups(history::encode_rollups(*rollups, history::kMinute), history::kMinute);
  if (!again || again->size() != rollups->size()) std::abort();
  for (std::size_t i = 0; i < again->size(); ++i) {
    if ((*again)[i].start != (*rollups)[i].start || !same((*again)[i].bucket, (*rollups)[i].bucket)) std::abort();
  }
  return 0;
}
