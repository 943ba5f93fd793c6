#include "gateway/journal/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "gateway/journal/bytes.h"
#include "gateway/journal/column.h"

namespace tidegate::journal {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000;

Sample sample(std::uint32_t series, std::int64_t time, double value) {
  return {.series = SeriesId{series}, .time = Timestamp{Micros{time}}, .value = value};
}

/// Bit for bit: NaN equals itself, and 0 is not -0.
bool same(const Sample& a, const Sample& b) {
  return a.series == b.series && a.quality == b.quality && a.reason == b.reason && a.time == b.time &&
         std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value);
}

void expect_round_trip(const std::vector<Sample>& samples) {
  const std::string bytes = encode(samples);
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded) << decoded.error().text;
  ASSERT_EQ(decoded->size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_TRUE(same((*decoded)[i], samples[i])) << "sample " << i;
}

TEST(Codec, AnEmptyBatchComesBackEmpty) { expect_round_trip({}); }

TEST(Codec, OneSampleOfAnyValueComesBackToTheBit) {
  const double values[] = {0.0,
                           -0.0,
                           20.5,
                           0.1,
                           1.0 / 3,
                           -273.15,
                           1e300,
                           -1e-300,
                           5e-324,
                           123456789.123456,
                           9007199254740993.0,
                           1e15,
                           std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN(),
                           std::bit_cast<double>(0x7FF8'0000'DEAD'BEEFull)};
  for (const double value : values) expect_round_trip({sample(7, kStart, value)});
}

TEST(Codec, ExtremeTimesAndSeriesComeBack) {
  const auto min = std::numeric_limits<std::int64_t>::min();
  const auto max = std::numeric_limits<std::int64_t>::max();
  expect_round_trip(
      {sample(0, min, 1), sample(0xFFFF'FFFF, max, 2), sample(0, 0, 3), sample(5, -1, 4), sample(1, min, 5)});
}

TEST(Codec, EveryQualityAndReasonComesBack) {
  std::vector<Sample> samples;
  for (int quality = 0; quality <= 2; ++quality) {
    for (int reason = 0; reason <= 6; ++reason) {
      Sample one = sample(3, kStart + reason, 1.5);
      one.quality = static_cast<Quality>(quality);
      one.reason = static_cast<Reason>(reason);
      samples.push_back(one);
    }
  }
  expect_round_trip(samples);
}

TEST(Codec, ARoundOfAThousandSeriesKeepsItsOrder) {
  std::vector<Sample> samples;
  for (std::uint32_t i = 0; i < 3000; ++i) samples.push_back(sample(i * 7 % 1000, kStart + i * 13, i / 10.0));
  expect_round_trip(samples);
}

TEST(Codec, SparseSeriesIdsComeBack) {
  std::mt19937 random(1);
  std::vector<Sample> samples;
  for (int i = 0; i < 500; ++i) samples.push_back(sample(static_cast<std::uint32_t>(random()), kStart + i, i % 7));
  expect_round_trip(samples);
}

TEST(Codec, ABatchLargerThanABlockComesBack) {
  std::vector<Sample> samples;
  for (std::uint32_t i = 0; i < 150'000; ++i) samples.push_back(sample(i % 3, kStart + i * 1000, (i % 100) / 10.0));
  expect_round_trip(samples);
}

/// Samples of mixed shapes, from a seed.
std::vector<Sample> random_samples(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Sample> samples(static_cast<std::size_t>(random() % 600));
  const auto series = static_cast<std::uint32_t>(random() % 40 + 1);
  std::int64_t time = kStart;
  for (Sample& one : samples) {
    time += static_cast<std::int64_t>(random() % 2'000'000) - 500'000;
    if (random() % 50 == 0) time = static_cast<std::int64_t>(random());
    one = sample(static_cast<std::uint32_t>(random()) % series, time, 0);
    switch (index(one.series) % 5) {
      case 0:
        one.value = std::round(std::sin(static_cast<double>(time % 1000)) * 1000) / 10;
        break;
      case 1:
        one.value = std::bit_cast<double>(random());
        break;
      case 2:
        one.value = static_cast<double>(random() % 100'000'000);
        break;
      case 3:
        one.value = static_cast<double>(random() % 2);
        break;
      default:
        one.value = static_cast<double>(random()) / 1e19;
    }
    if (random() % 20 == 0) one = {one.series, Quality::bad, Reason::no_answer, one.time, 0};
  }
  return samples;
}

TEST(Codec, RandomBatchesComeBack) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    expect_round_trip(random_samples(seed));
  }
}

TEST(Codec, EveryFlippedBitIsFound) {
  const std::string bytes = encode(random_samples(11));
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += bit < 160 ? 1 : 37) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto decoded = decode(damaged);
    ASSERT_FALSE(decoded) << "bit " << bit;
    EXPECT_EQ(decoded.error().code, Errc::corrupt);
  }
}

TEST(Codec, EveryTruncationAndExtensionIsFound) {
  const std::string bytes = encode(random_samples(12));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(decode(bytes + '\0'));
  EXPECT_FALSE(decode(bytes + '\1'));
}

TEST(Codec, AnotherVersionIsRefused) {
  std::string bytes = encode(random_samples(13));
  bytes[0] = 2;
  EXPECT_FALSE(decode(bytes));
}

TEST(Codec, ASensorOfOneDecimalTakesFarLessThanItsSixteenBytes) {
  std::mt19937 random(2);
  std::vector<Sample> samples;
  int tenths = 205;
  for (int i = 0; i < 1024; ++i) {
    tenths += static_cast<int>(random() % 3) - 1;
    samples.push_back(sample(1, kStart + i * 1'000'000ll, tenths / 10.0));
  }
  EXPECT_LT(encode(samples).size(), samples.size() / 2);
}

TEST(Crc32c, AnswersTheStandardsCheckValue) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

void expect_column(const std::vector<std::uint64_t>& values) {
  std::string bytes;
  put_column(bytes, values);
  ByteReader in(bytes);
  std::vector<std::uint64_t> back(values.size(), 99);
  ASSERT_TRUE(take_column(in, back));
  EXPECT_EQ(back, values);
  EXPECT_EQ(in.left(), 0u);
}

TEST(Column, EveryWidthOfBlockComesBack) {
  std::mt19937_64 random(3);
  for (unsigned width = 0; width <= 64; ++width) {
    for (const std::size_t count : {1u, 2u, 127u, 128u, 129u, 300u}) {
      std::vector<std::uint64_t> values(count);
      for (auto& value : values) {
        value = width == 0 ? 42 : (random() >> (64 - width)) | std::uint64_t{1} << (width - 1);
      }
      values.back() = width == 0 ? 42 : 0;
      expect_column(values);
    }
  }
}

TEST(Planes, PatternsComeBack) {
  const std::vector<std::uint64_t> values = {0, 0xFF00, 0xAB00'0000'0000'1200, 7};
  std::string bytes;
  put_planes(bytes, values);
  ByteReader in(bytes);
  std::vector<std::uint64_t> back(values.size());
  ASSERT_TRUE(take_planes(in, back));
  EXPECT_EQ(back, values);
}

}  // namespace
}  // namespace tidegate::journal
