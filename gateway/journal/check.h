#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "gateway/core/result.h"
#include "gateway/journal/history/files.h"

/// Looking for damage in a data directory, whether its gateway runs or not: read-only, without its lock, in snapshots
/// that are short beside the writer's patience.
namespace tidegate::journal {

/// Something stored that is not what was written, or contradicts what is stored beside it.
struct Damage {
  std::filesystem::path file;
  std::string extent;  ///< of it: "batch 17", "round 3, series 'a/b'"; empty: the file
  std::string what;
  bool missing = false;  ///< of it nothing is left to be salvaged
};

struct CheckReport {
  std::function<void(const Damage&)> damage;
  std::function<void(std::uint64_t samples)> progress;  ///< often: how many of the file's were read
  std::stop_token stop;
};

struct Checked {
  std::uint64_t parts = 0;  ///< batches of the log, chunks of a day, days and series of a year
  std::uint64_t samples = 0;
  std::uint64_t damages = 0;
};

/// Every page, every batch and event, every sum. What cannot be decided is an error: Errc::stopped, Errc::not_found
/// where the file is gone, Errc::io and Errc::unavailable where it cannot be read now.
Result<Checked> check_log(const std::filesystem::path& file, const CheckReport& report);
/// `log` tells what rounds there can be; where it cannot be read any may.
Result<Checked> check_day(const history::DayFileName& file, const std::filesystem::path& log,
                          const CheckReport& report);
Result<Checked> check_year(const std::filesystem::path& file, const CheckReport& report);

}  // namespace tidegate::journal
