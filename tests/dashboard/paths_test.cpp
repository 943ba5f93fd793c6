// No path from outside leads to a file: control S28. The journal and the users of this gateway are in the folder that
// the server was given, with a secret beside them.

#include <gmock/gmock.h>

#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSecret = "nobody-is-to-read-this";

class Paths : public testing::Test {
 protected:
  Paths() {
    rig.directory.write("secret", kSecret);
    rig.serve();
  }
  /// As it is given, which a proper client would put straight.
  std::string ask(const std::string& target, const std::string& more = {}) {
    RawConnection connection(rig.port(), 0, rig.by());
    connection.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n");
    return connection.receive_all();
  }
  Rig rig;
};

TEST_F(Paths, OutOfThePageLeadNowhere) {
  const std::string folder = rig.directory.path();
  std::vector<std::string> targets = {"/%00",         "/index.html%00.png",       "/index.html/",   "/./index.html",
                                      "//index.html", "/api/v1/../../index.html", "/api/v1//state", "/api/v1/state/"};
  for (const std::string& file : {std::string("/etc/passwd"), folder + "/secret", folder + "/journal.db"}) {
    std::string escaped, twice, dotted = file;
    for (const char c : file) {
      escaped += c == '/' ? "%2f" : std::string(1, c);
      twice += c == '/' ? "%252f" : std::string(1, c);
    }
    targets.insert(targets.end(), {file, "/" + file, "/" + escaped, "/" + twice, "http://localhost" + file,
                                   "file://" + file, "/..%5c..%5c..%5c..%5c..%5cetc%5cpasswd"});
    for (const char* up : {"/..", "/%2e%2e", "/.%2E", "/..%2f..", "/%252e%252e", "/%c0%ae%c0%ae", "/....//", "/..;"}) {
      std::string climb;
      for (int i = 0; i < 8; ++i) climb += up;
      for (const char* from : {"", "/assets", "/api/v1"}) targets.push_back(from + climb + file);
    }
  }
  for (const char* name : {"secret", "journal.db", "state.db", "claim-code", "tidegate.yaml", "tidegate.sock"}) {
    targets.insert(targets.end(), {std::string("/") + name, std::string("/assets/") + name,
                                   std::string("/assets/../") + name, std::string("/..%2f") + name});
  }
  for (const std::string& target : targets) {
    for (const std::string& who : {std::string(), rig.authorization()}) {
      const std::string answer = ask(target, who);
      EXPECT_THAT(answer, testing::AnyOf(testing::StartsWith("HTTP/1.1 404 "), testing::StartsWith("HTTP/1.1 400 ")))
          << target;
      EXPECT_THAT(answer, HasSubstr("application/problem+json")) << target;
      for (const char* content : {kSecret.c_str(), "root:", "SQLite format"}) {
        EXPECT_THAT(answer, Not(HasSubstr(content))) << target;
      }
    }
  }
}

TEST_F(Paths, InParametersNameNoFile) {
  const std::string climb = "../../../../../../../../etc/passwd";
  for (const std::string& target :
       {"/api/v1/history?series=" + climb, "/api/v1/snapshot?id=" + climb, "/api/v1/rules/text?version=" + climb,
        "/api/v1/rules/diff?from=" + climb + "&to=1", "/api/v1/audit?before=" + climb, "/api/v1/backup?name=" + climb,
        "/api/v1/stream?path=" + climb, "/?file=" + climb}) {
    EXPECT_THAT(ask(target, rig.authorization()), Not(HasSubstr("root:"))) << target;
  }
}

}  // namespace
}  // namespace tidegate::dashboard::test
