#include "gateway/journal/codec.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "gateway/journal/bytes.h"
#include "gateway/journal/column.h"

namespace tidegate::journal {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kZstd = 1;  ///< the only flag
constexpr std::size_t kBlockSamples = 65'536;
constexpr std::size_t kHeaderBytes = 6;  ///< before the checksum
constexpr std::size_t kWorthCompressing = 128;

constexpr double kPowersOfTen[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr std::uint8_t kScales = std::size(kPowersOfTen);
constexpr std::uint8_t kRawBits = kScales;  ///< a series whose values are no short decimals

constexpr std::int64_t kTimeUnits[] = {1'000'000, 1'000, 1};

using Column = std::vector<std::uint64_t>;

/// The running number of a batch's distinct series, in order of appearance.
class Slots {
 public:
  explicit Slots(std::span<const Sample> samples) {
    if (samples.empty()) return;
    const auto [min, max] = std::minmax_element(samples.begin(), samples.end(),
                                                [](const auto& a, const auto& b) { return a.series < b.series; });
    base_ = index(min->series);
    const std::size_t range = index(max->series) - base_;
    if (range < samples.size() * 8 + 1024) dense_.resize(range + 1, 0);
    of_.reserve(samples.size());
    for (const Sample& sample : samples) of_.push_back(slot(sample.series));
  }
  std::size_t size() const { return size_; }
  std::uint32_t operator[](std::size_t sample) const { return of_[sample]; }

 private:
  std::uint32_t slot(SeriesId series) {
    std::uint32_t& one_up = dense_.empty() ? sparse_[series] : dense_[index(series) - base_];
    if (one_up == 0) one_up = ++size_;
    return one_up - 1;
  }

  std::size_t base_ = 0;
  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> dense_;  ///< slot + 1 by series less base_
  std::unordered_map<SeriesId, std::uint32_t> sparse_;
  std::vector<std::uint32_t> of_;
};

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

/// The integer i for which i / 10^scale is `value` to the bit. A quotient of integers below 2^53 is the double nearest
/// to that decimal, so whatever a sensor meant as "20.5" passes.
bool scaled(double value, std::uint8_t scale, std::int64_t& integer) {
  constexpr double kLimit = 1ll << 50;
  const double product = value * kPowersOfTen[scale];
  if (!(std::fabs(product) < kLimit)) return false;
  integer = static_cast<std::int64_t>(product + std::copysign(0.5, product));
  return bits_of(static_cast<double>(integer) / kPowersOfTen[scale]) == bits_of(value);
}

/// The smallest scale that holds each series' values, or kRawBits.
std::vector<std::uint8_t> find_modes(std::span<const Sample> samples, const Slots& slots) {
  std::vector<std::uint8_t> modes(slots.size(), 0);
  std::int64_t ignored;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::uint8_t& mode = modes[slots[i]];
    while (mode < kScales && !scaled(samples[i].value, mode, ignored)) ++mode;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {  // a larger scale may round an earlier, large value
    std::uint8_t& mode = modes[slots[i]];
    if (mode < kScales && !scaled(samples[i].value, mode, ignored)) mode = kRawBits;
  }
  return modes;
}

void put_series(std::string& out, std::span<const Sample> samples, Column& column) {
  column.clear();
  std::int64_t before = 0;
  for (const Sample& sample : samples) {
    const auto id = static_cast<std::int64_t>(sample.series);
    column.push_back(zigzag(id - before));
    before = id;
  }
  put_column(out, column);
}

std::int64_t ticks(const Sample& sample) { return sample.time.time_since_epoch().count(); }

std::uint8_t common_unit(std::span<const Sample> samples) {
  std::uint8_t unit = 0;
  for (const Sample& sample : samples) {
    while (ticks(sample) % kTimeUnits[unit] != 0) ++unit;
  }
  return unit;
}

/// Differences modulo 2^64, so that no time is out of range; as zigzag numbers.
void difference(Column& column) {
  std::uint64_t before = 0;
  for (std::uint64_t& value : column) {
    const std::uint64_t now = value;
    value = now - before;
    before = now;
  }
}
void accumulate(Column& column) {
  std::uint64_t sum = 0;
  for (std::uint64_t& value : column) value = sum += value;
}
void to_zigzag(Column& column) {
  for (std::uint64_t& value : column) value = zigzag(static_cast<std::int64_t>(value));
}
void from_zigzag(Column& column) {
  for (std::uint64_t& value : column) value = static_cast<std::uint64_t>(unzigzag(value));
}

/// Once or twice differenced, whichever is shorter: polled series step evenly, jittering ones do not.
void put_times(std::string& out, std::span<const Sample> samples, Column& column) {
  const std::uint8_t unit = common_unit(samples);
  column.clear();
  for (const Sample& sample : samples) column.push_back(static_cast<std::uint64_t>(ticks(sample) / kTimeUnits[unit]));
  put_varint(out, zigzag(static_cast<std::int64_t>(column[0])));
  const std::uint64_t first = column[0];
  for (std::uint64_t& value : column) value -= first;
  difference(column);
  Column twice(column);
  difference(twice);
  to_zigzag(column);
  to_zigzag(twice);
  std::string once_bytes, twice_bytes;
  put_column(once_bytes, std::span(column).subspan(1));
  put_column(twice_bytes, std::span(twice).subspan(1));
  const bool use_twice = twice_bytes.size() < once_bytes.size();
  out.push_back(static_cast<char>(unit | (use_twice ? 4 : 0)));
  out += use_twice ? twice_bytes : once_bytes;
}

void put_qualities(std::string& out, std::span<const Sample> samples, Column& column) {
  column.clear();
  for (const Sample& sample : samples) {
    column.push_back(static_cast<std::uint64_t>(sample.quality) | static_cast<std::uint64_t>(sample.reason) << 2);
  }
  put_column(out, column);
}

void put_values(std::string& out, std::span<const Sample> samples, Column& column) {
  const Slots slots(samples);
  const std::vector<std::uint8_t> modes = find_modes(samples, slots);
  put_column(out, Column(modes.begin(), modes.end()));
  Column raw;
  Column before(slots.size(), 0);
  column.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::uint64_t& last = before[slots[i]];
    const std::uint8_t mode = modes[slots[i]];
    std::int64_t integer = 0;
    if (mode == kRawBits) {
      raw.push_back(bits_of(samples[i].value) ^ last);
      last = bits_of(samples[i].value);
    } else {
      scaled(samples[i].value, mode, integer);
      column.push_back(zigzag(integer - static_cast<std::int64_t>(last)));
      last = static_cast<std::uint64_t>(integer);
    }
  }
  put_column(out, column);
  put_planes(out, raw);
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// Empty where it would not get smaller.
std::string compress(std::string_view bytes) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size(), 1);
  if (ZSTD_isError(size) != 0 || size + size / 32 >= bytes.size()) return {};
  out.resize(size);
  return out;
}

bool decompress(std::string_view bytes, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  const std::size_t size = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  return ZSTD_isError(size) == 0 && size == out.size();
}

std::string columns_of(std::span<const Sample> samples) {
  std::string out;
  if (samples.empty()) return out;
  Column column;
  column.reserve(samples.size());
  put_series(out, samples, column);
  put_times(out, samples, column);
  put_qualities(out, samples, column);
  put_values(out, samples, column);
  return out;
}

void put_block(std::string& out, std::span<const Sample> samples) {
  std::string columns = columns_of(samples);
  std::string payload;
  put_varint(payload, samples.size());
  std::uint8_t flags = 0;
  if (columns.size() >= kWorthCompressing) {
    if (std::string small = compress(columns); !small.empty()) {
      flags = kZstd;
      put_varint(payload, columns.size());
      columns = std::move(small);
    }
  }
  payload += columns;
  const std::size_t begin = out.size();
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(flags));
  put_u32(out, static_cast<std::uint32_t>(payload.size()));
  put_u32(out, crc32c(payload, crc32c(std::string_view(out).substr(begin, kHeaderBytes))));
  out += payload;
}

