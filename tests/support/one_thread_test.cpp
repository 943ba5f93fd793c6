#include <gtest/gtest.h>

#include <thread>

namespace tidegate::test {
namespace {

TEST(OneThreadDeathTest, ATestThatSaysSoFailsOnceItStartsAnother) {
  EXPECT_DEATH(std::thread([] {}).join(), "this test starts a thread");
}

}  // namespace
}  // namespace tidegate::test
