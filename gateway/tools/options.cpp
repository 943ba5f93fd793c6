// All that a user may type after `tidegate` for these commands, and what --help says of it.

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "gateway/tools/backup.h"
#include "gateway/tools/commands.h"
#include "gateway/tools/factory_reset.h"
#include "gateway/tools/gateway_client.h"
#include "gateway/tools/live.h"
#include "gateway/tools/query.h"
#include "gateway/tools/records.h"
#include "gateway/tools/snapshots.h"
#include "gateway/tools/store.h"

namespace tidegate::tools {
namespace {

constexpr const char* kPatterns =
    "Series, by name or pattern: boiler1/temperature, '+/temperature' (+ is one level), 'boiler1/#' (# is all below)";
constexpr const char* kFrom = "From this time on: -1h, -7d, 2026-03-01, '2026-03-01 12:30', 2026-03-01T12:30:00Z (UTC)";
constexpr const char* kTo = "Up to this time, which is not in it any more";

constexpr const char* kJson = "As one JSON document, for programs";

void add_format(CLI::App& command, Format& format, const std::map<std::string, Format>& formats) {
  std::string names;
  std::string usual;
  for (const auto& [name, value] : formats) {
    names += names.empty() ? name : ", " + name;
    if (value == format) usual = name;
  }
  command.add_option("--format", format, "One of " + names)
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""))
      ->option_text("FORMAT [" + usual + "]");
}

const std::map<std::string, Format> kAnswerFormats = {
    {"table", Format::table}, {"csv", Format::csv}, {"json", Format::json}};
const std::map<std::string, Format> kExportFormats = {{"csv", Format::csv}, {"jsonl", Format::jsonl}};

}  // namespace

void add_answer_format(CLI::App& command, Format& format) { add_format(command, format, kAnswerFormats); }

void add_range(CLI::App& command, std::string& from, std::string& to, const char* usual_from, const char* usual_to) {
  command.add_option("--from", from, kFrom)->option_text(std::string("TIME [") + usual_from + ']');
  command.add_option("--to", to, kTo)->option_text(std::string("TIME [") + usual_to + ']');
}

CLI::App& Commands::add(CLI::App& parent, const char* name, const char* description, Work work) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_option("--config", where_.configuration, "The gateway's configuration, which names its storage folder")
      ->option_text("FILE [" + where_.configuration.string() + "]");
  command->add_option("--data,--storage", where_.data, "The storage folder itself, instead of a configuration")
      ->option_text("FOLDER");
  const std::string group = parent.get_parent() == nullptr ? "" : parent.get_name() + ' ';
  commands_.push_back({command, group + name, std::move(work)});
  return *command;
}

CLI::App& Commands::add_talk(CLI::App& parent, const char* name, const char* description, Talk talk) {
  CLI::App& command = add(parent, name, description, [this, talk = std::move(talk)](const Surroundings& s) {
    const GatewayClient gateway(where_.socket.empty() ? s.store / kSocketName : where_.socket);
    try {
      return talk(gateway, s);
    } catch (const Json::exception& error) {
      return Result<int>(
          fail(Errc::corrupt, "the gateway's answer is not as expected ({}); is it of another version?", error.what()));
    }
  });
  command.add_option("--socket", where_.socket, "Where the gateway listens, instead of a configuration")
      ->option_text(std::string("PATH [") + kSocketName + " in the storage folder]");
  return command;
}

void Commands::add_live(CLI::App& program) {
  const auto looked = std::make_shared<StatusOptions>();
  CLI::App& status_command =
      add_talk(program, "status", "Say how the gateway is: its store, sources, uplinks, alerts.",
               [looked](const GatewayClient& g, const Surroundings&) { return status(*looked, g); });
  status_command.add_flag("--json", looked->json, kJson);
  status_command.footer(
      "Exit code 0: all is well; 2: the store, a source or an uplink is degraded or down; 3: all of them are well, and "
      "an\n"
      "alert calls for somebody; 1: there is no answer.");

  const auto listed = std::make_shared<AlertsOptions>();
  CLI::App& alerts_command =
      add_talk(program, "alerts", "List the alerts that stand; what was stored of them: report.",
               [listed](const GatewayClient& g, const Surroundings&) { return list_alerts(*listed, g); });
  alerts_command.require_subcommand(0, 1);
  alerts_command.add_option("--rule", listed->rule, "Those of this rule")->option_text("NAME");
  alerts_command.add_option("--severity", listed->severity, "Those of this severity and worse")
      ->option_text("info|warning|high|critical");
  alerts_command.add_flag("--unacknowledged", listed->unacknowledged, "Those that nobody has acknowledged yet");
  alerts_command.add_flag("--json", listed->json, kJson);
}

