#include "gateway/state/state.h"

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/state/point_marks.h"
#include "gateway/state/state_view.h"
#include "tests/support/temp_dir.h"

namespace tidegate::state {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class StateTest : public ::testing::Test {
 protected:
  void open(Bounds bounds = {}) {
    state.reset();
    auto opened = State::open(directory.path(), clock, bounds);
    ASSERT_TRUE(opened) << opened.error().text;
    state = std::move(*opened);
  }
  StateView view() {
    auto opened = StateView::open(directory.path());
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }
  std::vector<StateView::Entry> audit() {
    std::vector<StateView::Entry> all;
    EXPECT_TRUE(view().audit([&](const auto& entry) -> Status {
      all.push_back(entry);
      return {};
    }));
    return all;
  }
  std::vector<std::string> damages() {
    std::vector<std::string> all;
    EXPECT_TRUE(
        view().check([&](const std::string& extent, const std::string& what) { all.push_back(extent + ": " + what); }));
    return all;
  }
  void edit(const char* sql) {
    state.reset();
    auto connection = journal::sql::Connection::open(file(), journal::sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(connection->run(sql));
  }
  fs::path file() const { return directory / "state.db"; }
  std::vector<fs::path> set_aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      if (entry.path().filename().string().starts_with("state.db.corrupt-")) found.push_back(entry.path());
    }
    return found;
  }
  void record(const std::string& who) {
    clock.advance(Micros(1000));
    ASSERT_TRUE(state->record({who, "acknowledge", "hot:boiler1", "seen to"}));
  }

  const test::TempDir directory;
  FakeClock clock;
  std::unique_ptr<State> state;
};

TEST_F(StateTest, AConfigurationHasANumberAndAChangedOneTheNext) {
  open();
  EXPECT_EQ(state->adopt({{"tidegate.yaml", "a: 1\n"}}, "started").value_or(0), 1);
  open();
  EXPECT_EQ(state->adopt({{"tidegate.yaml", "a: 1\n"}}, "started").value_or(0), 1) << "a restart changes nothing";
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(state->adopt({{"tidegate.yaml", "a: 1\n"}, {"conf.d/b.yaml", "b: 2\n"}}, "reloaded").value_or(0), 2);
  EXPECT_EQ(state->adopt({{"tidegate.yaml", "a: 1\n"}}, "reloaded").value_or(0), 3) << "and back is a change too";

  const auto all = view().configurations();
  ASSERT_TRUE(all);
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_EQ(all->at(1).since, clock.now());
  EXPECT_EQ(all->at(1).why, "reloaded");
  EXPECT_THAT(all->at(1).texts, ElementsAre(Pair("conf.d/b.yaml", "b: 2\n"), Pair("tidegate.yaml", "a: 1\n")));
  const auto entries = audit();
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[1].deed.who, "the gateway");
  EXPECT_EQ(entries[1].deed.what, "configuration");
  EXPECT_EQ(entries[1].deed.about, "2");
  EXPECT_THAT(damages(), IsEmpty());
}

TEST_F(StateTest, TheOldestConfigurationsGoByNumberAndByBytes) {
  open({.configurations = 3, .configuration_bytes = 1000});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(state->adopt({{"tidegate.yaml", std::to_string(i)}}, "reloaded"));
  auto all = view().configurations();
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_EQ(all->front().id, 3);
  ASSERT_TRUE(state->adopt({{"tidegate.yaml", std::string(2000, 'x')}}, "reloaded"));
  all = view().configurations();
  ASSERT_THAT(*all, SizeIs(1)) << "the newest stays, whatever its size";
  EXPECT_EQ(all->front().id, 6);
}

