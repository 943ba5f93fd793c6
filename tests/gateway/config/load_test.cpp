#include "gateway/config/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/gateway/config/as_yaml.h"
#include "tests/gateway/config/sample_shape.h"
#include "tests/support/temp_dir.h"

namespace tidegate::config {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A folder with a configuration, and what comes of loading it.
class Load : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text, fs::perms mode = fs::perms(0644)) {
    fs::create_directories((folder_ / name).parent_path());
    fs::permissions(folder_.write(name, text), mode);
  }
  Node load() {
    problems_ = {};
    return config::load(folder_ / "tidegate.yaml", sample_shape(), References::system(), problems_);
  }
  /// The problems, with paths as seen from the folder.
  std::string problems() const {
    std::string text = problems_.text();
    const std::string prefix = folder_.path().string() + "/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

  const test::TempDir folder_;
  Problems problems_;
};

TEST_F(Load, JoinsTheFilesOfConfDByName) {
  write("tidegate.yaml", "gateway: {name: p}\nsources: [{name: a, type: host}]\nrules:\n");
  write("conf.d/20.yaml", "sources: [{name: c, type: host}]\nrules: [{name: r, above: 1}]\n");
  write("conf.d/10.yaml", "gateway: {site: Hall 3}\nsources: [{name: b, type: host}]\n");
  write("conf.d/.hidden.yaml", "]");
  write("conf.d/README.md", "]");
  const Node node = load();
  EXPECT_EQ(problems(), "");
  EXPECT_EQ(node["gateway"].string("site"), "Hall 3");
  std::string names;
  for (const Node& source : node["sources"].items) names += source.string("name");
  EXPECT_EQ(names, "abc");
  EXPECT_EQ(node["rules"].items.size(), 1u);
}

TEST_F(Load, AnEmptyFileJoinsAsNothing) {
  write("tidegate.yaml", "");
  write("conf.d/a.yaml", "# later\n");
  write("conf.d/b.yaml", "gateway: {name: p}\n");
  EXPECT_EQ(load()["gateway"].string("name"), "p");
  EXPECT_EQ(problems(), "");
}

TEST_F(Load, AScalarSetTwiceNamesBothPlaces) {
  write("tidegate.yaml", "gateway: {name: p}\nstorage: {retention: 7d}\n");
  write("conf.d/a.yaml", "storage: {retention: 8d, max_size: 2GB}\n");
  write("conf.d/b.yaml", "storage: [x]\n");
  load();
  EXPECT_EQ(problems(),
            "conf.d/a.yaml:1:22: 'storage.retention' is already set at tidegate.yaml:2:22; keep one of the two\n"
            "conf.d/b.yaml:1:10: 'storage' is already set at tidegate.yaml:2:10; keep one of the two\n");
}

TEST_F(Load, AProblemOfConfDCarriesItsName) {
  write("tidegate.yaml", "gateway: {name: p, nmae: q}\n");
  write("conf.d/a.yaml", "sources:\n  - {name: h, type: host, every: 5}\n");
  load();
  EXPECT_EQ(problems(),
            "conf.d/a.yaml:2:34: `every: 5` has no unit; did you mean 5s?\n"
            "tidegate.yaml:1:20: unknown key 'nmae' in 'gateway' (did you mean 'name'?)\n");
}

TEST_F(Load, AFileThatCannotBeReadHidesNoOtherProblemAndAddsNone) {
  write("tidegate.yaml", "gateway: {name: p\n");
  write("conf.d/a.yaml", "sources: [{name: h, type: host, every: 5}]\n");
  load();
  EXPECT_EQ(problems(),
            "conf.d/a.yaml:1:40: `every: 5` has no unit; did you mean 5s?\n"
            "tidegate.yaml:2:1: not valid YAML: a '{' or a quote before this is not closed, or a ',' is missing\n");
}

TEST_F(Load, AMissingFileIsTheOnlyProblem) {
  load();
  EXPECT_EQ(problems(), "tidegate.yaml: cannot read tidegate.yaml: No such file or directory\n");
}

TEST_F(Load, AFolderInsteadOfAFileIsAProblem) {
  fs::create_directory(folder_ / "tidegate.yaml");
  load();
  EXPECT_EQ(problems(), "tidegate.yaml: cannot read tidegate.yaml: it is not a regular file\n");
}

TEST_F(Load, AYmlFileIsToldRatherThanPassedOver) {
  write("tidegate.yaml", "gateway: {name: p}\n");
  write("conf.d/a.yml", "sources: []\n");
  load();
  EXPECT_EQ(problems(), "conf.d/a.yml: not read: only *.yaml is; rename it\n");
}

