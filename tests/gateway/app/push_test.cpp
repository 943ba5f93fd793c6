// What programs push, in a whole gateway: found its source, answered once it is on disk, refused while the disk is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "gateway/app/runtime.h"
#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using testing::HasSubstr;

class RuntimePush : public testing::Test {
 protected:
  void start(const std::string& sources) {
    write(sources);
    config::Problems problems;
    const Settings settings = load_settings(file(), problems);
    auto started = Runtime::start(settings, heart, problems);
    ASSERT_TRUE(started) << started.error().text << problems.text();
    runtime = std::move(*started);
  }
  void write(const std::string& sources) {
    directory.write(
        "tidegate.yaml",
        "http: {listen: \"127.0.0.1:0\"}\nstorage: {path: ./data, commit_every: 20ms}\nsources: " + sources);
  }
  std::filesystem::path file() const { return directory / "tidegate.yaml"; }
  Result<Pushed> push(const std::string& body, const std::string& source = "") {
    return runtime->push(source, {body, Push::Format::lines, 1ns, "test"});
  }
  /// Once the source runs.
  bool taken(const std::string& body, const std::string& source = "") {
    return eventually([&] {
      const auto pushed = push(body, source);
      return pushed && pushed->refused == 0;
    });
  }

  journal::FaultyVfs vfs;
  test::TempDir directory;
  Heartbeat heart;
  std::unique_ptr<Runtime> runtime;
};

TEST_F(RuntimePush, WithOneSourceNoNameIsNeededWithSeveralOneIs) {
  start("[{name: a, type: push}, {name: me, type: self}]");
  EXPECT_TRUE(taken("m f=1"));
  EXPECT_TRUE(taken("m f=1", "a"));
  EXPECT_EQ(push("m f=1", "me").error().code, Errc::not_found) << "nobody pushes to that one";
  write("[{name: a, type: push}, {name: b, type: push, series: \"{source}/{field}\"}]");
  runtime->reload(file());
  EXPECT_TRUE(taken("m f=1", "b"));
  EXPECT_EQ(push("m f=1").error().code, Errc::conflict);
  EXPECT_THAT(push("m f=1").error().text, HasSubstr("?source=, one of a, b"));
  EXPECT_THAT(push("m f=1", "bb").error().text, HasSubstr("did you mean 'b'?"));
  write("[]");
  runtime->reload(file());
  EXPECT_EQ(push("m f=1").error().code, Errc::not_found);
  EXPECT_THAT(push("m f=1").error().text, HasSubstr("`- {name: pushed, type: push}` below `sources:`"));
}

TEST_F(RuntimePush, IsToldToComeAgainWhileTheDiskTakesNothing) {
  start("[{name: a, type: push}]");
  EXPECT_TRUE(taken("m f=1"));
  vfs.arm_while([] { return true; }, SQLITE_IOERR);
  const auto waited = push("m f=2");
  ASSERT_FALSE(waited) << "it was in the queue already";
  EXPECT_EQ(waited.error().code, Errc::timed_out);
  const auto turned_away = push("m f=3");
  ASSERT_FALSE(turned_away);
  EXPECT_EQ(turned_away.error().code, Errc::unavailable);
  EXPECT_THAT(turned_away.error().text, HasSubstr("the disk takes no samples now"));
  EXPECT_EQ(runtime->view().store.queue_depth, 0u) << "and nothing of it waits";
  vfs.disarm();
  EXPECT_TRUE(taken("m f=4"));
}

TEST_F(RuntimePush, AReloadWhileManyPushLosesNoneThatWasAnswered) {
  start("[{name: a, type: push}]");
  ASSERT_TRUE(taken("m f=0"));
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> answered = 0;
  std::vector<std::jthread> senders;
  for (int i = 0; i < 3; ++i) {
    senders.emplace_back([&, i] {
      while (!done) {
        const auto pushed = push("m,sender=" + std::to_string(i) + " f=1");
        answered += pushed ? pushed->samples : 0;
        EXPECT_TRUE(pushed || pushed.error().code == Errc::unavailable) << pushed.error().text;
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    write("[{name: a, type: push, max_series: " + std::to_string(100 + i) + "}]");
    runtime->reload(file());
    const std::uint64_t before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 3; }));
  }
  done = true;
  senders.clear();
  std::uint64_t counted = 0;
  for (const std::uint64_t count : runtime->sample_counts()) counted += count;
  EXPECT_EQ(counted, answered + 1);
}

}  // namespace
}  // namespace tidegate::app
