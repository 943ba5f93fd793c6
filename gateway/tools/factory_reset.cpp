#include "gateway/tools/factory_reset.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>

#include "gateway/core/sleep.h"
#include "gateway/journal/lock.h"
#include "gateway/reset/factory_reset.h"
#include "gateway/tools/output.h"
#include "gateway/tools/progress.h"

namespace tidegate::tools {
namespace {

namespace fs = std::filesystem;
using journal::DirectoryLock;

constexpr const char* kWord = "reset";

/// What is to be wiped, in lines.
std::string what_goes(const ResetOptions& options, const Surroundings& surroundings, bool runs) {
  const fs::path folder = fs::absolute(surroundings.configuration).parent_path();
  std::string configuration;
  if (runs) {
    configuration =
        "  the secrets and the configuration that the gateway runs with: it goes on with the packaged one (where it "
        "was "
        "started with --data they stay)\n";
  } else if (options.configuration) {
    configuration = fmt::format("  {0}/secrets.yaml and {0}/conf.d/*.yaml; {0}/{1} becomes the packaged one\n",
                                folder.string(), surroundings.configuration.filename().string());
  }
  return fmt::format(
      "A factory reset wipes for good:\n"
      "  all that is in {}: samples, alerts, history, users, log-ins, tokens, the audit, rules that were edited in the "
      "gateway, its TLS key, and backups that lie there\n{}"
      "Then the gateway is as new, and asks to be claimed. `tidegate backup FOLDER` keeps what was measured.\n",
      surroundings.store.string(), configuration);
}

/// Somebody at the terminal means it.
Status ask(const ResetOptions& options, const Surroundings& surroundings, bool runs) {
  if (options.yes) return {};
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Errc::invalid, "nobody is there to be asked whether this is meant; say --yes");
  }
  fmt::print(stderr, "{}Type '{}' to go on: ", what_goes(options, surroundings, runs), kWord);
  std::string typed;
  std::getline(std::cin, typed);
  return typed == kWord ? Status{} : fail(Errc::conflict, "nothing was wiped");
}

Result<int> told(const ResetOptions& options, const Json& answer) {
  Output output;
  return finish(output.write((options.json ? text_of(answer) : word(answer, "text")) + "\n"), output);
}

Result<int> finish_here(const ResetOptions& options, const Surroundings& surroundings) {
  Progress progress;
  const auto wiped = reset::finish(surroundings.store, surroundings.configuration, [&] {
    progress.show([] { return std::string("wiping"); });
    return !surroundings.stop.stop_requested();
  });
  progress.clear();
  if (!wiped) return fail(wiped.error());
  for (const std::string& note : wiped->notes) fmt::print(stderr, "{}\n", note);
  const std::string text =
      fmt::format("{} is wiped, {} with {}: the next start of the gateway is its first", surroundings.store.string(),
                  counted(wiped->files, "file", "files"), bytes_text(wiped->bytes));
  return told(options, {{"text", text}, {"files", wiped->files}, {"bytes", wiped->bytes}});
}

/// Where it was, or where the configuration that it goes on with has it.
bool is_back(const GatewayClient& gateway, const FindStore& find_store, const Surroundings& surroundings) {
  if (reset::begun(surroundings.store)) return false;
  if (gateway.health()) return true;
  const auto moved = find_store(surroundings.configuration);
  return moved && *moved != surroundings.store && GatewayClient(*moved / kSocketName).health();
}

/// It wipes itself, and is back when all is done. One that may not do all of it ends, and its service manager has root
/// do the rest, which takes some seconds in which nobody has the folder.
Status wait_for_gateway(const GatewayClient& gateway, const FindStore& find_store, const Surroundings& surroundings) {
  constexpr Micros kLook = std::chrono::milliseconds(200), kPatience = std::chrono::seconds(30);
  Progress progress;
  Micros away{0};
  while (!is_back(gateway, find_store, surroundings)) {
    progress.show([] { return std::string("the gateway wipes all that it has"); });
    if (!sleep_for(kLook, surroundings.stop)) return fail(Errc::stopped, "stopped; the gateway goes on with the reset");
    // Whether somebody has the folder is tried while who wipes it would try again, and not when it is opened anew.
    away = reset::begun(surroundings.store) && DirectoryLock::is_held(surroundings.store) ? Micros{0} : away + kLook;
    if (away < kPatience) continue;
    return fail(Errc::unavailable,
                "the gateway has ended and is not back: its log says why. Where the reset is not finished, its next "
                "start goes on with it, and so does `sudo tidegate factory-reset --finish`");
  }
  return {};
}

Result<int> ask_gateway(const ResetOptions& options, const GatewayClient& gateway, const FindStore& find_store,
                        const Surroundings& surroundings) {
  if (const auto begun = gateway.post("/api/v1/factory-reset", Json::object()); !begun) return fail(begun.error());
  if (Status done = wait_for_gateway(gateway, find_store, surroundings); !done) return fail(std::move(done.error()));
  const std::string text =
      "the gateway has wiped all that it had, and starts as new: `tidegate claim-code` prints the code of its first "
      "user";
  return told(options, {{"text", text}});
}

Result<int> finish_begun(const ResetOptions& options, const Surroundings& surroundings) {
  return reset::pending(surroundings.store, surroundings.configuration) ? finish_here(options, surroundings) : kDone;
}

}  // namespace

Result<int> factory_reset(const ResetOptions& options, const GatewayClient& gateway, const FindStore& find_store,
                          const Surroundings& surroundings) {
  const fs::path& store = surroundings.store;
  if (options.finish) return finish_begun(options, surroundings);
  if (Status may = reset::may_begin(store, surroundings.configuration); !may) return fail(std::move(may.error()));
  const bool runs = DirectoryLock::is_held(store);
  if (Status meant = ask(options, surroundings, runs); !meant) return fail(std::move(meant.error()));
  if (runs) return ask_gateway(options, gateway, find_store, surroundings);
  const auto extent = options.configuration ? reset::Extent::all : reset::Extent::storage;
  const Status begun = reset::begin(store, surroundings.configuration, extent);
  if (!begun && begun.error().code != Errc::conflict) return fail(begun.error());
  return finish_here(options, surroundings);
}

Result<int> reset_code(const ResetCodeOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.post("/api/v1/factory-reset/code", Json::object());
  if (!answer) return fail(answer.error());
  Output output;
  return finish(output.write((options.json ? text_of(*answer) : word(*answer, "code")) + "\n"), output);
}

}  // namespace tidegate::tools
