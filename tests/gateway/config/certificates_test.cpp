#include "gateway/config/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Certificates : public testing::Test {
 protected:
  std::string made(const std::string& name, int days) const {
    const std::string file = directory / name;
    const auto done =
        test::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-keyout", "/dev/null", "-out", file, "-days", std::to_string(days), "-subj", "/CN=" + name});
    EXPECT_EQ(done.status, 0) << done.output;
    return file;
  }
  static Timestamp now() { return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now()); }
  static Timestamp in(int days) { return now() + std::chrono::days(days); }

  test::TempDir directory;
};

constexpr Peer kNobody{"broker", std::nullopt};

TEST_F(Certificates, TheFirstThatEndsIsTold) {
  const ClientTls tls{.ca = made("ca.pem", 400), .certificate = made("client.pem", 60), .key = "", .key_password = ""};
  EXPECT_EQ(ends_soon(tls, kNobody, now()), "");
  EXPECT_THAT(ends_soon(tls, kNobody, in(31)),
              AllOf(HasSubstr("client.pem ends within 30 days, at "), HasSubstr("put a new one in its place")));
  EXPECT_THAT(ends_soon(tls, kNobody, in(61)), HasSubstr("client.pem ended at "));
  const ClientTls authorities{
      .ca = made("ca.pem", 10), .certificate = made("client.pem", 60), .key = "", .key_password = ""};
  EXPECT_THAT(ends_soon(authorities, kNobody, now()), HasSubstr("ca.pem ends within 30 days"));
  EXPECT_THAT(ends_soon(authorities, {"broker", in(5)}, now()),
              HasSubstr("the broker's certificate ends within 7 days, at "));
}

TEST_F(Certificates, TheSentenceChangesAtThirtySevenAndOneDayAndAtTheEnd) {
  const Timestamp end = now();
  const auto told = [&](Micros before) { return ends_soon({}, {"server", end}, end - before); };
  const Micros moment = std::chrono::seconds(1);
  using std::chrono::days;
  EXPECT_EQ(told(days(30) + moment), "");
  std::string last;
  for (const auto& [day, words] : std::vector<std::pair<int, std::string>>{
           {30, "ends within 30 days,"}, {7, "ends within 7 days,"}, {1, "ends within a day,"}, {0, "ended"}}) {
    EXPECT_EQ(told(days(day) + moment), last);
    last = told(days(day));
    EXPECT_THAT(last, HasSubstr("the server's certificate " + words + " at 20"));
  }
  EXPECT_EQ(told(-days(1000)), last);
}

TEST_F(Certificates, OfSeveralAuthoritiesTheLastCounts) {
  const std::string both = test::read_file(made("old.pem", 5)) + test::read_file(made("new.pem", 400));
  directory.write("both.pem", both);
  EXPECT_EQ(ends_soon({.ca = directory / "both.pem", .certificate = "", .key = "", .key_password = ""}, kNobody, now()),
            "");
}

TEST_F(Certificates, WhereThereIsNoneNothingIsTold) {
  EXPECT_EQ(ends_soon({}, kNobody, now()), "");
  directory.write("none.pem", "no certificate");
  EXPECT_EQ(
      ends_soon({.ca = directory / "none.pem", .certificate = directory / "gone.pem", .key = "", .key_password = ""},
                kNobody, now()),
      "");
}

}  // namespace
}  // namespace tidegate::config
