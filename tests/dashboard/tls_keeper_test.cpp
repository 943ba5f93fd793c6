// Which certificate is in use when files change, and what is told of it.

#include "dashboard/tls_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "dashboard/self_signed.h"
#include "tests/support/broker.h"
#include "tests/support/temp_dir.h"

namespace tidegate::dashboard::test {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using tidegate::test::Certificates;
using tidegate::test::TempDir;
using News = TlsKeeper::News;
namespace fs = std::filesystem;

auto good(const std::string& text) { return AllOf(Field(&News::good, true), Field(&News::text, HasSubstr(text))); }
auto bad(const std::string& text) { return AllOf(Field(&News::good, false), Field(&News::text, HasSubstr(text))); }

/// As certbot and cp do: the name is another file's from now on.
void put(const fs::path& from, const fs::path& to) {
  fs::copy_file(from, to.string() + ".new", fs::copy_options::overwrite_existing);
  fs::rename(to.string() + ".new", to);
}

/// A gateway's own certificate, beside those that could take its place.
class Own : public testing::Test {
 protected:
  Own() {
    put(pki.server, files.certificate);
    put(pki.server_key, files.key);
  }
  std::unique_ptr<TlsKeeper> keeper(std::optional<Timestamp> now = std::nullopt) {
    auto opened = TlsKeeper::open({.own = files}, now);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }
  std::string refusal() const {
    const auto opened = TlsKeeper::open({.own = files}, std::nullopt);
    return opened ? "" : opened.error().text;
  }

