// The commands that read and mend a store: the real program, beside a gateway that runs, and after one that died.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::Finished;
using test::GatewayProcess;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

constexpr int kDamaged = 65, kUsage = 64, kInterrupted = 130;

constexpr std::string_view kSimulated = R"(storage: {commit_every: 20ms}
sources:
  - {name: plant, type: simulator, every: 100ms, faults: false}
)";

Finished shell(const std::string& command) { return test::run({"/bin/bash", "-c", command}); }

TEST(Tools, ReadAStoreBesideItsGateway) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 300);
  const std::string data = gateway.data();
  const Finished query = tidegate({"query", "boiler1/temperature", "--data", data, "--format", "csv"});
  EXPECT_EQ(query.status, 0) << query.output;
  EXPECT_THAT(query.output, StartsWith("series,time,value,quality,label\r\nboiler1/temperature,20"));
  const Finished minutes = tidegate({"query", "#", "--data", data, "--from", "-1h", "--resolution", "1d"});
  EXPECT_EQ(minutes.status, 0) << minutes.output;
  EXPECT_THAT(minutes.output, HasSubstr("boiler1/temperature"));
  const Finished sql =
      tidegate({"sql", "SELECT count(*) > 5 AS enough FROM samples WHERE series = 'boiler1/temperature'", "--data",
                data, "--format", "json"});
  EXPECT_EQ(sql.output, "[\n{\"enough\":1}\n]\n");
  const Finished exported =
      shell(fmt::format("'{}' export --data '{}' --format jsonl 2>/dev/null | wc -l", kProgram, data));
  EXPECT_GT(std::stoi(exported.output), 299);
  const Finished check = tidegate({"store", "check", "--data", data});
  EXPECT_EQ(check.status, 0);
  EXPECT_THAT(check.output, HasSubstr("no damage"));
  const Finished stats = tidegate({"store", "stats", "--data", data});
  EXPECT_EQ(stats.status, 0);
  EXPECT_THAT(stats.output, HasSubstr("history: at batch 0"));
  wait_for_samples(gateway, 100);  // nobody was in its way
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Tools, FindTheStoreAsTheGatewayDoes) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 10);
  const auto configuration = gateway.directory().write("other.yaml", "storage: {path: data}\nno_such_key: 1\n");
  const Finished found =
      tidegate({"sql", "SELECT count(*) > 0 FROM samples", "--config", configuration, "--format", "csv"});
  EXPECT_EQ(found.output, "count(*) > 0\r\n1\r\n");
  gateway.kill();
  EXPECT_EQ(tidegate({"store", "stats", "--config", configuration}).status, 0) << "after a crash too";
}

TEST(Tools, SayWhatIsWrongAndWhatToDo) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 100);
  const std::string data = gateway.data();
  const std::tuple<std::vector<std::string>, int, std::string> cases[] = {
      {{"query", "boiler1/temperatur"}, 1, "did you mean 'boiler1/temperature'?"},
      {{"query", "boiler1/*"}, 1, "# for all the rest"},
      {{"query", "a/#/b"}, kUsage, "#"},
      {{"query", "#", "--from", "soon"}, kUsage, "--from soon: is no time"},
      {{"query", "#", "--resolution", "150m"}, kUsage, "whole hours from two hours on"},
      {{"query", "#", "--format", "xml"}, kUsage, "--format"},
      {{"sql", "SELECT valeu FROM samples"}, kUsage, "no such column: valeu"},
      {{"sql", "DELETE FROM samples"}, kUsage, "may not be modified"},
      {{"sql", "ATTACH 'x' AS y"}, kUsage, "only SELECT"},
      {{"store", "salvage"}, 1, "is in use by process"},
      {{"restore", "/nowhere"}, 1, "is no backup"},
      {{"backup", "/proc/no"}, 1, "cannot be made"},
  };
  for (auto [arguments, status, text] : cases) {
    arguments.insert(arguments.end(), {"--data", data});
    const Finished finished = tidegate(arguments);
    EXPECT_EQ(finished.status, status) << finished.output;
    EXPECT_THAT(finished.output, HasSubstr(text));
  }
  EXPECT_THAT(tidegate({"store", "check", "--data", "/nowhere"}).output, StartsWith("tidegate store check: /nowhere "));
  EXPECT_EQ(tidegate({"store"}).status, kUsage);
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Tools, EndQuietlyWhenNobodyReadsOnAndAtOnceWhenStopped) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 100);
  const std::string endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'row ' || i FROM n";
  const Finished headed = shell(fmt::format("'{}' sql \"{}\" --format csv --data '{}' 2>&1 | head -2", kProgram,
                                            endless, gateway.data().string()));
  EXPECT_THAT(headed.output, testing::EndsWith("\r\nrow 1\r\n"));
  test::Process stopped({kProgram, "sql", endless, "--format", "csv", "--data", gateway.data()});
  ASSERT_TRUE(stopped.wait_for_output("row 1"));
  stopped.signal(SIGINT);
  EXPECT_EQ(stopped.wait(20s), kInterrupted);
  EXPECT_THAT(stopped.output(), HasSubstr("tidegate sql: stopped"));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Tools, NameDamageAndMendIt) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 500);
  EXPECT_EQ(gateway.stop(), 0);
  const std::string data = gateway.data();
  {
    std::fstream file(gateway.data() / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(gateway.data() / "journal.db") / 1024 * 512));
    file << std::string(1024, '\x5a');
  }
  const Finished damaged = tidegate({"store", "check", "--data", data});
  EXPECT_EQ(damaged.status, kDamaged);
  EXPECT_THAT(damaged.output, HasSubstr("journal.db: "));
  const Finished mended = tidegate({"store", "salvage", "--data", data});
  EXPECT_EQ(mended.status, kDamaged) << mended.output;
  EXPECT_THAT(mended.output, HasSubstr("journal.db was damaged"));
  EXPECT_THAT(mended.output, HasSubstr("1 mended"));
  const Finished again = tidegate({"store", "salvage", "--data", data});
  EXPECT_EQ(again.status, 0) << again.output;
  gateway.start();
  wait_for_samples(gateway, 10);
  EXPECT_THAT(gateway.process().output(), Not(HasSubstr("damaged")));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Tools, MendWhatIsDamagedAndLeaveWhatIsMissingToBeTold) {
  GatewayProcess gateway(kProgram, kSimulated);
  gateway.start();
  wait_for_samples(gateway, 500);
  EXPECT_EQ(gateway.stop(), 0);
  std::ofstream(gateway.data() / "journal.lock") << "1\nopen\n";  // as one that died, and whose WAL is gone
  {
    std::fstream file(gateway.data() / "journal.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(gateway.data() / "journal.db") / 1024 * 512));
    file << std::string(1024, '\x5a');
  }
  const Finished mended = tidegate({"store", "salvage", "--data", gateway.data().string()});
  EXPECT_EQ(mended.status, kDamaged) << mended.output;
  gateway.start();
  wait_for_samples(gateway, 10);
  EXPECT_THAT(gateway.process().output(), HasSubstr("was missing or damaged"));
  EXPECT_EQ(gateway.stop(), 0);
}

}  // namespace
}  // namespace tidegate::e2e