void Commands::add_wishes(CLI::App& program) {
  const auto add_wish = [&](const char* name, const char* description, auto what) {
    const auto wish = std::make_shared<WishOptions>();
    CLI::App& command = add_talk(program, name, description,
                                 [wish, what](const GatewayClient& g, const Surroundings&) { return what(*wish, g); });
    command.add_option("alert", wish->alert, "As `tidegate alerts` has it")->required()->option_text("ALERT");
    command.add_option("--by", wish->who, "Who asks for it")->option_text("NAME [the user who runs this]");
    command.add_flag("--json", wish->json, kJson);
    return std::pair(&command, wish);
  };
  const auto [ack_command, acknowledged] = add_wish("ack", "Acknowledge an alert: somebody has seen it.", acknowledge);
  ack_command->add_option("--note", acknowledged->note, "What is done about it")->option_text("TEXT");

  const auto [shelve_command, shelved] =
      add_wish("shelve", "Have nobody called for an alert for a time, whatever it does.", shelve);
  shelve_command->add_option("--for", shelved->lasts, "For so long: 1m to 30d")->option_text("DURATION");
  shelve_command->add_flag("--out-of-service", shelved->out_of_service, "Until somebody ends it, instead");
  shelve_command->add_option("--why", shelved->why, "The reason, for whoever comes next")
      ->required()
      ->option_text("TEXT");
  shelve_command->footer("For example:  tidegate shelve boiler-overheating:boiler1 --for 2h --why 'valve is changed'");

  add_wish("unshelve", "End a shelving before its time.", unshelve);

  const auto [comment_command, commented] =
      add_wish("comment", "Say something of an alert, for whoever comes next.", comment);
  comment_command->add_option("text", commented->note, "What was found, or done")->required()->option_text("TEXT");
}

void Commands::add_points(CLI::App& program) {
  const auto listed = std::make_shared<PointsOptions>();
  CLI::App& points_command =
      add_talk(program, "points", "List the points of devices that may be set, and to what.",
               [listed](const GatewayClient& g, const Surroundings&) { return list_points(*listed, g); });
  points_command.add_flag("--json", listed->json, kJson);

  const auto wish = std::make_shared<WriteOptions>();
  CLI::App& write_command =
      add_talk(program, "write", "Set a point of a device, and read it back.",
               [wish](const GatewayClient& g, const Surroundings&) { return write_point(*wish, g); });
  write_command.add_option("series", wish->series, "The point, as `tidegate points` has it")->required();
  write_command.add_option("value", wish->value, "As it is to be shown: 21.5, on, running")->required();
  write_command.add_option("--why", wish->why, "The reason, for the audit")->option_text("TEXT");
  write_command.add_option("--by", wish->who, "Who asks for it")->option_text("NAME [the user who runs this]");
  write_command.add_flag("--yes", wish->yes, "Do not ask whether this is meant");
  write_command.add_flag("--json", wish->json, kJson);
  write_command.footer("For example:  tidegate write boiler1/setpoint 62 --why 'legionella flush'");
}

