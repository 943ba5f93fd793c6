#include "gateway/mqtt/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::mqtt {
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

TEST_F(Certificates, TheFirstThatEndsIsToldAMonthBefore) {
  const config::ClientTls tls{
      .ca = made("ca.pem", 400), .certificate = made("client.pem", 60), .key = "", .key_password = ""};
  EXPECT_EQ(ends_soon(tls, now()), "");
  EXPECT_THAT(ends_soon(tls, in(31)),
              AllOf(HasSubstr("client.pem ends in 28 d"), HasSubstr("put a new one in its place")));
  EXPECT_THAT(ends_soon(tls, in(61)), HasSubstr("client.pem ended at "));
  const config::ClientTls authorities{
      .ca = made("ca.pem", 10), .certificate = made("client.pem", 60), .key = "", .key_password = ""};
  EXPECT_THAT(ends_soon(authorities, now()), HasSubstr("ca.pem ends in "));
}

TEST_F(Certificates, OfSeveralAuthoritiesTheLastCounts) {
  const std::string both = test::read_file(made("old.pem", 5)) + test::read_file(made("new.pem", 400));
  directory.write("both.pem", both);
  EXPECT_EQ(ends_soon({.ca = directory / "both.pem", .certificate = "", .key = "", .key_password = ""}, now()), "");
}

TEST_F(Certificates, WhereThereIsNoneNothingIsTold) {
  EXPECT_EQ(ends_soon({}, now()), "");
  directory.write("none.pem", "no certificate");
  EXPECT_EQ(
      ends_soon({.ca = directory / "none.pem", .certificate = directory / "gone.pem", .key = "", .key_password = ""},
                now()),
      "");
}

}  // namespace
}  // namespace tidegate::mqtt
