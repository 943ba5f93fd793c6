// The certificate that a gateway makes for itself, as openssl and a crash see it.

#include "dashboard/self_signed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/broker.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::dashboard::test {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tidegate::test::read_file;
using tidegate::test::run;
using tidegate::test::TempDir;
namespace fs = std::filesystem;

constexpr Timestamp kNow = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
const std::vector<std::string> kNames = {"plant-7", "plant-7.local", "localhost", "127.0.0.1", "fd00::7"};

mode_t mode_of(const fs::path& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 ? there.st_mode & 07777 : 0;
}

class Made : public testing::Test {
 protected:
  SelfSigned make(std::optional<Timestamp> now = kNow) {
    auto made = self_signed(folder, kNames, now);
    EXPECT_TRUE(made) << made.error().text;
    return made ? *made : SelfSigned{};
  }
  std::string openssl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "openssl");
    return run(std::move(arguments)).output;
  }
  std::string public_key() const { return openssl({"x509", "-in", certificate, "-noout", "-pubkey"}); }

  TempDir directory;
  const fs::path folder = directory / "tls", key = folder / "key.pem", certificate = folder / "certificate.pem";
};

TEST_F(Made, IsForItsOwnerAloneAndStays) {
  const SelfSigned first = make();
  EXPECT_THAT(first.told, IsEmpty());
  EXPECT_EQ(mode_of(folder), 0700u);
  EXPECT_EQ(mode_of(key), 0600u);
  const std::string bytes = read_file(key) + read_file(certificate);
  const SelfSigned second = make(kNow + days(700));
  EXPECT_EQ(second.tls->fingerprint(), first.tls->fingerprint());
  EXPECT_EQ(read_file(key) + read_file(certificate), bytes);
}

