#include "gateway/app/command_line.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include "dashboard/guard.h"
#include "gateway/app/alarm_report.h"
#include "gateway/app/backtest.h"
#include "gateway/app/driver_list.h"
#include "gateway/app/modbus_command.h"
#include "gateway/app/parts.h"
#include "gateway/app/pending_reset.h"
#include "gateway/app/read_source.h"
#include "gateway/app/rule_history.h"
#include "gateway/app/rule_list.h"
#include "gateway/app/rule_tests.h"
#include "gateway/app/runtime.h"
#include "gateway/app/settings.h"
#include "gateway/app/systemd.h"
#include "gateway/journal/reinstate.h"
#include "gateway/reset/factory_reset.h"
#include "gateway/tools/commands.h"
#include "gateway/tools/progress.h"

namespace tidegate::app {
namespace {

using tools::kConfigurationWrong;
using tools::kFailed;
using tools::kUsage;

constexpr Micros kStuck = std::chrono::seconds(10);
constexpr Micros kRetry = std::chrono::milliseconds(50);

struct Arguments {
  std::string config = "/etc/tidegate/tidegate.yaml";
  std::string listen;
  std::string data;
  bool markdown = false;
};

/// Blocked before the first thread starts, so that only the main thread sees them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void set_up_log() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("tidegate"));
  spdlog::set_pattern(systemd::logs_to_journal() ? "%l: %v" : "%Y-%m-%d %H:%M:%S %^%l%$: %v");
}

int refuse(const config::Problems& problems) {
  fmt::print(stderr, "{}", problems.text());
  const std::size_t count = problems.sorted().size();
  fmt::print(stderr, "{} problem{} found; nothing was started. `tidegate schema` lists every key.\n", count,
             count == 1 ? "" : "s");
  return kConfigurationWrong;
}

int check(const Arguments& arguments) {
  config::Problems problems;
  const Settings settings = load_to_look(arguments.config, problems);
  const Parts parts = try_parts(settings, problems);
  if (!problems.empty()) return refuse(problems);
  const std::string derived = parts.derived.empty() ? "" : fmt::format("{} derived, ", parts.derived.size());
  using tools::counted;
  fmt::print("{}: good: {}, {}{}, {}\n", arguments.config, counted(settings.sources.size(), "source", "sources"),
             derived, counted(parts.rules.size(), "rule", "rules"),
             counted(settings.uplinks.size(), "uplink", "uplinks"));
  return 0;
}

int schema(const Arguments& arguments) {
  fmt::print("{}\n", arguments.markdown ? config::markdown(root_shape())
                                        : config::json_schema(root_shape(), "Tidegate configuration"));
  return 0;
}

void greet(const Settings& settings, const Runtime& runtime) {
  Endpoint endpoint = parse_endpoint(settings.listen).value_or(Endpoint{"127.0.0.1", 0});
  endpoint.port = runtime.port();
  if (endpoint.address == "0.0.0.0" || endpoint.address == "::") endpoint.address = dashboard::machine_names().front();
  if (const auto* tls = runtime.tls()) {
    spdlog::info("dashboard: https://{}/, its certificate's fingerprint (SHA-256): {}", endpoint.text(),
                 tls->tls()->fingerprint());
  } else {
    spdlog::info("dashboard: http://{}/", endpoint.text());
  }
  if (runtime.tls() == nullptr && !endpoint.loopback()) {
    spdlog::warn(
        "listening on {} without encryption: whoever listens in on this network reads values and log-ins. Keep it on "
        "a network you trust, or listen on 127.0.0.1.",
        settings.listen);
  }
  if (const std::string code = runtime.claim_code(); !code.empty()) {
    spdlog::info("nobody has claimed this gateway yet: open the dashboard and give the code {}", code);
  }
}

/// Why a runtime is to be stopped.
enum class Stop {
  end,       ///< SIGINT or SIGTERM, or it cannot go on
  restored,  ///< a restored store waits to be taken
  reset      ///< a factory reset was begun
};

/// Until it is to be stopped; SIGHUP reloads, SIGUSR1 comes with an errand.
Stop serve(Runtime& runtime, const sigset_t& signals, const std::string& config) {
  systemd::ready();
  while (true) {
    const bool is_reset = reset::begun(runtime.settings().storage.directory);  // who began it has his answer meanwhile
    const timespec second{1, 0};
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGINT || signal == SIGTERM) return Stop::end;
    if (is_reset) return Stop::reset;
    if (signal == SIGHUP) {
      systemd::reloading();
      runtime.reload(config);
      systemd::ready();
    }
    if (signal == SIGUSR1) runtime.run_errand();
    const std::string status = runtime.each_second();
    if (!runtime.failure().empty()) return Stop::end;
    if (journal::restore_waits(runtime.settings().storage.directory)) return Stop::restored;
    if (runtime.pump_age() < kStuck) {
      systemd::alive();
      systemd::status(status);
    } else {
      systemd::status("the pump does not move: is the disk stuck?");
    }
  }
}

