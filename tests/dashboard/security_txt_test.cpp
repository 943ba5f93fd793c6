// What somebody reads who has found a weakness: the file that a gateway serves, and the project's SECURITY.md.

#include "dashboard/security_txt.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "gateway/core/time_text.h"
#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {
namespace {

using std::chrono::days;
using testing::HasSubstr;

constexpr const char* kPath = "/.well-known/security.txt";
constexpr const char* kContact = "mailto:security@plant.example";

/// As RFC 9116 has a file: a field a line, its name without regard to case. Fails at anything else.
std::multimap<std::string, std::string> fields_of(const std::string& file) {
  std::multimap<std::string, std::string> fields;
  EXPECT_TRUE(file.ends_with('\n'));
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(": ");
    if (colon == std::string::npos) {
      ADD_FAILURE() << "no field: " << line;
      continue;
    }
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    fields.emplace(name, line.substr(colon + 2));
  }
  return fields;
}

TEST(SecurityTxt, HasAContactAndAnEndThatIsAYearFromTheRelease) {
  const auto fields = fields_of(security_txt(kContact, kStart));
  ASSERT_EQ(fields.count("contact"), 1u);
  EXPECT_EQ(fields.find("contact")->second, kContact);
  ASSERT_EQ(fields.count("expires"), 1u) << "RFC 9116 wants one and no more";
  const auto expires = parse_rfc3339(fields.find("expires")->second);
  ASSERT_TRUE(expires.has_value());
  EXPECT_EQ(*expires, kStart + days(365));
}

TEST(SecurityTxt, IsServedToAnybodyAlsoByABoxThatNobodyHasClaimed) {
  Options options;
  options.security_contact = kContact;
  options.released = kStart;
  Rig rig(options);
  rig.serve();
  const HttpClient stranger(rig.port(), {}, rig.by());
  const auto answer = stranger.get(kPath);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, security_txt(kContact, kStart));
  EXPECT_EQ(stranger.post(kPath, "{}").status, 405);
}

TEST(SecurityTxt, WithoutAContactThereIsNone) {
  Rig rig;
  rig.serve();
  const auto answer = HttpClient(rig.port(), {}, rig.by()).get(kPath);
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("http.security_contact"));
}

TEST(SecurityTxt, AContactIsAUri) {
  for (const char* good :
       {"mailto:security@plant.example", "https://plant.example/security?lang=en", "tel:+1-201-555-0123"}) {
    EXPECT_EQ(contact_problem(good), "") << good;
  }
  for (const char* bad :
       {"", "security@plant.example", "http://plant.example/", "mailto:", "https://",
        "mailto:a@b.example\nExpires: 2999-01-01T00:00:00Z", "mailto:a b@c.example", "https://pl\xc3\xa4nt.example/"}) {
    EXPECT_NE(contact_problem(bad), "") << bad;
  }
}

TEST(SecurityMd, SaysHowToReportWhatHappensThenAndUntilWhenThisReleaseIsSupported) {
  const std::string text = tidegate::test::read_file(TIDEGATE_SOURCE_DIR "/SECURITY.md");
  for (const char* heading : {"## How to report a weakness", "## What happens with a report",
                              "## Until when a release is supported", "## What to know before you expose a gateway"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + heading + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("security advisories"));
  EXPECT_THAT(text, HasSubstr("six months after the next"));
  // Of this version, with the day that its security.txt counts from.
  EXPECT_THAT(text, HasSubstr("| " TIDEGATE_VERSION " | " TIDEGATE_RELEASE_DATE));
  EXPECT_TRUE(parse_rfc3339(TIDEGATE_RELEASE_DATE "T00:00:00Z").has_value());
}

}  // namespace
}  // namespace tidegate::dashboard::test