TEST_F(Made, IsWhatBrowsersTake) {
  const SelfSigned made = make();
  EXPECT_LT(made.tls->from(), kNow);
  EXPECT_LE(made.tls->until() - made.tls->from(), days(825));
  const std::string text = openssl({"x509", "-in", certificate, "-noout", "-text", "-fingerprint", "-sha256"});
  EXPECT_THAT(text, HasSubstr("DNS:plant-7, DNS:plant-7.local, DNS:localhost, IP Address:127.0.0.1, "
                              "IP Address:FD00:0:0:0:0:0:0:7"));
  EXPECT_THAT(text, HasSubstr("NIST CURVE: P-256"));
  EXPECT_THAT(text, HasSubstr("CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("TLS Web Server Authentication"));
  EXPECT_THAT(text, HasSubstr("Not Before: Apr 30 00:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("Fingerprint=" + made.tls->fingerprint()));
  EXPECT_THAT(openssl({"verify", "-attime", "1777600000", "-CAfile", certificate, "-verify_hostname", "plant-7.local",
                       certificate}),
              HasSubstr("OK"));
}

TEST_F(Made, NamesThatNoCertificateCanHaveAreLeftOut) {
  const auto made =
      self_signed(folder, {"good", "bad name", "DNS:evil,IP:1.2.3.4", std::string(300, 'a'), "gärtner", ""}, kNow);
  ASSERT_TRUE(made) << made.error().text;
  const std::string text = openssl({"x509", "-in", certificate, "-noout", "-ext", "subjectAltName"});
  EXPECT_THAT(text, HasSubstr("DNS:good\n"));
}

// What a start that ended in the middle leaves: the key is written before the certificate, each beside its place first.
TEST_F(Made, AfterACrashWithAKeyAloneGoesOnWithIt) {
  make();
  const std::string old_key = public_key();
  fs::remove(certificate);
  EXPECT_THAT(make().told, IsEmpty());
  EXPECT_EQ(public_key(), old_key);
}

TEST_F(Made, AfterACrashWhileWritingStandsOnWhatIsWhole) {
  fs::create_directory(folder);
  directory.write("tls/key.pem.partial", "-----BEGIN PRIV");
  directory.write("tls/certificate.pem.partial", "-----BEGIN");
  EXPECT_THAT(make().told, IsEmpty());
  EXPECT_FALSE(fs::exists(folder / "key.pem.partial"));
  EXPECT_FALSE(fs::exists(folder / "certificate.pem.partial"));
}

TEST_F(Made, OfHalvesIsMadeAnew) {
  make();
  const std::string whole = read_file(certificate);
  for (const std::string& damaged : {whole.substr(0, whole.size() / 2), std::string(), std::string("garbage")}) {
    directory.write("tls/certificate.pem", damaged);
    EXPECT_THAT(make().told, IsEmpty());
    EXPECT_THAT(openssl({"x509", "-in", certificate, "-noout", "-subject"}), HasSubstr("CN = plant-7"));
  }
  directory.write("tls/key.pem", read_file(key).substr(0, 60));
  EXPECT_THAT(make().told, ElementsAre(HasSubstr("key.pem held no key; a new one was made")));
  EXPECT_EQ(mode_of(key), 0600u);
}

TEST_F(Made, WithTheKeyOfAnotherIsMadeAnew) {
  make();
  const TempDir elsewhere;
  ASSERT_TRUE(self_signed(elsewhere / "tls", kNames, kNow));
  fs::copy_file(elsewhere / "tls/certificate.pem", certificate, fs::copy_options::overwrite_existing);
  const std::string of_the_other = public_key();
  make();
  EXPECT_NE(public_key(), of_the_other);
}

TEST_F(Made, AKeyThatOthersCouldReadIsTakenFromThemAndThatIsTold) {
  make();
  ::chmod(key.c_str(), 0644);
  EXPECT_THAT(make().told, ElementsAre(HasSubstr("could be read by others")));
  EXPECT_EQ(mode_of(key), 0600u);
  EXPECT_THAT(make().told, IsEmpty());
}

TEST_F(Made, IsRenewedBeforeItEndsWithTheSameKey) {
  const SelfSigned first = make();
  const std::string old_key = public_key();
  EXPECT_FALSE(due(*first.tls, first.tls->until() - kSelfSignedRenewed - days(1)));
  const Timestamp late = first.tls->until() - kSelfSignedRenewed;
  EXPECT_TRUE(due(*first.tls, late));
  const SelfSigned second = make(late);
  EXPECT_NE(second.tls->fingerprint(), first.tls->fingerprint());
  EXPECT_GT(second.tls->until(), first.tls->until());
  EXPECT_EQ(public_key(), old_key);
}

TEST_F(Made, WithoutAClockIsNoJudgeOfTime) {
  const SelfSigned first = make(std::nullopt);
  EXPECT_EQ(make(std::nullopt).tls->fingerprint(), first.tls->fingerprint());
  EXPECT_FALSE(due(*first.tls, std::nullopt));
  EXPECT_TRUE(due(*first.tls, kNow));  // now it is known when that was
  EXPECT_GT(make(kNow).tls->until(), kNow + days(700));
}

TEST_F(Made, ByAClockThatWasAheadIsMadeAnew) {
  const SelfSigned first = make(kNow + days(3650));
  EXPECT_TRUE(due(*first.tls, kNow));
  EXPECT_LT(make(kNow).tls->from(), kNow);
}

TEST_F(Made, WhereNothingCanBeWrittenSaysWhere) {
  directory.write("tls", "a file");
  const auto made = self_signed(folder, kNames, kNow);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().text, HasSubstr(folder.string()));
}

TEST(NamesOfMachine, HaveWhatBrowsersCallIt) {
  EXPECT_THAT(names_of_machine(), testing::IsSupersetOf({"localhost", "127.0.0.1"}));
  EXPECT_THAT(names_of_machine(), Contains(testing::EndsWith(".local")));
}

}  // namespace
}  // namespace tidegate::dashboard::test