  TempDir directory;
  const Certificates pki{directory.path()};
  const Tls::Files files{directory / "own.pem", directory / "own.key"};
};

TEST_F(Own, ChangedPairIsTakenOver) {
  const auto tls = keeper();
  const std::string before = tls->tls()->fingerprint();
  EXPECT_THAT(tls->look({}), IsEmpty());
  put(pki.elsewhere, files.certificate);
  put(pki.elsewhere_key, files.key);
  EXPECT_THAT(tls->look({}), ElementsAre(good("the dashboard's certificate is now valid until")));
  EXPECT_NE(tls->tls()->fingerprint(), before);
  EXPECT_THAT(tls->look({}), IsEmpty());
}

TEST_F(Own, HalfOfARenewalIsWaitedForAndNotTold) {
  const auto tls = keeper();
  put(pki.elsewhere, files.certificate);
  EXPECT_THAT(tls->look({}), IsEmpty());
  put(pki.elsewhere_key, files.key);
  EXPECT_THAT(tls->look({}), ElementsAre(good("is now")));
  EXPECT_EQ(tls->trouble(), "");
}

TEST_F(Own, BadPairLeavesTheOldOneInUseAndIsToldOnce) {
  const auto tls = keeper();
  const std::string before = tls->tls()->fingerprint();
  put(pki.elsewhere, files.certificate);
  EXPECT_THAT(tls->look({}), IsEmpty());
  EXPECT_THAT(tls->look({}), ElementsAre(bad("own.key is not the key of the first certificate in ")));
  EXPECT_THAT(tls->look({}), IsEmpty());
  EXPECT_THAT(tls->trouble(), HasSubstr("is not the key"));
  EXPECT_EQ(tls->tls()->fingerprint(), before);
  put(pki.server, files.certificate);
  EXPECT_THAT(tls->look({}), ElementsAre(good("is now")));
  EXPECT_EQ(tls->trouble(), "");
}

TEST_F(Own, FilesThatAreGoneAreToldAndTheOldStays) {
  const auto tls = keeper();
  fs::remove(files.key);
  EXPECT_THAT(tls->look({}), IsEmpty());
  EXPECT_THAT(tls->look({}), ElementsAre(bad("own.key cannot be read: No such file or directory")));
  EXPECT_NE(tls->tls(), nullptr);
}

TEST_F(Own, EndIsToldThirtySevenAndOneDayBefore) {
  const Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
  const Timestamp end = self_signed(directory / "made", {"plant-7"}, start).value().tls->until();
  put(directory / "made/certificate.pem", files.certificate);
  put(directory / "made/key.pem", files.key);
  const auto tls = keeper(start);
  EXPECT_THAT(tls->look(end - days(31)), IsEmpty());
  EXPECT_THAT(tls->look(end - days(30)), ElementsAre(bad("ends in 30 d, at 2028-07-08T00:00:00Z")));
  EXPECT_THAT(tls->look(end - days(8)), IsEmpty());
  EXPECT_THAT(tls->look(end - days(7)), ElementsAre(bad("ends in 7 d, ")));
  EXPECT_THAT(tls->look(end - std::chrono::hours(25)), IsEmpty());
  EXPECT_THAT(tls->look(end - days(1)), ElementsAre(bad("ends in ")));
  EXPECT_THAT(tls->look(end - std::chrono::hours(1)), IsEmpty());
  EXPECT_THAT(tls->look(end), ElementsAre(bad("ended at 2028-07-08T00:00:00Z")));
  EXPECT_THAT(tls->look(end + days(1)), IsEmpty());
}

TEST_F(Own, ThatIsNotValidYetIsTold) {
  const auto tls = keeper();
  EXPECT_THAT(tls->look(tls->tls()->from() - days(1)), ElementsAre(bad("is not valid before")));
}

TEST_F(Own, EndIsNobodysBusinessWhileTheClockIsNotSet) {
  const auto tls = keeper();
  EXPECT_THAT(tls->look(std::nullopt), IsEmpty());
}

TEST_F(Own, KeyThatOthersMayReadIsTold) {
  ::chmod(files.key.c_str(), 0644);
  EXPECT_THAT(keeper()->look({}), ElementsAre(bad("chmod 600 " + files.key.string())));
  ::chmod(files.key.c_str(), 0640);
  EXPECT_THAT(keeper()->look({}), IsEmpty());
}

TEST_F(Own, PairThatIsNoneIsRefusedAndSaysWhy) {
  put(pki.elsewhere_key, files.key);
  EXPECT_THAT(refusal(), HasSubstr(files.key.string() + " is not the key of the first certificate in " +
                                   files.certificate.string()));
  put(pki.server, files.key);
  EXPECT_THAT(refusal(), HasSubstr(files.key.string() + " holds no key in PEM form"));
  put(pki.server_key, files.certificate);
  EXPECT_THAT(refusal(), HasSubstr(files.certificate.string() + " holds no certificate in PEM form"));
  std::ofstream(files.certificate) << std::string(2'000'000, 'x');
  EXPECT_THAT(refusal(), HasSubstr("larger than 1 MiB"));
  fs::remove(files.certificate);
  EXPECT_THAT(refusal(), HasSubstr("cannot be read: No such file or directory"));
  fs::create_directory(files.certificate);
  EXPECT_THAT(refusal(), HasSubstr("cannot be read: Is a directory"));
}

TEST_F(Own, KeyWithAPasswordIsRefusedAndNobodyIsAsked) {
  ASSERT_EQ(tidegate::test::run(
                {"openssl", "pkcs8", "-topk8", "-in", pki.server_key, "-out", files.key, "-passout", "pass:secret"})
                .status,
            0);
  EXPECT_THAT(refusal(), HasSubstr("or one with a password"));
}

std::vector<std::string> one_name() { return {"plant-7"}; }

TEST(SelfMade, IsRenewedForAnAddressThatStays) {
  const TempDir directory;
  const Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
  std::vector<std::string> names = {"plant-7", "192.0.2.7"};
  const auto keeper = TlsKeeper::open({.folder = directory / "tls", .names = [&] { return names; }}, start).value();
  const auto before = keeper->tls();
  EXPECT_THAT(before->names(), ElementsAre("plant-7", "192.0.2.7"));
  names = {"plant-7", "192.0.2.9", "2001:DB8::0:1", "no name at all"};
  for (int look = 0; look < 5; ++look) EXPECT_THAT(keeper->look(start), IsEmpty());
  names = {"plant-7"};
  EXPECT_THAT(keeper->look(start), IsEmpty()) << "it was there for a moment alone";
  names = {"plant-7", "192.0.2.9", "2001:DB8::0:1", "no name at all"};
  for (int look = 0; look < 5; ++look) EXPECT_THAT(keeper->look(start), IsEmpty());
  EXPECT_THAT(keeper->look(start), ElementsAre(good("renewed for 192.0.2.9, 2001:db8::1")));
  EXPECT_THAT(keeper->tls()->names(), ElementsAre("plant-7", "192.0.2.9", "2001:db8::1", "192.0.2.7"));
  EXPECT_NE(keeper->tls()->fingerprint(), before->fingerprint());
  for (int look = 0; look < 20; ++look) EXPECT_THAT(keeper->look(start), IsEmpty());
  const auto again = TlsKeeper::open({.folder = directory / "tls", .names = one_name}, start).value();
  EXPECT_EQ(again->tls()->fingerprint(), keeper->tls()->fingerprint()) << "a restart without a network changes nothing";
}

TEST(SelfMade, IsRenewedWhileItRuns) {
  const TempDir directory;
  const Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
  const auto keeper = TlsKeeper::open({.folder = directory / "tls", .names = one_name}, start).value();
  const auto before = keeper->tls();
  EXPECT_THAT(keeper->look(start + days(700)), IsEmpty());
  EXPECT_THAT(keeper->look(before->until() - days(30)), ElementsAre(good("the certificate was renewed")));
  EXPECT_GT(keeper->tls()->until(), before->until());
  EXPECT_THAT(keeper->look(before->until() - days(30)), IsEmpty());
}

TEST(SelfMade, ThatCannotBeRenewedIsToldAndStays) {
  const TempDir directory;
  const Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
  const auto keeper = TlsKeeper::open({.folder = directory / "tls", .names = one_name}, start).value();
  const auto before = keeper->tls();
  fs::create_directories(directory / "tls/certificate.pem.partial/in-the-way");
  const Timestamp late = before->until() - days(20);
  EXPECT_THAT(keeper->look(late), ElementsAre(bad("cannot be"), bad("ends in 20 d")));
  EXPECT_THAT(keeper->look(late), IsEmpty());
  EXPECT_EQ(keeper->tls()->fingerprint(), before->fingerprint());
  EXPECT_NE(keeper->trouble(), "");
}

}  // namespace
}  // namespace tidegate::dashboard::test
