// As options.cpp, of the commands that edit rules in a gateway that runs.

#include <CLI/CLI.hpp>
#include <memory>

#include "gateway/tools/commands.h"
#include "gateway/tools/rule_desk.h"

namespace tidegate::tools {
namespace {

constexpr const char* kVersion = "As `tidegate rules versions` has it";

using DeskWork = Result<int> (*)(const RuleDeskOptions&, const GatewayClient&);

class Desk {
 public:
  Desk(Commands& commands, CLI::App& rules) : commands_(commands), rules_(rules) {}

  std::pair<CLI::App*, RuleDeskOptions*> add(const char* name, const char* description, DeskWork work) {
    const auto options = std::make_shared<RuleDeskOptions>();
    CLI::App& command =
        commands_.add_talk(rules_, name, description,
                           [options, work](const GatewayClient& g, const Surroundings&) { return work(*options, g); });
    command.add_flag("--json", options->json, "As one JSON document, for programs");
    return {&command, options.get()};
  }
  /// One that changes something.
  std::pair<CLI::App*, RuleDeskOptions*> add_change(const char* name, const char* description, DeskWork work) {
    const auto [command, options] = add(name, description, work);
    command->add_option("--note", options->note, "Why, for the history")->option_text("TEXT");
    command->add_option("--by", options->who, "Who asks for it")->option_text("NAME [the user who runs this]");
    return {command, options};
  }

 private:
  Commands& commands_;
  CLI::App& rules_;
};

}  // namespace

void Commands::add_rule_desk(CLI::App& rules) {
  Desk desk(*this, rules);
  const auto [text, shown] = desk.add("text", "Print the rules that are edited in the gateway.", print_rules);
  text->add_option("--version", shown->version, kVersion)->option_text("N [the text that is there]");
  const auto [validate, checked] = desk.add("validate", "Say what a file of rules would change there.", check_rules);
  validate->add_option("file", checked->file, "A file with `rules:`")->required()->option_text("FILE");

  const auto [save, saved] = desk.add_change("save", "Put a file of rules to work there.", save_rules);
  save->add_option("file", saved->file, "A file with `rules:`, all that are edited there")
      ->required()
      ->option_text("FILE");
  save->add_option("--replaces", saved->replaces, "The etag of the text that the file was made of (text --json)")
      ->option_text("ETAG [whatever is there]");
  save->footer(
      "For example:  tidegate rules text > mine.yaml; edit it; tidegate rules save mine.yaml --note 'too loud'");

  desk.add("versions", "Who changed the rules there, when and why.", list_versions);
  const auto [diff, differs] = desk.add("diff", "What changed between two versions.", print_difference);
  diff->add_option("from", differs->version, kVersion)->required()->option_text("N");
  diff->add_option("to", differs->to, kVersion)->option_text("M [the text that is there]");
  const auto [rollback, older] = desk.add_change("rollback", "Bring an older version back.", roll_back);
  rollback->add_option("version", older->version, kVersion)->required()->option_text("N");

  const auto [off, stilled] = desk.add_change("off", "Turn a rule off, wherever it stands; its alerts end.", turn_off);
  off->add_option("name", stilled->name, "The rule")->required()->option_text("NAME");
  const auto [on, woken] = desk.add_change("on", "Turn a rule on again.", turn_on);
  on->add_option("name", woken->name, "The rule")->required()->option_text("NAME");
}

}  // namespace tidegate::tools