bool take_series(ByteReader& in, std::span<Sample> samples, Column& column) {
  if (!take_column(in, column)) return false;
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    id += static_cast<std::uint64_t>(unzigzag(column[i]));
    if (id > 0xFFFF'FFFFu) return false;
    samples[i].series = SeriesId{static_cast<std::uint32_t>(id)};
  }
  return true;
}

bool take_times(ByteReader& in, std::span<Sample> samples, Column& column) {
  const auto first = static_cast<std::uint64_t>(unzigzag(in.varint()));
  const std::uint8_t shape = in.u8();
  const std::size_t unit = shape & 3;
  if (!in.ok() || shape > 7 || unit >= std::size(kTimeUnits)) return false;
  column[0] = 0;
  if (!take_column(in, std::span(column).subspan(1))) return false;
  from_zigzag(column);
  if ((shape & 4) != 0) accumulate(column);
  accumulate(column);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t time = (first + column[i]) * static_cast<std::uint64_t>(kTimeUnits[unit]);
    samples[i].time = Timestamp{Micros{static_cast<std::int64_t>(time)}};
  }
  return true;
}

bool take_qualities(ByteReader& in, std::span<Sample> samples, Column& column) {
  if (!take_column(in, column)) return false;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t quality = column[i] & 3;
    const std::uint64_t reason = column[i] >> 2;
    if (quality > static_cast<std::uint64_t>(Quality::bad) || reason > static_cast<std::uint64_t>(Reason::clock)) {
      return false;
    }
    samples[i].quality = static_cast<Quality>(quality);
    samples[i].reason = static_cast<Reason>(reason);
  }
  return true;
}

