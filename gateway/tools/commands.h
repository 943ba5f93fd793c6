#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace CLI {
class App;
}

/// The commands that ask a running gateway, and those that look at what is stored, copy it and put it back:
/// docs/tools.md.
namespace tidegate::tools {

class GatewayClient;
struct PersonOptions;

/// `--format` of a command that answers in rows: table, csv, json.
void add_answer_format(CLI::App& command, Format& format);
/// `--from` and `--to`; what they are where they are not written is said in brackets.
void add_range(CLI::App& command, std::string& from, std::string& to, const char* usual_from, const char* usual_to);

class Commands {
 public:
  /// Adds them to the program's, which must outlive this. `find_pending` is where a start of the gateway looks for a
  /// factory reset that was begun.
  Commands(CLI::App& program, FindStore find_store, FindStore find_pending);
  /// After the command line was parsed: the exit code of the command, or nothing where it is none of these.
  std::optional<int> run() const;

  using Work = std::function<Result<int>(const Surroundings&)>;
  /// Adds another command, with `--config` and `--data`; its work's error is told, Errc::invalid as wrong usage.
  CLI::App& add(CLI::App& parent, const char* name, const char* description, Work work);

  using Talk = std::function<Result<int>(const GatewayClient&, const Surroundings&)>;
  /// Adds one that asks the running gateway, with `--socket` too.
  CLI::App& add_talk(CLI::App& parent, const char* name, const char* description, Talk talk);

  /// Those that edit rules in the running gateway, to the program's `rules`.
  void add_rule_desk(CLI::App& rules);

 private:
  struct Where {
    std::filesystem::path configuration = "/etc/tidegate/tidegate.yaml";
    std::filesystem::path data;
    std::filesystem::path socket;
  };
  struct Command {
    CLI::App* options;
    std::string name;  ///< "store check"
    Work work;
  };

  using PersonWork = Result<int> (*)(const PersonOptions&, const GatewayClient&);
  CLI::App& add_person(CLI::App& group, const char* name, const char* description, PersonWork work);

  // Each in options.cpp and people_options.cpp, where all that a user may type stands.
  void add_live(CLI::App& program);
  void add_wishes(CLI::App& program);
  void add_points(CLI::App& program);
  void add_watching(CLI::App& program);
  void add_reading(CLI::App& program);
  void add_records(CLI::App& program);
  void add_snapshots(CLI::App& program);
  void add_store(CLI::App& program);
  void add_copying(CLI::App& program);
  void add_resetting(CLI::App& program);
  void add_claiming(CLI::App& program);
  void add_users(CLI::App& program);
  void add_tokens(CLI::App& program);

  Result<std::filesystem::path> store() const;
  int run(const Command& command) const;

  FindStore find_store_;
  const FindStore find_pending_;
  Where where_;
  std::vector<Command> commands_;
  std::map<const CLI::App*, std::shared_ptr<PersonOptions>> people_;
};

}  // namespace tidegate::tools