/// With what it took in on disk, as far as the disk takes it.
int stop(std::unique_ptr<Runtime> runtime) {
  const std::uint64_t lost = runtime->finish();
  const std::string failure = runtime->failure();
  runtime.reset();
  if (!failure.empty()) spdlog::critical("{}", failure);
  if (lost > 0) spdlog::critical("stopped; {} samples and events are lost: the disk did not take them", lost);
  if (!failure.empty() || lost > 0) return kFailed;
  spdlog::info("stopped; all that was taken in is stored");
  return 0;
}

/// With the restored store, which a start takes. The command that made it may hold the folder, to see whether the
/// gateway is still there.
Result<std::unique_ptr<Runtime>> start_restored(std::unique_ptr<Runtime> runtime, Heartbeat& heart,
                                                config::Problems& problems) {
  spdlog::info("a restored store is ready: stopping, to go on with it");
  Settings settings = runtime->settings();
  // Its viewers come back to where they were, also where it was any port.
  if (auto endpoint = parse_endpoint(settings.listen)) {
    endpoint->port = runtime->port();
    settings.listen = endpoint->text();
  }
  stop(std::move(runtime));
  for (Micros waited{0};; waited += kRetry) {
    auto next = Runtime::start(settings, heart, problems);
    if (next || next.error().code != Errc::conflict || waited >= kStuck) return next;
    std::this_thread::sleep_for(kRetry);
  }
}

/// How a runtime came to its end.
struct Ended {
  std::optional<int> code;      ///< of the process
  std::filesystem::path store;  ///< without one: this is to be reset, and all to begin anew
};

/// From the configuration to the end.
Ended live(const Arguments& arguments, const sigset_t& signals, Heartbeat& heart) {
  config::Problems problems;
  Settings settings = load_settings(arguments.config, problems, {.data = arguments.data});
  if (!problems.empty()) {
    try_parts(settings, problems);
    return {refuse(problems), {}};
  }
  settings.is_data_named = !arguments.data.empty();
  if (!arguments.listen.empty()) settings.listen = arguments.listen;
  std::optional<systemd::Patience> patience;
  const auto be_patient = [&] { patience.emplace([&heart] { return heart.age() < kStuck; }); };
  be_patient();
  auto runtime = Runtime::start(settings, heart, problems);
  while (runtime) {
    patience.reset();
    greet(settings, **runtime);
    const Stop why = serve(**runtime, signals, arguments.config);
    if (why == Stop::end) {
      spdlog::info("stopping");
      systemd::stopping();
      return {stop(std::move(*runtime)), {}};
    }
    systemd::reloading();
    if (why == Stop::reset) {
      const std::filesystem::path store = (*runtime)->settings().storage.directory;
      stop(std::move(*runtime));
      return {{}, store};
    }
    systemd::status("going on with a restored store");
    be_patient();
    runtime = start_restored(std::move(*runtime), heart, problems);
  }
  if (!problems.empty()) return {refuse(problems), {}};
  spdlog::critical("{}", runtime.error().text);
  return {runtime.error().code == Errc::invalid ? kUsage : kFailed, {}};
}