TEST_F(Load, MoreFilesThanTheBoundAreAProblem) {
  write("tidegate.yaml", "gateway: {name: p}\n");
  for (std::size_t i = 0; i <= kMaxFiles; ++i) write(fmt::format("conf.d/{}.yaml", i), "");
  load();
  EXPECT_EQ(problems(), "conf.d: has 257 files; at most 256 are allowed\n");
}

TEST_F(Load, ReferencesAreResolvedFromBesideTheMainFile) {
  ::setenv("TIDEGATE_TEST_SITE", "no", 1);
  write("tidegate.yaml", "gateway: {name: !file name.txt, site: !env TIDEGATE_TEST_SITE}\n");
  write("name.txt", "plant-7\r\n");
  write("secrets.yaml", "broker: 'a: b'\nqos: 2\n", fs::perms(0600));
  write("conf.d/a.yaml",
        "sources:\n  - {name: f, type: mqtt, broker: b, password: !secret broker, qos: !secret qos, subscriptions: "
        "[]}\n");
  const Node node = load();
  EXPECT_EQ(problems(), "");
  EXPECT_EQ(node["gateway"].string("name"), "plant-7");
  EXPECT_EQ(node["gateway"].string("site"), "no");
  EXPECT_EQ(node["sources"].items[0].string("password"), "a: b");
  EXPECT_EQ(node["sources"].items[0].integer("qos"), 2);
}

TEST_F(Load, AFileReferenceLosesOneLineEndOnly) {
  write("tidegate.yaml", "gateway: {name: !file name.txt}\n");
  write("name.txt", " two lines\n\n");
  EXPECT_EQ(load()["gateway"].string("name"), " two lines\n");
}

TEST_F(Load, SecretsThatOthersMayReadAreRefusedWithTheCommandThatMendsIt) {
  write("tidegate.yaml", "gateway: {name: !secret a, site: !secret b}\n");
  for (const int mode : {0644, 0640, 0604, 0660, 0601}) {
    write("secrets.yaml", "a: canary\nb: canary\n", fs::perms(mode));
    load();
    EXPECT_EQ(
        problems(),
        fmt::format("secrets.yaml: others may use this file of secrets (mode {:04o}); run: chmod 600 secrets.yaml\n",
                    mode));
  }
  for (const int mode : {0600, 0400, 0700}) {
    write("secrets.yaml", "a: canary\nb: canary\n", fs::perms(mode));
    EXPECT_EQ(load()["gateway"].string("name"), "canary");
    EXPECT_EQ(problems(), "");
    fs::remove(folder_ / "secrets.yaml");
  }
}

TEST_F(Load, AFileOfSecretsThatIsExposedHidesNoOtherProblem) {
  const std::string exposed =
      "secrets.yaml: others may use this file of secrets (mode 0644); run: chmod 600 "
      "secrets.yaml\n";
  write("secrets.yaml", "a: canary\nb: 7\n");
  write("tidegate.yaml", "gateway: {name: !secret aa, site: !secret b}\nstorage: {max_size: !secret b}\n");
  load();
  EXPECT_EQ(problems(), exposed +
                            "tidegate.yaml:1:17: secrets.yaml has no key 'aa' (did you mean 'a'?)\n"
                            "tidegate.yaml:2:21: 'max_size' must be a size between 1MiB and 1024GiB (such as 64MB or "
                            "2GiB), not the referenced "
                            "value\n");
  write("tidegate.yaml", "storage: [}\ngateway: {name: !secret a}\n");
  load();
  EXPECT_THAT(problems(), HasSubstr(exposed + "tidegate.yaml:1:11: not valid YAML"));
  write("tidegate.yaml", "storage: [}\ngateway: {name: p}\n");
  load();
  EXPECT_THAT(problems(), Not(HasSubstr("secrets.yaml")));
}

TEST_F(Load, AnUnknownSecretNamesTheNearest) {
  write("tidegate.yaml", "gateway: {name: !secret broker_pasword}\n");
  write("secrets.yaml", "broker_password: canary\nlist: [canary]\n", fs::perms(0600));
  load();
  EXPECT_EQ(problems(),
            "tidegate.yaml:1:17: secrets.yaml has no key 'broker_pasword' (did you mean 'broker_password'?)\n");
  write("tidegate.yaml", "gateway: {name: !secret list}\n");
  load();
  EXPECT_EQ(problems(), "tidegate.yaml:1:17: secret 'list' must be one text in secrets.yaml\n");
}