TEST_F(StateTest, TheAuditIsKeptInOrderAndBounded) {
  open({.deeds = 3});
  for (const char* who : {"anna", "10.0.0.7", "", "ole", "kim"}) record(who);
  const auto entries = audit();
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].id, 3);
  EXPECT_EQ(entries[2].deed.who, "kim");
  EXPECT_EQ(entries[2].deed.about, "hot:boiler1");
  EXPECT_EQ(entries[2].deed.detail, "seen to");
  EXPECT_EQ(entries[2].time, clock.now());
  EXPECT_THAT(damages(), IsEmpty());
}

TEST_F(StateTest, WhatIsChangedOrTakenOutOfTheAuditShows) {
  const std::pair<const char*, std::int64_t> cases[] = {{"UPDATE deed SET who = 'nobody' WHERE id = 3", 3},
                                                        {"UPDATE deed SET time = time + 1 WHERE id = 4", 4},
                                                        {"UPDATE deed SET who='ab', what='x' WHERE id = 2", 2},
                                                        {"UPDATE deed SET seal = 'x' WHERE id = 1", 1},
                                                        {"DELETE FROM deed WHERE id = 3", 4}};
  open();
  for (int i = 0; i < 5; ++i) record("anna");
  state.reset();
  const std::string whole = test::read_file(file());
  for (const auto& [sql, first] : cases) {
    SCOPED_TRACE(sql);
    std::ofstream(file(), std::ios::binary) << whole;
    edit(sql);
    const auto entries = audit();
    const auto broken = std::find_if(entries.begin(), entries.end(), [](const auto& entry) { return !entry.sealed; });
    ASSERT_NE(broken, entries.end());
    EXPECT_EQ(broken->id, first);
    EXPECT_THAT(damages(), ::testing::Contains(HasSubstr("does not follow from the one before it")));
  }
}

TEST_F(StateTest, AChangedConfigurationIsToldAndHidesNoOther) {
  open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(state->adopt({{"tidegate.yaml", std::to_string(i)}}, "reloaded"));
  edit("UPDATE configuration SET texts = replace(texts, '1', '7') WHERE id = 2");
  const auto all = view().configurations();
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_FALSE(all->at(1).sound);
  EXPECT_EQ(all->at(2).texts.at("tidegate.yaml"), "2");
  EXPECT_THAT(damages(), ElementsAre("configuration 2: it is not as it was written"));
}

TEST_F(StateTest, ADamagedFileIsSetAsideAndWhatCanBeReadOfItGoesOn) {
  open();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(state->adopt({{"tidegate.yaml", std::to_string(i) + std::string(3000, 'x')}}, "reloaded"));
  }
  state.reset();
  const auto pages = fs::file_size(file()) / 4096;
  for (std::uintmax_t page = 3; page < pages; page += 9) {
    std::fstream bytes(file(), std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(static_cast<std::streamoff>(page * 4096));
    bytes << std::string(4096, '\x5a');
  }
  open();
  EXPECT_THAT(state->notice(), HasSubstr("state.db was damaged"));
  ASSERT_THAT(set_aside(), SizeIs(1));
  EXPECT_THAT(state->notice(), HasSubstr(set_aside().front().filename().string()));
  const auto all = view().configurations();
  ASSERT_TRUE(all);
  EXPECT_GT(all->size(), 0u);
  for (const auto& one : *all) {
    EXPECT_EQ(one.texts.at("tidegate.yaml"), std::to_string(one.id - 1) + std::string(3000, 'x'));
  }
  EXPECT_TRUE(state->record({"anna", "acknowledge", "a", ""}));
  open();
  EXPECT_EQ(state->notice(), "");
}

TEST_F(StateTest, AFileThatIsNoneStartsAnew) {
  directory.write("state.db", std::string(9000, 'x'));
  open();
  EXPECT_THAT(state->notice(), HasSubstr("0 configurations and 0 entries"));
  EXPECT_EQ(state->adopt({{"tidegate.yaml", ""}}, "started").value_or(0), 1);
}