int run(const Arguments& arguments) {
  set_up_log();
  const sigset_t signals = block_signals();
  Heartbeat heart;
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&ends, signal);
  std::filesystem::path store = arguments.data;
  if (store.empty()) store = likely_storage_path(arguments.config);
  while (true) {
    if (const Status done = finish_pending_reset(store, arguments.config, ends, heart); !done) {
      const bool stopped = done.error().code == Errc::stopped;
      spdlog::log(stopped ? spdlog::level::warn : spdlog::level::critical, "{}", done.error().text);
      return stopped ? 0 : kFailed;
    }
    Ended ended = live(arguments, signals, heart);
    if (ended.code) return *ended.code;
    store = std::move(ended.store);  // the configuration may say another one since
  }
}

const CLI::App* add_rules(CLI::App& app, tools::Commands& commands, RuleList& wanted, RuleHistory& history) {
  CLI::App* command = app.add_subcommand("rules", "What the rules of a configuration are, and what they mean.");
  command->require_subcommand(1);
  command->add_option("--config", wanted.configuration, "The configuration")->capture_default_str();
  CLI::App* list = command->add_subcommand("list", "A line for each enabled rule.")->fallthrough();
  tools::add_answer_format(*list, wanted.format);
  command->add_subcommand("explain", "One rule in words: when it fires, what it reads, how its alerts live.")
      ->fallthrough()
      ->add_option("name", wanted.name, "The rule")
      ->required();
  CLI::App& versions =
      commands.add(*command, "history", "The versions of the rules that ran, since when, and what each changed.",
                   [&history](const tools::Surroundings& surroundings) { return rule_history(history, surroundings); });
  versions.add_option("name", history.name, "A rule; otherwise all");
  tools::add_answer_format(versions, history.format);
  commands.add_rule_desk(*command);
  return command;
}

void add_backtest(CLI::App& app, tools::Commands& commands, Backtest& wanted) {
  CLI::App& backtest_command =
      commands.add(app, "backtest", "What rules would have made of what is stored: how often, for how long.",
                   [&wanted](const tools::Surroundings& surroundings) { return backtest(wanted, surroundings); });
  backtest_command.add_option("--rule", wanted.rules, "Rules by name, enabled or not, instead of all that are enabled")
      ->option_text("NAME...");
  backtest_command
      .add_option("--rules", wanted.file,
                  "A file with `rules:`, which is all that is read, instead of the configuration")
      ->option_text("FILE");
  tools::add_range(backtest_command, wanted.from, wanted.to, "-7d", "now");
  backtest_command
      .add_option("--sweep", wanted.sweep,
                  "Try other values of one key: above=80..95, for=10s..2m:10s (step behind ':')")
      ->option_text("KEY=FROM..TO");
  backtest_command.add_flag("--list", wanted.list, "Each time an alert would have been up");
  tools::add_answer_format(backtest_command, wanted.format);
  backtest_command.footer("For example:  tidegate backtest --rule boiler-overheating --from -30d --sweep for=0s..2m");
}

void add_alerts(CLI::App& app, tools::Commands& commands, AlarmReport& wanted) {
  using By = rules::AlarmReport::By;
  static const std::map<std::string, By> kBy = {
      {"rule", By::rule}, {"day", By::day}, {"alert", By::alert}, {"rule-day", By::rule_and_day}};
  CLI::App& report_command = commands.add(
      *app.get_subcommand("alerts"), "report",
      "How many alerts called somebody, how many chattered or stood for a day, how soon they were acknowledged.",
      [&wanted](const tools::Surroundings& surroundings) { return report_alarms(wanted, surroundings); });
  report_command.add_option("--by", wanted.by, "What has a line of its own: rule, day, alert, rule-day")
      ->transform(CLI::CheckedTransformer(kBy, CLI::ignore_case).description(""))
      ->option_text("WHAT [rule]");
  tools::add_range(report_command, wanted.from, wanted.to, "-7d", "now");
  report_command.add_option("--top", wanted.top, "So many lines: those that were raised most")->option_text("N [all]");
  tools::add_answer_format(report_command, wanted.format);
  report_command.footer("The ten worst of the month:  tidegate alerts report --by alert --from -30d --top 10");
}