bool take_values(ByteReader& in, std::span<Sample> samples, Column& column) {
  const Slots slots(samples);
  Column modes(slots.size());
  if (!take_column(in, modes)) return false;
  for (const std::uint64_t mode : modes) {
    if (mode > kRawBits) return false;
  }
  std::size_t raws = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) raws += modes[slots[i]] == kRawBits ? 1 : 0;
  column.resize(samples.size() - raws);
  Column raw(raws);
  if (!take_column(in, column) || !take_planes(in, raw)) return false;
  Column last(slots.size(), 0);
  const std::uint64_t* next_integer = column.data();
  const std::uint64_t* next_raw = raw.data();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint32_t slot = slots[i];
    if (modes[slot] == kRawBits) {
      last[slot] ^= *next_raw++;
      samples[i].value = std::bit_cast<double>(last[slot]);
    } else {
      last[slot] += static_cast<std::uint64_t>(unzigzag(*next_integer++));
      samples[i].value = static_cast<double>(static_cast<std::int64_t>(last[slot])) / kPowersOfTen[modes[slot]];
    }
  }
  return true;
}

bool take_columns(std::string_view bytes, std::span<Sample> samples) {
  ByteReader in(bytes);
  Column column(samples.size());
  return take_series(in, samples, column) && take_times(in, samples, column) && take_qualities(in, samples, column) &&
         take_values(in, samples, column) && in.left() == 0;
}

/// No column of n numbers is longer than this in all.
constexpr std::size_t max_columns_bytes(std::size_t samples) { return samples * 64 + 1024; }

bool take_payload(std::string_view payload, bool compressed, std::vector<Sample>& samples) {
  ByteReader in(payload);
  const std::uint64_t count = in.varint();
  const std::size_t held = samples.size();
  if (!in.ok() || count > kBlockSamples || held + count > kMaxBatchSamples) return false;
  std::string columns;
  if (compressed) {
    const std::uint64_t size = in.varint();
    if (!in.ok() || size > max_columns_bytes(static_cast<std::size_t>(count))) return false;
    columns.resize(static_cast<std::size_t>(size));
    if (!decompress(in.take(in.left()), columns)) return false;
  }
  const std::string_view bytes = compressed ? std::string_view(columns) : in.take(in.left());
  if (count == 0) return bytes.empty();
  samples.resize(held + static_cast<std::size_t>(count));
  return take_columns(bytes, std::span(samples).subspan(held));
}

bool take_block(ByteReader& in, std::string_view whole, std::vector<Sample>& samples) {
  const std::string_view header = whole.substr(whole.size() - in.left(), kHeaderBytes);
  const std::uint8_t version = in.u8();
  const std::uint8_t flags = in.u8();
  const std::uint32_t length = in.u32();
  const std::uint32_t checksum = in.u32();
  const std::string_view payload = in.take(length);
  return in.ok() && version == kVersion && (flags & ~kZstd) == 0 && crc32c(payload, crc32c(header)) == checksum &&
         take_payload(payload, flags == kZstd, samples);
}

}  // namespace

std::string encode(std::span<const Sample> samples) {
  std::string out;
  do {
    const std::size_t count = std::min(kBlockSamples, samples.size());
    put_block(out, samples.first(count));
    samples = samples.subspan(count);
  } while (!samples.empty());
  return out;
}

Status decode(std::string_view bytes, std::vector<Sample>& samples) {
  samples.clear();
  ByteReader in(bytes);
  do {
    if (!take_block(in, bytes, samples)) {
      const std::size_t at = bytes.size() - in.left();
      samples.clear();
      return fail(Errc::corrupt, "a batch of {} bytes does not decode (before byte {})", bytes.size(), at);
    }
  } while (in.left() > 0);
  return {};
}

Result<std::vector<Sample>> decode(std::string_view bytes) {
  std::vector<Sample> samples;
  if (Status status = decode(bytes, samples); !status) return fail(std::move(status.error()));
  return samples;
}

}  // namespace tidegate::journal