TEST_F(StateTest, ANewerProgramsFileIsLeftAlone) {
  open();
  edit("PRAGMA user_version=9");
  const auto opened = State::open(directory.path(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_THAT(opened.error().text, HasSubstr("newer version"));
  EXPECT_THAT(set_aside(), IsEmpty());
}

TEST_F(StateTest, WhatIsDoneOfPointsIsOfOneJournalAlone) {
  open();
  PointMarks marks(*state, "1111");
  ASSERT_TRUE(marks.put({"rule full", "write", "t1/valve", "off is set"}, Seq{7}));
  ASSERT_TRUE(marks.put({"rule full", "write", "t1/valve", "on is set"}, Seq{9}));
  ASSERT_TRUE(marks.put({"ada", "write", "t1/valve", "off is set"}, Seq{8}));
  ASSERT_TRUE(marks.put({"rule full", "write", "t2/valve", "on is set"}, Seq{8}));
  EXPECT_THAT(audit().back().deed.detail, "on is set");
  open();
  EXPECT_THAT(PointMarks(*state, "1111").all().value(),
              ElementsAre(Pair("t1/valve", Seq{9}), Pair("t2/valve", Seq{8})));
  EXPECT_THAT(PointMarks(*state, "2222").all().value(), IsEmpty());
}

TEST_F(StateTest, OfAVersionThatKnewNothingOfPointsIsTakenOver) {
  open();
  ASSERT_TRUE(state->record({"ada", "write", "t1/valve", "to off"}));
  edit("DROP TABLE point; PRAGMA user_version=2");
  open();
  PointMarks marks(*state, "1111");
  EXPECT_THAT(marks.all().value(), IsEmpty());
  EXPECT_TRUE(marks.put({"rule full", "write", "t1/valve", "off is set"}, Seq{7}));
  EXPECT_THAT(audit(), SizeIs(2));
}

TEST_F(StateTest, NobodyElseReadsIt) {
  open();
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(StateTest, WhereThereIsNoneItIsSaid) {
  const auto none = StateView::open(directory.path());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::not_found);
}

TEST_F(StateTest, AVersionOfATextIsAConfigurationThatBroughtAnotherOne) {
  open();
  const auto adopt = [&](const std::string& rules, const char* why, const char* who, const char* note) {
    Texts texts = {{"tidegate.yaml", rules.empty() ? "a" : "b"}};
    if (!rules.empty()) texts["storage/rules.yaml"] = rules;
    return state->adopt(texts, why, who, note).value();
  };
  adopt("", "started", "the gateway", "");
  adopt("one", "rules saved", "ada", "first: of all");
  ASSERT_TRUE(state->adopt({{"tidegate.yaml", "c"}, {"storage/rules.yaml", "one"}}, "reloaded"));
  adopt("two", "rules saved", "bob", "");
  auto look = view();
  const auto versions = look.versions("storage/rules.yaml").value();
  ASSERT_THAT(versions, SizeIs(3)) << "the reload left it as it was";
  EXPECT_EQ(versions[0].id, 1);
  EXPECT_EQ(versions[0].who, "the gateway");
  EXPECT_EQ(versions[1].id, 2);
  EXPECT_EQ(versions[1].who, "ada");
  EXPECT_EQ(versions[1].why, "rules saved");
  EXPECT_EQ(versions[1].note, "first: of all");
  EXPECT_EQ(versions[2].id, 4);
  EXPECT_EQ(versions[2].note, "");
  EXPECT_EQ(look.text_of(1, "storage/rules.yaml").value(), "");
  EXPECT_EQ(look.text_of(2, "storage/rules.yaml").value(), "one");
  EXPECT_EQ(look.text_of(9, "storage/rules.yaml").error().code, Errc::not_found);
  edit("UPDATE configuration SET texts = replace(texts, 'one', 'eno') WHERE id = 2");
  auto after = view();
  EXPECT_EQ(after.text_of(2, "storage/rules.yaml").error().code, Errc::corrupt);
  EXPECT_EQ(after.versions("storage/rules.yaml").value()[1].id, 3) << "what is damaged is passed over";
}

}  // namespace
}  // namespace tidegate::state