TEST_F(Load, NoMessageRepeatsASecret) {
  ::setenv("TIDEGATE_TEST_CANARY", "canary value", 1);
  // Each way to be wrong that has the value at hand.
  const char* kUses[] = {"rules: [{name: r, above: REF}]",
                         "rules: [{name: r, above: 1, for: REF}]",
                         "rules: [{name: r, above: 1, severity: REF}]",
                         "rules: [{name: r, above: 1, factor: REF}]",
                         "storage: {max_size: REF}",
                         "storage: REF",
                         "sources: [{name: h, type: REF}]",
                         "sources: [{name: h, type: host, enabled: REF}]",
                         "sources: [{name: REF, type: host, every: 0s}]",
                         "sources: [{name: m, type: mqtt, broker: REF, subscriptions: []}]",
                         "sources: [{name: m, type: mqtt, broker: b, qos: REF, subscriptions: [{topic: REF}]}]"};
  for (std::string use : kUses) {
    for (std::size_t at = use.find("REF"); at != std::string::npos; at = use.find("REF"))
      use.replace(at, 3, "!env TIDEGATE_TEST_CANARY");
    write("tidegate.yaml", "gateway: {name: p}\n" + use + "\n");
    load();
    EXPECT_NE(problems(), "") << use;
    EXPECT_THAT(problems(), Not(HasSubstr("canary value"))) << use;
  }
}

TEST_F(Load, NoMessageRepeatsABrokenFileOfSecrets) {
  write("tidegate.yaml", "gateway: {name: !secret a}\n");
  for (const char* secrets :
       {"a: *canary\n", "a: !canary x\n", "a: &canary", "a: canary: canary\n", "canary\n", "- canary\n",
        "a: !secret canary\n", "a: \"\\canary\"\n", "a: b\na: canary\n", "a: %canary\n", "\tcanary: x\n"}) {
    write("secrets.yaml", secrets, fs::perms(0600));
    load();
    EXPECT_NE(problems(), "") << secrets;
    EXPECT_THAT(problems(), Not(HasSubstr("canary"))) << secrets;
  }
}

TEST_F(Load, AQuoteThatIsNotClosedTakesNoOtherSecretIntoItsValue) {
  write("tidegate.yaml", "gateway: {name: !secret k}\n");
  write("secrets.yaml", "# the broker's\nk: \"abc\nx: HUNT\"\ny: 1\n", fs::perms(0600));
  load();
  EXPECT_EQ(problems(), "secrets.yaml:3:1: belongs to the value before it; is a quote before this not closed?\n");
  write("secrets.yaml", "k: |\n  two\n  lines\n", fs::perms(0600));
  load();
  EXPECT_EQ(problems(), "secrets.yaml:2:1: belongs to the value before it; is a quote before this not closed?\n");
  write("secrets.yaml", "---\n# the broker's\n\nk: 'abc'  # and more\nx: \"y\"\n", fs::perms(0600));
  load();
  EXPECT_EQ(problems(), "");
}

TEST_F(Load, WhatWasReferencedIsKnownAsSecretWhereverItStands) {
  ::setenv("TIDEGATE_TEST_CANARY", "canary", 1);
  write("tidegate.yaml",
        "gateway: {name: !env TIDEGATE_TEST_CANARY}\n"
        "sources:\n"
        "  - {name: f, type: mqtt, broker: !file b.txt, password: canary, subscriptions: [], labels: {x: !secret c}}\n"
        "rules: [{name: r, above: 1, extra: {deep: [!secret c]}}]\n");
  write("b.txt", "canary");
  write("secrets.yaml", "c: canary\n", fs::perms(0600));
  const Node node = load();
  EXPECT_EQ(problems(), "");
  EXPECT_THAT(node.canonical(), HasSubstr("canary"));
  EXPECT_THAT(as_yaml(node), Not(HasSubstr("canary")));
}

TEST_F(Load, AFifoIsRefusedAndDoesNotHoldUpTheStart) {
  write("tidegate.yaml", "gateway: {name: !file pipe}\n");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  load();
  EXPECT_EQ(problems(), "tidegate.yaml:1:17: cannot read pipe: it is not a regular file\n");
}

TEST_F(Load, ABinaryFileIsNoText) {
  write("tidegate.yaml", "gateway: {name: !file key.der}\n");
  write("key.der", "\x30\x82\xff");
  load();
  EXPECT_EQ(problems(), "tidegate.yaml:1:17: key.der is not UTF-8 text\n");
}

}  // namespace
}  // namespace tidegate::config