void add_read(CLI::App& app, tools::Commands& commands, ReadSource& wanted) {
  CLI::App& read_command =
      commands.add(app, "read", "What a source reads, once: to see whether a device is wired and configured right.",
                   [&wanted](const tools::Surroundings& surroundings) { return read_source(wanted, surroundings); });
  read_command.add_option("source", wanted.source, "Its name in the configuration")->required();
  read_command.add_option("--for", wanted.lasts, "Wait at most so long for its values")->option_text("DURATION [10s]");
  read_command.add_flag("--json", wanted.json, "For programs");
  read_command.footer("While a gateway runs this source, what it read last is shown, and nothing is read twice.");
}

}  // namespace

int command_line(int argc, char** argv) {
  CLI::App app{"Tidegate: sensors and MQTT in, alert rules in YAML, a live dashboard and an upstream cloud out."};
  app.set_version_flag("--version", std::string("tidegate ") + TIDEGATE_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  Arguments arguments;

  CLI::App* run_command =
      app.add_subcommand("run", "Start the gateway; SIGTERM stops it, SIGHUP reloads its configuration.");
  run_command->add_option("--config", arguments.config, "The configuration; conf.d/*.yaml beside it belong to it")
      ->capture_default_str();
  run_command->add_option("--listen", arguments.listen, "ADDRESS:PORT of the dashboard, instead of http.listen");
  run_command->add_option("--data", arguments.data, "Folder of the journal, instead of storage.path");

  CLI::App* check_command =
      app.add_subcommand("check", "Validate a configuration without starting: exit code 0, or 78 and every problem.");
  check_command->add_option("file", arguments.config, "The configuration")->capture_default_str();

  RuleTests rule_tests{arguments.config, {}, {}};
  CLI::App* test_command =
      app.add_subcommand("test", "Play tests of rules (*.test.yaml): exit code 0, or 1 and what went otherwise.");
  test_command->add_option("path", rule_tests.paths,
                           "Files, or folders of *.test.yaml; tests/ beside the configuration where nothing is said");
  test_command->add_option("--config", rule_tests.configuration, "The configuration whose rules the tests may name")
      ->capture_default_str();
  test_command->add_option("--junit", rule_tests.junit, "Write a JUnit report to this file as well");

  CLI::App* schema_command = app.add_subcommand("schema", "Print the JSON Schema of the configuration, for editors.");
  schema_command->add_flag("--markdown", arguments.markdown, "Print the reference for people instead");

  DriverList drivers_wanted;
  CLI::App* drivers_command = app.add_subcommand("drivers", "What this build can read, and the options of one kind.");
  drivers_command->add_option("type", drivers_wanted.type, "A kind of source, as in `type:`; otherwise all are listed");
  drivers_command->add_flag("--json", drivers_wanted.json, "For programs: the list, or the JSON Schema of its options");

  tools::Commands tools(app, load_storage_path, likely_storage_path);
  ReadSource read_wanted;
  add_read(app, tools, read_wanted);
  RuleList rule_list{arguments.config, {}, {}};
  RuleHistory history;
  const CLI::App* rules_command = add_rules(app, tools, rule_list, history);
  Backtest wanted;
  add_backtest(app, tools, wanted);
  AlarmReport alarms;
  add_alerts(app, tools, alarms);
  ModbusCommand modbus(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kUsage;
  }
  if (const auto code = tools.run()) return *code;
  if (const auto code = modbus.run()) return *code;
  if (run_command->parsed()) return run(arguments);
  if (check_command->parsed()) return check(arguments);
  if (drivers_command->parsed()) return list_drivers(drivers_wanted);
  if (test_command->parsed()) return run_rule_tests(rule_tests);
  if (rules_command->parsed()) return list_rules(rule_list);
  return schema_command->parsed() ? schema(arguments) : kUsage;
}

}  // namespace tidegate::app
