// As options.cpp, of the commands that say who may use the gateway.

#include <CLI/CLI.hpp>
#include <memory>

#include "gateway/tools/commands.h"
#include "gateway/tools/people.h"

namespace tidegate::tools {
namespace {

constexpr const char* kRoles = "viewer|operator|admin";
constexpr const char* kRoleMeans =
    "viewer sees; operator also acknowledges and shelves; admin also changes what the gateway does";

}  // namespace

CLI::App& Commands::add_person(CLI::App& group, const char* name, const char* description, PersonWork work) {
  const auto person = std::make_shared<PersonOptions>();
  CLI::App& command = add_talk(group, name, description, [person, work](const GatewayClient& g, const Surroundings&) {
    return work(*person, g);
  });
  command.add_flag("--json", person->json, "As one JSON document, for programs");
  people_.emplace(&command, person);
  return command;
}

void Commands::add_users(CLI::App& program) {
  CLI::App& users = *program.add_subcommand("user", "Say who may use the gateway, and what.");
  users.require_subcommand(1);
  const auto named = [&](const char* name, const char* description, PersonWork work) {
    CLI::App& command = add_person(users, name, description, work);
    PersonOptions& person = *people_.at(&command);
    command.add_option("name", person.name, "The user's")->required()->option_text("NAME");
    return std::pair(&command, &person);
  };
  add_person(users, "list", "Print the users.", list_users);
  const auto [add_command, added] = named("add", "Add a user; the password is asked for.", add_user);
  add_command->add_option("--role", added->role, kRoleMeans)->option_text(std::string(kRoles) + " [viewer]");
  add_command->footer("The password is read from the terminal, or from the first line of standard input.");
  named("remove", "Remove a user; his log-ins end at once.", remove_user);
  const auto [role_command, changed] = named("role", "Give a user another role.", set_role);
  role_command->add_option("role", changed->role, kRoleMeans)->required()->option_text(kRoles);
  named("password", "Give a user another password; his log-ins end at once.", set_password)
      .first->footer("The password is read from the terminal, or from the first line of standard input.");
}

void Commands::add_tokens(CLI::App& program) {
  CLI::App& tokens = *program.add_subcommand("token", "Make and take back tokens, by which programs use the API.");
  tokens.require_subcommand(1);
  add_person(tokens, "list", "Print what tokens there are.", list_tokens);
  CLI::App& add_command = add_person(tokens, "add", "Make a token and print it, this once.", add_token);
  PersonOptions& added = *people_.at(&add_command);
  add_command.add_option("name", added.name, "What it is for")->required()->option_text("NAME");
  add_command.add_option("--role", added.role, kRoleMeans)->option_text(std::string(kRoles) + " [viewer]");
  add_command
      .add_option("--scope", added.scope,
                  "A part of a role alone, in its place: to push samples, to read series, to be scraped")
      ->option_text("push|push:SOURCE|read:PATTERN|metrics")
      ->excludes("--role");
  add_command.add_option("--for", added.lasts, "For so long")->option_text("DURATION [until it is removed]");
  add_command.footer(
      "For example:  curl -H \"Authorization: Bearer $(tidegate token add prometheus --scope metrics)\" .../metrics");
  CLI::App& remove_command = add_person(tokens, "remove", "Take a token back, at once.", remove_token);
  remove_command.add_option("id", people_.at(&remove_command)->id, "As `tidegate token list` has it")
      ->required()
      ->option_text("ID");
}

void Commands::add_claiming(CLI::App& program) {
  add(program, "claim-code", "Print the code that the page asks for before there is a user.", claim_code);
  const auto link = std::make_shared<LinkOptions>();
  CLI::App& command = add_talk(program, "login-link", "Print an address that logs a user in, once and within the hour.",
                               [link](const GatewayClient& g, const Surroundings&) { return login_link(*link, g); });
  command.add_option("name", link->name, "The user's")->option_text("NAME [admin]");
  command.add_option("--url", link->url, "Of the page, as the browser reaches it")
      ->option_text("URL [as the gateway says]");
  command.add_flag("--json", link->json, "As one JSON document, for programs");
  command.footer(
      "Where nobody has claimed the gateway yet, this makes the user its first, an admin without a password.");
}

}  // namespace tidegate::tools
