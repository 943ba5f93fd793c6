#include "gateway/journal/inventory.h"

#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

class InventoryTest : public RandomStore {};

TEST_F(InventoryTest, CountsEverySampleOnce) {
  open();
  std::mt19937 random(31);
  fill(random, 150);
  clock.advance(30h);
  compact();
  fill(random, 30);
  const auto opened = view();
  const auto inventory = take_inventory(*opened, {});
  ASSERT_TRUE(inventory) << inventory.error().text;
  EXPECT_EQ(inventory->history.samples + inventory->rest_samples, all.size());
  for (const Inventory::Series& one : inventory->series) {
    const auto wanted = expected(which(opened->series()[one.place].name));
    EXPECT_EQ(one.samples, wanted.size());
  }
  EXPECT_EQ(inventory->first, journal->first());
  EXPECT_EQ(inventory->last, journal->last());
  EXPECT_EQ(inventory->log.parts, static_cast<std::uint64_t>(number(journal->last()) - number(journal->first()) + 1));
  EXPECT_EQ(inventory->log.samples, journal->stats().samples);
  EXPECT_EQ(inventory->log.file_bytes, journal->stats().file_bytes);
  EXPECT_EQ(inventory->history.files, opened->chunks().files().size());
  EXPECT_EQ(inventory->rollups.files, 1u);
  EXPECT_GT(inventory->rollups.parts, 8u);
  EXPECT_GT(inventory->minutes_bytes + inventory->rollups.data_bytes, 100u);
  Timestamp oldest = Timestamp::max(), newest = Timestamp::min();
  for (const Sample& one : all) {
    oldest = std::min(oldest, one.time);
    newest = std::max(newest, one.time);
  }
  EXPECT_EQ(std::min(*inventory->history.oldest, *inventory->log.oldest), oldest);
  EXPECT_EQ(std::max(*inventory->history.newest, *inventory->log.newest), newest);
}

TEST_F(InventoryTest, AnEmptyStoreHasNothing) {
  open();
  const auto opened = view();
  const auto inventory = take_inventory(*opened, {});
  ASSERT_TRUE(inventory) << inventory.error().text;
  EXPECT_EQ(inventory->log.parts, 0u);
  EXPECT_FALSE(inventory->log.oldest);
  EXPECT_FALSE(inventory->history.oldest);
}

}  // namespace
}  // namespace tidegate::journal