void Commands::add_watching(CLI::App& program) {
  const auto tapped = std::make_shared<TapOptions>();
  CLI::App& tap_command =
      add_talk(program, "tap", "Print values as they come, a line each, until Ctrl-C.",
               [tapped](const GatewayClient& g, const Surroundings& s) { return tap(*tapped, g, s); });
  tap_command.add_option("pattern", tapped->patterns, kPatterns)->required()->option_text("PATTERN...");
  tap_command.add_option("--count", tapped->count, "So many lines")->option_text("N [no end]");
  tap_command.add_option("--for", tapped->lasts, "For so long")->option_text("DURATION [no end]");
  tap_command.add_flag("--json", tapped->json, "One JSON object a line, for programs");
  tap_command.footer(
      "Of a series that speaks more often than four times a second the latest values; `tidegate query` has every one.");

  const auto watched = std::make_shared<TopOptions>();
  CLI::App& top_command =
      add_talk(program, "top", "Show what comes in, the busiest series first, until Ctrl-C.",
               [watched](const GatewayClient& g, const Surroundings& s) { return top(*watched, g, s); });
  top_command.add_option("--every", watched->every, "Time between two looks, over which rates are taken")
      ->option_text("DURATION [2s]");
  top_command.add_option("--limit", watched->limit, "So many series")->option_text("N [what the screen takes]");
  top_command.add_flag("--once", watched->once, "Only once");
  top_command.add_flag("--json", watched->json, "One JSON document a look, each on a line, for programs");

  const auto reloaded = std::make_shared<ReloadOptions>();
  CLI::App& reload_command = add_talk(
      program, "reload", "Have the gateway take its configuration over from the disk; what did not change goes on.",
      [reloaded](const GatewayClient& g, const Surroundings&) { return reload(*reloaded, g); });
  reload_command.add_flag("--json", reloaded->json, kJson);
  reload_command.footer("Exit code 78: it is wrong; every problem is told, and nothing was changed.");
}

void Commands::add_reading(CLI::App& program) {
  const auto asked = std::make_shared<QueryOptions>();
  CLI::App& query_command =
      add(program, "query", "Print stored samples, or what they come to a minute, an hour, a day.",
          [asked](const Surroundings& s) { return query(*asked, s); });
  query_command.add_option("pattern", asked->patterns, kPatterns)->required()->option_text("PATTERN...");
  add_range(query_command, asked->from, asked->to, "-1h", "now");
  query_command
      .add_option("--resolution", asked->resolution,
                  "Instead of the samples: count, min, max, mean, first and last of each 10s, 5m, 1h, 1d")
      ->option_text("DURATION");
  add_answer_format(query_command, asked->format);
  query_command.footer("For example:  tidegate query '+/temperature' --from -24h --resolution 1h");

  const auto statement = std::make_shared<SqlOptions>();
  CLI::App& sql_command =
      add(program, "sql",
          "Ask what is stored in SQL. Tables: samples(series, time, value, quality, label, and when "
          "named reason, unix) and series(name, kind, unit, source, labels).",
          [statement](const Surroundings& s) { return sql(*statement, s); });
  sql_command.add_option("statement", statement->statement, "One SELECT, in quotes")
      ->required()
      ->option_text("\"SELECT ...\"");
  add_answer_format(sql_command, statement->format);
  sql_command.footer(
      "For example:  tidegate sql \"SELECT series, max(value) FROM samples WHERE time > '-1h' GROUP BY series\"\n"
      "A condition on series (=, IN, GLOB, LIKE) or time (<, >, BETWEEN) reads only what it asks for.");

  const auto exported = std::make_shared<ExportOptions>();
  CLI::App& export_command = add(program, "export", "Write all samples, or those of a pattern, to standard output.",
                                 [exported](const Surroundings& s) { return export_samples(*exported, s); });
  exported->patterns = {"#"};
  export_command.add_option("pattern", exported->patterns, kPatterns)->option_text("PATTERN... [all]");
  add_range(export_command, exported->from, exported->to, "oldest", "newest");
  add_format(export_command, exported->format, kExportFormats);
  export_command.footer("For example:  tidegate export --format csv --from -7d | gzip > week.csv.gz");
}

void Commands::add_records(CLI::App& program) {
  CLI::App* group = program.add_subcommand("config", "The configurations that this gateway ran with: log, show.");
  group->require_subcommand(1);
  const auto listed = std::make_shared<RecordsOptions>();
  CLI::App& log_command = add(*group, "log", "List them: since when each was in force, and how it came.",
                              [listed](const Surroundings& s) { return config_log(*listed, s); });
  add_answer_format(log_command, listed->format);

  const auto shown = std::make_shared<ShowOptions>();
  CLI::App& show_command = add(*group, "show", "Print one of them as its files were.",
                               [shown](const Surroundings& s) { return config_show(*shown, s); });
  show_command.add_option("number", shown->number, "As `config log` has it")->option_text("NUMBER [newest]");
  show_command.footer("What changed:  diff <(tidegate config show 3) <(tidegate config show 4)");

  const auto audited = std::make_shared<RecordsOptions>();
  CLI::App& audit_command =
      add(program, "audit",
          "List who did what. Exit code 65 where an entry is not as it was written, or others are missing before it.",
          [audited](const Surroundings& s) { return audit(*audited, s); });
  add_answer_format(audit_command, audited->format);
}

