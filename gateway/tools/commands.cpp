#include "gateway/tools/commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "gateway/tools/interrupt.h"

namespace tidegate::tools {

Commands::Commands(CLI::App& program, FindStore find_store, FindStore find_pending)
    : find_store_(std::move(find_store)), find_pending_(std::move(find_pending)) {
  add_live(program);
  add_wishes(program);
  add_points(program);
  add_watching(program);
  add_reading(program);
  add_records(program);
  add_snapshots(program);
  add_store(program);
  add_copying(program);
  add_resetting(program);
  add_claiming(program);
  add_users(program);
  add_tokens(program);
}

std::optional<int> Commands::run() const {
  for (const Command& command : commands_) {
    if (command.options->parsed() && command.options->get_subcommands().empty()) return run(command);
  }
  return std::nullopt;
}

Result<std::filesystem::path> Commands::store() const {
  return where_.data.empty() ? find_store_(where_.configuration) : where_.data;
}

int Commands::run(const Command& command) const {
  std::signal(SIGPIPE, SIG_IGN);  // a gateway that goes away is told of; for a reader that does: output.cpp
  Interrupt interrupt;
  const auto folder = where_.socket.empty() ? store() : where_.socket.parent_path();
  const Timestamp now = std::chrono::floor<Micros>(std::chrono::system_clock::now());
  const Result<int> code = folder ? command.work({*folder, now, interrupt.token(), where_.configuration})
                                  : Result<int>(fail(folder.error()));
  if (code) return *code;
  fmt::print(stderr, "tidegate {}: {}\n", command.name, code.error().text);
  if (code.error().code == Errc::stopped) return kInterrupted;
  return code.error().code == Errc::invalid ? kUsage : kFailed;
}

}  // namespace tidegate::tools
