#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// One thing wrong with a configuration, at its place; line 0: with the file as a whole.
struct FileProblem {
  std::string file;
  int line = 0, column = 0;
  std::string text;
};

/// The rules that are edited in the gateway, as somebody wrote them.
struct RuleText {
  std::string text;
  std::string etag;  ///< names this text: equal where it is
};

/// A configuration that ran, with another text of the rules than the one before it.
struct RuleVersion {
  std::int64_t id = 0;  ///< the configuration's number
  Timestamp since{};
  std::string who, why, note;
};

/// What a text would do in the place of the one that is there.
struct RuleCheck {
  std::vector<FileProblem> problems;                 ///< any: it cannot be saved
  std::vector<std::string> added, removed, changed;  ///< rules, by name
  std::vector<std::string> ended;                    ///< alerts that are up and would be ended, by id
};

struct RuleSave {
  std::string text;
  std::vector<std::string> expected;  ///< etags, of which the present text must have one; "*": whatever it is
  std::string who, note;
  std::string why;  ///< as the history tells it: "rules saved"
};
struct RuleSwitch {
  std::string name;
  bool off = true;
  std::string who, note;
};
struct RuleSaved {
  std::vector<FileProblem> problems;  ///< any: nothing was changed
  std::string text;                   ///< what came of it, in words
  std::string etag;                   ///< of the rules' text then
};

/// Where rules are edited: the file `rules.yaml` of the storage folder, and which rules are off. Implemented by `app`;
/// any thread.
class RuleDesk {
 public:
  virtual ~RuleDesk() = default;
  virtual Result<RuleText> rules_text() const = 0;
  /// Of a version that ran; Errc::not_found.
  virtual Result<RuleText> rules_text(std::int64_t version) const = 0;
  /// Newest first.
  virtual Result<std::vector<RuleVersion>> rule_versions() const = 0;
  /// Parses and checks the whole configuration with this text in it. Changes nothing.
  virtual RuleCheck check_rules(const std::string& text) const = 0;
  /// All or nothing: the text is on disk and at work when it returns. Errc::conflict where somebody else changed it
  /// meanwhile; Errc::unavailable (another change is under way), Errc::timed_out (it goes on), Errc::stopped.
  virtual Result<RuleSaved> save_rules(const RuleSave& save) = 0;
  /// The same of turning a rule off or on. Errc::not_found; Errc::conflict: it is that already.
  virtual Result<RuleSaved> switch_rule(const RuleSwitch& wish) = 0;
};

}  // namespace tidegate::dashboard
