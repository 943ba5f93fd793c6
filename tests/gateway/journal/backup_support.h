#pragma once

#include <gmock/gmock.h>

#include <memory>

#include "gateway/journal/backup.h"
#include "gateway/journal/check.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/reinstate.h"
#include "gateway/journal/scan.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// A store, a copy of it, and a place to put the copy back.
class BackupTest : public RandomStore {
 protected:
  BackupTest() { options.log_keep = 0s; }

  fs::path backup() const { return copies / "backup"; }
  fs::path restored() const { return copies / "restored"; }

  Result<Backup> take(const std::function<void(const std::string&)>& meanwhile = [](const std::string&) {}) {
    return back_up(directory.path(), backup(), clock.now(),
                   {[&](const std::string& file, std::uint64_t, std::uint64_t) { meanwhile(file); }, {}});
  }
  Result<Reinstated> put_back(bool force = false) {
    auto copy = prepare(force);
    if (!copy) return fail(copy.error());
    return copy->finish([]() -> Status { return fail(Errc::timed_out, "nobody is waited for"); });
  }
  Result<Restore> prepare(bool force = false) {
    return Restore::prepare(backup(), restored(), force, clock.moment(), {[](auto&&...) {}, {}});
  }

  /// Where the samples of a store differ from all that was given to this one.
  std::string wrong_samples(const fs::path& store) {
    const auto opened = StoreView::open(store);
    if (!opened) return opened.error().text;
    std::string wrong;
    for (std::size_t place = 0; place < (*opened)->series().size(); ++place) {
      std::vector<Sample> found;
      Scan scan(**opened, {.series = {place}});
      for (auto portion = scan.next(); portion && !portion->samples.empty(); portion = scan.next()) {
        found.insert(found.end(), portion->samples.begin(), portion->samples.end());
      }
      for (Sample& one : found) one.series = SeriesId{};
      wrong += difference(found, expected(which((*opened)->series()[place].name)));
      wrong += wrong_rollups(**opened, place, found);
    }
    return wrong + ((*opened)->reading().sound() ? "" : "damage");
  }
  /// By hours and days, of which what is complete comes from the year's file.
  std::string wrong_rollups(StoreView& store, std::size_t place, const std::vector<Sample>& samples) {
    const auto from = history::day_of(clock.now()) - std::chrono::days(8);
    const auto buckets = store.history(std::span(&place, 1), from, from + std::chrono::days(10), 5);
    if (!buckets) return buckets.error().text;
    std::size_t counted = 0;
    for (const Bucket& bucket : buckets->front().buckets) counted += bucket.count + bucket.bad;
    const auto there = std::count_if(samples.begin(), samples.end(), [&](const Sample& one) {
      return one.time >= Timestamp(from) && one.time < Timestamp(from) + 240h;
    });
    if (counted == static_cast<std::size_t>(there)) return "";
    return fmt::format("{}: rollups tell of {} samples, and there are {}", store.series()[place].name, counted, there);
  }
  static std::vector<std::string> damages(const fs::path& store) {
    std::vector<std::string> found;
    const CheckReport report{
        [&](const Damage& damage) { found.push_back(damage.extent + ": " + damage.what); }, [](std::uint64_t) {}, {}};
    EXPECT_TRUE(check_log(store / "journal.db", report));
    for (const auto& day : history::day_files(store / "history")) {
      EXPECT_TRUE(check_day(day, store / "journal.db", report));
    }
    for (const auto& year : history::year_files(store / "history")) EXPECT_TRUE(check_year(year.path, report));
    return found;
  }
  /// One day in history, the next begun.
  void fill_two_days(std::mt19937& random) {
    fill(random, 60);
    clock.advance(30h);
    compact();
    fill(random, 30);
  }
  /// The restored store takes this one's place.
  void go_on_restored() {
    journal.reset();
    fs::remove_all(directory.path());
    fs::rename(restored(), directory.path());
    open();
  }

  test::TempDir copies;
};

}  // namespace tidegate::journal
