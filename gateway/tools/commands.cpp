#include "gateway/tools/commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "gateway/tools/interrupt.h"

namespace tidegate::tools {

Commands::Commands(CLI::App& program, FindStore find_store) : find_store_(std::move(find_store)) {
  add_reading(program);
  add_records(program);
  add_snapshots(program);
  add_store(program);
  add_copying(program);
}

std::optional<int> Commands::run() const {
  for (const Command& command : commands_) {
    if (command.options->parsed()) return run(command);
  }
  return std::nullopt;
}

Result<std::filesystem::path> Commands::store() const {
  return where_.data.empty() ? find_store_(where_.configuration) : where_.data;
}

int Commands::run(const Command& command) const {
  std::signal(SIGPIPE, SIG_DFL);  // a reader that has seen enough ends the command, as it does any other's
  Interrupt interrupt;
  const auto folder = store();
  const Timestamp now = std::chrono::floor<Micros>(std::chrono::system_clock::now());
  const Result<int> code = folder ? command.work({*folder, now, interrupt.token(), where_.configuration})
                                  : Result<int>(fail(folder.error()));
  if (code) return *code;
  fmt::print(stderr, "tidegate {}: {}\n", command.name, code.error().text);
  if (code.error().code == Errc::stopped) return kInterrupted;
  return code.error().code == Errc::invalid ? kUsage : kFailed;
}

}  // namespace tidegate::tools