void Commands::add_snapshots(CLI::App& program) {
  CLI::App* group = program.add_subcommand("snapshots", "The samples that rules kept around their alerts: list, show.");
  group->require_subcommand(1);
  const auto listed = std::make_shared<SnapshotsOptions>();
  CLI::App& list_command = add(*group, "list", "List them, the oldest first: of which alert, of what time, how much.",
                               [listed](const Surroundings& s) { return list_snapshots(*listed, s); });
  add_answer_format(list_command, listed->format);

  const auto shown = std::make_shared<SnapshotOptions>();
  CLI::App& show_command = add(*group, "show", "Print the samples of one.",
                               [shown](const Surroundings& s) { return show_snapshot(*shown, s); });
  show_command.add_option("id", shown->id, "As `snapshots list` has it")->required()->option_text("ID");
  add_answer_format(show_command, shown->format);
}

void Commands::add_store(CLI::App& program) {
  CLI::App* group = program.add_subcommand("store", "Look after what is stored: check, stats, salvage.");
  group->require_subcommand(1);
  add(*group, "check", "Read all that is stored and name every damage: exit code 0, or 65 where there is any.",
      store_check);
  add(*group, "stats", "Say how much is stored, how large it is, who has read how far and what it costs the card.",
      store_stats);
  add(*group, "salvage",
      "While the gateway is stopped: put what can be read of damaged files into new ones, and say what is lost. The "
      "newest two damaged ones are kept as *.corrupt-<time>.",
      store_salvage);
}

void Commands::add_copying(CLI::App& program) {
  const auto made = std::make_shared<BackupOptions>();
  CLI::App& backup_command =
      add(program, "backup", "Copy all that is stored to a new folder; the gateway may run, and goes on meanwhile.",
          [made](const Surroundings& s) { return backup(*made, s); });
  backup_command.add_option("folder", made->folder, "The backup: a folder that is not there yet")
      ->required()
      ->option_text("FOLDER");
  backup_command.footer(
      "A backup is a storage folder like the gateway's own, so every other command reads it with --data FOLDER.\n"
      "For example:  tidegate backup /mnt/usb/$(date +%F)");

  const auto from = std::make_shared<RestoreOptions>();
  CLI::App& restore_command =
      add(program, "restore", "Put a backup into the storage folder; a gateway that runs takes it and goes on.",
          [from](const Surroundings& s) { return restore(*from, s); });
  restore_command.add_option("folder", from->folder, "What `tidegate backup` made")->required()->option_text("FOLDER");
  restore_command.add_flag("--force", from->force, "Where there is data already: set it aside as replaced-<time>/");
  restore_command.footer("For example:  tidegate restore --force /mnt/usb/2026-03-01");
}

void Commands::add_resetting(CLI::App& program) {
  const auto wish = std::make_shared<ResetOptions>();
  CLI::App& command =
      add_talk(program, "factory-reset",
               "Wipe all that the gateway has stored, its users, secrets and configuration: the box as it came.",
               [this, wish](const GatewayClient& g, const Surroundings& s) {
                 return factory_reset(
                     *wish, g, [this](const auto&) { return store(); }, s);
               });
  command.remove_option(command.get_option("--socket"));  // the folder of a socket is none to be wiped
  command.add_flag("--yes", wish->yes, "Do not ask whether this is meant");
  command.add_flag("--finish", wish->finish, "Only what was begun and cut off; nothing where nothing was");
  command.add_flag("--json", wish->json, kJson);
  command.parse_complete_callback([this, wish, &command] {
    if (wish->finish) find_store_ = find_pending_;
    wish->configuration = command.count("--data") == 0 || command.count("--config") > 0 || wish->finish;
  });
  command.footer(
      "Where a gateway runs, it does this itself. With --data alone and no gateway that runs, the configuration "
      "stays.");

  const auto asked = std::make_shared<ResetCodeOptions>();
  CLI::App& code_command =
      add_talk(program, "reset-code",
               "Print the code with which an admin who is elsewhere resets the gateway, once and within the hour.",
               [asked](const GatewayClient& g, const Surroundings&) { return reset_code(*asked, g); });
  code_command.add_flag("--json", asked->json, kJson);
}

}  // namespace tidegate::tools
