#include "drivers/file/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace tidegate::drivers::file {
namespace {

using From = Follower::From;
using testing::ElementsAre;
using testing::IsEmpty;

class FollowedFile : public testing::Test {
 protected:
  void append(const std::string& text, const std::string& name = "log") {
    std::ofstream(directory_ / name, std::ios::app) << text;
  }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(directory_ / from, directory_ / to);
  }
  /// All that it gives until there is nothing for now: lines, "# header", "> too long", "! error".
  static std::vector<std::string> read(Follower& follower) {
    std::vector<std::string> all;
    while (true) {
      std::string_view line;
      const auto event = follower.next(line);
      if (!event) all.push_back("! " + std::string(name_of(event.error().code)));
      if (!event || *event == Follower::Event::nothing) return all;
      const std::string mark = *event == Follower::Event::header     ? "# "
                               : *event == Follower::Event::too_long ? "> "
                                                                     : "";
      all.push_back(mark + std::string(line.substr(0, 20)));
    }
  }
  static std::string_view name_of(Errc code) { return code == Errc::unavailable ? "unavailable" : "other"; }
  std::unique_ptr<Follower> follow(From from, bool header = false, const std::optional<Position>& kept = {}) {
    auto follower = std::make_unique<Follower>(directory_ / "log", 100, header);
    follower->begin(kept, from);
    return follower;
  }

  test::TempDir directory_;
};

TEST_F(FollowedFile, GivesWholeLinesOnly) {
  append("one\ntwo\r\nth");
  auto follower = follow(From::beginning);
  EXPECT_THAT(read(*follower), ElementsAre("one", "two"));
  append("ree");
  EXPECT_THAT(read(*follower), IsEmpty());
  append("\n\nfour\n");
  EXPECT_THAT(read(*follower), ElementsAre("three", "", "four"));
}

TEST_F(FollowedFile, BegunAtItsEndGivesWhatComesAndNoHalfOfALine) {
  append("one\ntw");
  auto follower = follow(From::end);
  EXPECT_THAT(read(*follower), IsEmpty());
  append("o\nthree\n");
  EXPECT_THAT(read(*follower), ElementsAre("three"));
}

TEST_F(FollowedFile, ThatAppearsLaterIsReadFromItsBeginning) {
  auto follower = follow(From::end);
  EXPECT_THAT(read(*follower), ElementsAre("! unavailable"));
  append("one\n");
  EXPECT_THAT(read(*follower), ElementsAre("one"));
}

TEST_F(FollowedFile, IsReadToItsEndThoughItWasRenamed) {
  append("one\n");
  auto follower = follow(From::beginning);
  EXPECT_THAT(read(*follower), ElementsAre("one"));
  append("two\n");
  rename("log", "log.1");
  append("new\n");
  append("three\nhalf", "log.1");  // whoever writes has not noticed yet
  EXPECT_THAT(read(*follower), ElementsAre("two", "three"));
  append(" a line", "log.1");
  EXPECT_THAT(read(*follower), ElementsAre("half a line"));
  EXPECT_THAT(read(*follower), ElementsAre("new"));
  EXPECT_EQ(follower->counts().rotations, 1u);
}

TEST_F(FollowedFile, ThatIsRenamedAndNotYetBegunAnewIsWaitedFor) {
  append("one\n");
  auto follower = follow(From::beginning);
  read(*follower);
  rename("log", "log.1");
  read(*follower);
  read(*follower);
  EXPECT_THAT(read(*follower), ElementsAre("! unavailable"));
  append("new\n");
  EXPECT_THAT(read(*follower), ElementsAre("new"));
}

TEST_F(FollowedFile, ThatIsCutIsReadFromItsBeginning) {
  append("one\ntwo\n");
  auto follower = follow(From::beginning);
  EXPECT_THAT(read(*follower), ElementsAre("one", "two"));
  std::ofstream(directory_ / "log", std::ios::trunc) << "new\n";
  EXPECT_THAT(read(*follower), IsEmpty());
  EXPECT_THAT(read(*follower), ElementsAre("new"));
  EXPECT_EQ(follower->counts().cut, 1u);
}

TEST_F(FollowedFile, HasItsHeaderFirstWhereverItIsBegun) {
  append("a,b\n1,2\n");
  auto follower = follow(From::end, true);
  EXPECT_THAT(read(*follower), ElementsAre("# a,b"));
  append("3,4\n");
  EXPECT_THAT(read(*follower), ElementsAre("3,4"));
  rename("log", "log.1");
  read(*follower);
  read(*follower);
  append("b,");
  EXPECT_THAT(read(*follower), IsEmpty()) << "its first line is not whole";
  append("a\n5,6\n");
  EXPECT_THAT(read(*follower), ElementsAre("# b,a", "5,6"));
}

TEST_F(FollowedFile, LeavesOutLinesThatAreTooLong) {
  append(std::string(250'000, 'x') + "y\nshort\n" + std::string(101, 'z') + "\n");
  auto follower = follow(From::beginning);
  const auto lines = read(*follower);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].substr(0, 3), "> x");
  EXPECT_EQ(lines[1], "short");
  EXPECT_EQ(lines[2].substr(0, 3), "> z");
}

TEST_F(FollowedFile, GoesOnWhereItWasLeft) {
  append("one\ntwo\n");
  auto follower = follow(From::beginning);
  std::string_view line;
  ASSERT_TRUE(follower->next(line));
  const Position kept = follower->position();
  EXPECT_EQ(kept.offset, 4u);
  EXPECT_THAT(read(*follow(From::end, false, kept)), ElementsAre("two"));
}

TEST_F(FollowedFile, GoesOnInAFileThatWasRenamedMeanwhileAndThenInTheNewOne) {
  append("one\n");
  auto follower = follow(From::beginning);
  read(*follower);
  const Position kept = follower->position();
  append("two\n");
  rename("log", "log.1");
  append("new\n");
  auto later = follow(From::end, false, kept);
  EXPECT_THAT(read(*later), ElementsAre("two"));
  EXPECT_THAT(read(*later), IsEmpty());
  EXPECT_THAT(read(*later), ElementsAre("new"));
  EXPECT_EQ(later->counts().lost, 0u);
}

TEST_F(FollowedFile, ThatIsGoneWhileNobodyReadIsALoss) {
  append("one\n");
  auto follower = follow(From::beginning);
  read(*follower);
  const Position kept = follower->position();
  follower.reset();
  std::filesystem::remove(directory_ / "log");
  append("another and longer\n");  // with the same inode, as like as not
  auto later = follow(From::end, false, kept);
  EXPECT_THAT(read(*later), ElementsAre("another and longer"));
  EXPECT_EQ(later->counts().lost, 1u);
}

TEST_F(FollowedFile, PositionsAreKeptOnDisk) {
  const auto path = directory_ / "position";
  EXPECT_EQ(*load_position(path), std::nullopt);
  const Position position{1, 2, 3, UINT64_MAX};
  ASSERT_TRUE(save_position(path, position));
  EXPECT_EQ(*load_position(path), position);
  directory_.write("position", "nonsense");
  EXPECT_EQ(load_position(path).error().code, Errc::corrupt);
  EXPECT_FALSE(save_position(directory_ / "no" / "such", position));
}

}  // namespace
}  // namespace tidegate::drivers::file
