#include "gateway/app/settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "dashboard/security_txt.h"
#include "drivers/registry.h"
#include "gateway/app/point_writer.h"
#include "gateway/core/text.h"
#include "gateway/uplink/uplink.h"
#include "rules/derived.h"
#include "rules/engine.h"
#include "rules/rule.h"

namespace tidegate::app {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::Shape;
using namespace std::chrono_literals;

std::string check_endpoint(std::string_view text) {
  if (parse_endpoint(text)) return "";
  return fmt::format("'{}' is not an address and a port, such as 127.0.0.1:8080 or [::]:8080", printable(text));
}

Shape gateway_shape() {
  return Shape::object(
      "Who this gateway is.",
      {defaulted("name", Shape::text(), "\"\"", "Its name upstream and on the page; the machine's name by default."),
       defaulted("site", Shape::text(), "\"\"", "Where it stands, as people say it."),
       defaulted("demo", Shape::boolean(), "false", "Marks the page as a demonstration.")});
}

Shape http_shape() {
  return Shape::object(
      "The dashboard and the HTTP interface.",
      {defaulted("listen", Shape::text_where("address:port", check_endpoint), "0.0.0.0:8080",
                 "Where to listen: plain HTTP on loopback, TLS elsewhere."),
       defaulted(
           "profile", Shape::choice({"tls", "lan-http"}), "tls",
           "tls: what others reach is encrypted, and plain HTTP only leads there. lan-http: nothing is encrypted, "
           "and the page always says so."),
       optional("certificate", Shape::path(),
                "PEM file of a certificate of your own, those that lead to its root behind it. Without one the gateway "
                "makes its own."),
       optional("key", Shape::path(), "PEM file of its private key, without a password."),
       defaulted("hosts", Shape::list(Shape::text(), 64), "[]",
                 "Names that browsers reach this gateway by, beside its addresses, its own name and *.local."),
       optional("security_contact", Shape::text_where("a contact", dashboard::contact_problem),
                "Whom to tell of a weakness of this gateway, as mailto:, https:// or tel:. Served as "
                "/.well-known/security.txt; without it there is none."),
       defaulted("max_streams", Shape::integer(1, 10'000), "64", "Browsers that may watch live at the same time."),
       defaulted("max_streams_per_address", Shape::integer(1, 10'000), "16",
                 "Of them from one address; more where all come through one proxy.")});
}

/// The log's part of storage.max_size, as a divisor.
constexpr std::uint64_t kLogShare = 4;
/// The most of it for snapshots, which are in the log's part, likewise.
constexpr std::uint64_t kSnapshotShare = 16;

/// Whatever is not written is as much as there may be.
std::uint64_t max_snapshots(const Node& storage, Problems& problems) {
  const Node& written = storage["max_snapshots"];
  const std::uint64_t most = storage.bytes("max_size") / kSnapshotShare;
  if (!written.is_default && written.bytes() > most) {
    problems.add(written.at, fmt::format("at most a sixteenth of max_size may be for snapshots: of {} that is {}B",
                                         storage["max_size"].text, most));
  }
  return std::min(written.bytes(), most);
}

journal::WhenFull when_full_of(std::string_view name) {
  if (name == "thin") return journal::WhenFull::thin;
  return name == "reject" ? journal::WhenFull::reject : journal::WhenFull::drop_oldest;
}

Shape storage_shape() {
  return Shape::object(
      "The journal: where samples, alerts and the upstream backlog are kept.",
      {defaulted("path", Shape::path(), kUsualStorage, "The folder of journal.db and history."),
       defaulted("retention", Shape::duration(1h, 24h * 3660), "30d",
                 "Samples older than this go, a day at a time; their hours and days are kept for ten years."),
       defaulted("max_size", Shape::size(8ull << 20, 1ull << 44), "1GiB",
                 "Samples give way beyond it. A quarter of it is for the log, which holds the upstream backlog."),
       defaulted(
           "when_full", Shape::choice({"drop_oldest", "thin", "reject"}), "drop_oldest",
           "What gives way at max_size: the oldest samples; nine in ten of them (their minutes and hours stay); or "
           "new ones. Alerts never do."),
       defaulted(
           "endurance", Shape::size(1ull << 30, 1ull << 60), "5000GB",
           "What may be written to the card in its life, by its data sheet (\"TBW\"): for the estimate of that life."),
       defaulted("max_events", Shape::integer(1'000, 10'000'000), "200000",
                 "Alert transitions and other events kept; metrics never push them out."),
       defaulted("max_snapshots", Shape::size(64u << 10, 1ull << 44), "16MiB",
                 "Samples that rules keep around their alerts (snapshot); the oldest snapshot's give way beyond it. At "
                 "most a sixteenth of max_size."),
       defaulted("max_series", Shape::integer(10, 1'000'000), "50000", "Series in all."),
       defaulted("commit_every", Shape::duration(20ms, 30s), "200ms",
                 "Samples reach the disk at least this often; alerts at once.")});
}

std::string machine_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "tidegate";
  return name;
}

/// One is nothing without the other.
void check_pair(const Node& http, Problems& problems) {
  if (http.has("certificate") == http.has("key")) return;
  const bool lacks_key = http.has("certificate");
  problems.add(http[lacks_key ? "certificate" : "key"].at,
               fmt::format("http.{} needs http.{}: give both, or neither", lacks_key ? "certificate" : "key",
                           lacks_key ? "key" : "certificate"));
}

const Node& section(const Node& root, std::string_view key) {
  static const Node kNone;
  const Node* found = root.find(key);
  return found == nullptr ? kNone : *found;
}

/// The enabled items of a list of named sections; a name used twice is a problem that tells of both places. An item
/// that check() refused is passed over: its problems are told already.
std::vector<Node> named_sections(const Node& list, std::string_view what, Problems& problems) {
  std::vector<Node> enabled;
  std::map<std::string, config::Mark> seen;
  for (const Node& item : list.items) {
    const Node* name = item.find("name");
    if (name == nullptr || name->refused) continue;
    if (const auto [at, is_new] = seen.emplace(name->text, name->at); !is_new) {
      problems.add(name->at, fmt::format("another {} is called '{}' already, at {}:{}: give each its own name", what,
                                         name->shown(), *at->second.file, at->second.line));
      continue;
    }
    if (item.sound() && item.boolean("enabled")) enabled.push_back(item);
  }
  return enabled;
}

/// A name that the gateway itself has among the items.
void check_taken(const Node& list, std::string_view taken, std::string_view why, Problems& problems) {
  for (const Node& item : list.items) {
    const Node* name = item.find("name");
    if (name == nullptr || name->refused || name->text != taken) continue;
    problems.add(name->at, fmt::format("'{}' is {}", taken, why));
  }
}

/// What rules publish goes to an uplink that is there, though it may be out of use, and that publishes such things.
void check_publish(const Node& rules, const Node& uplinks, Problems& problems) {
  std::map<std::string, const Node*> by_name;
  for (const Node& uplink : uplinks.items) {
    const Node& name = section(uplink, "name");
    if (!name.refused && !name.is_null()) by_name.emplace(name.text, &uplink);
  }
  std::vector<std::string> names;
  for (const auto& [name, uplink] : by_name) names.push_back(name);
  for (const Node& rule : rules.items) {
    for (const Node& item : section(rule, "publish").items) {
      const Node& to = section(item, "to");
      if (to.refused || to.is_null()) continue;
      const auto found = by_name.find(to.string());
      if (found == by_name.end()) {
        problems.add(to.at, fmt::format("there is no uplink '{}'{}; what a rule publishes goes to one of type {}",
                                        to.shown(), did_you_mean(to.string(), names), uplink::kMessagesType));
      } else if (const Node& type = section(*found->second, "type");
                 !type.refused && type.string() != uplink::kMessagesType) {
        problems.add(to.at, fmt::format("uplink '{}' is of type {}: what a rule publishes goes to one of type {}",
                                        to.shown(), type.shown(), uplink::kMessagesType));
      }
    }
  }
}

/// Before the check: where it says nothing that can be read, the usual one.
std::filesystem::path storage_path(const Node& root, const std::filesystem::path& folder) {
  const Node* written = section(root, "storage").find("path");
  const bool is_text = written != nullptr && written->kind == Node::Kind::scalar && !written->text.empty();
  return is_text ? folder / written->text : std::filesystem::path(kUsualStorage);
}

std::string left_out(const std::string& why) {
  return fmt::format("{}; what is edited in the gateway is left out here: try it with sudo", why);
}

/// A file of these that is damaged turns nothing off: a rule that watches too much does less harm than none.
std::vector<RuleOff> read_rules_off(Settings& settings, const Reading& reading) {
  const std::filesystem::path file = settings.storage.directory / kRulesOffFile;
  const auto text = reading.references.read_file(file);
  if (!text) {
    if (text.error().code != Errc::not_found) settings.notices.push_back(left_out(text.error().text));
    return {};
  }
  settings.texts.emplace(kRulesOffText, *text);
  Problems wrong;
  auto off = parse_rules_off(*text, file.string(), wrong);
  for (const config::Problem& problem : wrong.sorted()) {
    settings.notices.push_back(problem.text() + "; the rule that is meant there runs");
  }
  return off;
}

void turn_off(Settings& settings, const Reading& reading) {
  for (RuleOff& one : read_rules_off(settings, reading)) {
    auto& items = settings.rules.items;
    const auto found = std::find_if(items.begin(), items.end(), [&](const Node& item) {
      const Node* name = item.find("name");
      return name != nullptr && !name->refused && name->text == one.name;
    });
    Node* enabled = found != items.end() ? found->find("enabled") : nullptr;
    if (enabled == nullptr) {
      settings.notices.push_back(fmt::format("{}: there is no rule '{}' any more; it is off as soon as there is one",
                                             config::text(one.at), printable(one.name)));
    } else if (!enabled->refused) {
      one.enabled_else = enabled->text == "true";
      enabled->text = "false";
      settings.off.push_back(std::move(one));
    }
  }
}

}  // namespace

bool is_edited(const Settings& settings, const config::Mark& at) {
  return at.file && *at.file == settings.storage.directory / kRulesFile;
}

std::string shown_file(const Settings& settings, const config::Mark& at) {
  if (!at.file) return {};
  const std::filesystem::path file = *at.file;
  if (is_edited(settings, at)) return kRulesFile;
  return file.lexically_relative(settings.file.parent_path()).string();
}

bool Endpoint::loopback() const { return address == "localhost" || address == "::1" || address.starts_with("127."); }

std::string Endpoint::text() const {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (address.starts_with('[')) {
    if (!address.ends_with(']') || address.size() < 3) return std::nullopt;
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    return std::nullopt;  // a bare IPv6 address: where its port begins is anyone's guess
  }
  int port = -1;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool whole = error == std::errc{} && end == port_text.data() + port_text.size();
  if (address.empty() || !whole || port < 0 || port > 65'535) return std::nullopt;
  return Endpoint{std::string(address), port};
}

Shape root_shape() {
  return Shape::object("The configuration of a Tidegate gateway.",
                       {defaulted("gateway", gateway_shape(), "{}", "Who this gateway is."),
                        defaulted("http", http_shape(), "{}", "The dashboard and the HTTP interface."),
                        defaulted("storage", storage_shape(), "{}", "The journal: what is kept, where and how long."),
                        defaulted("sources", Shape::list(drivers::source_shape()), "[]", "Where samples come from."),
                        defaulted("derived", Shape::list(rules::derived_shape()), "[]", "Series made of others."),
                        defaulted("rules", Shape::list(rules::rule_shape()), "[]", "What raises an alert."),
                        defaulted("uplinks", Shape::list(uplink::uplink_shape()), "[]",
                                  "Where samples and alerts are sent on to, and what rules publish.")});
}

Settings load_settings(const std::filesystem::path& file, Problems& problems, const Reading& reading) {
  Settings settings;
  settings.file = file;
  const config::Annex annex = {
      [&](const Node& root) {
        settings.storage.directory = reading.data.empty() ? storage_path(root, file.parent_path()) : reading.data;
        return settings.storage.directory / kRulesFile;
      },
      kRulesText,
      {"rules"},
      reading.as_guest ? [&](const std::string& why) { settings.notices.push_back(left_out(why)); }
                       : std::function<void(const std::string&)>()};
  const Node root = config::load(file, root_shape(), reading.references, problems, &settings.texts, &annex);
  settings.name = machine_name();
  settings.sources = named_sections(section(root, "sources"), "source", problems);
  check_taken(section(root, "sources"), rules::kDerivedSource,
              "what series are shown with that are made of others: name the source otherwise", problems);
  settings.uplinks = named_sections(section(root, "uplinks"), "uplink", problems);
  check_taken(section(root, "uplinks"), PointWriter::kName,
              "what sets the points that rules write: name the uplink otherwise", problems);
  settings.derived = section(root, "derived");
  settings.rules = section(root, "rules");
  turn_off(settings, reading);
  settings.http = section(root, "http");
  check_pair(settings.http, problems);
  check_publish(settings.rules, section(root, "uplinks"), problems);
  if (!problems.empty()) return settings;
  const Node& gateway = root["gateway"];
  if (!gateway.string("name").empty()) settings.name = gateway.string("name");
  settings.site = gateway.string("site");
  settings.demo = gateway.boolean("demo");
  const Node& http = settings.http;
  settings.listen = http.string("listen");
  settings.hosts = http["hosts"].strings();
  if (http.has("security_contact")) settings.security_contact = http.string("security_contact");
  settings.lan_http = http.string("profile") == "lan-http";
  settings.max_streams = static_cast<std::size_t>(http.integer("max_streams"));
  settings.max_streams_per_address = static_cast<std::size_t>(http.integer("max_streams_per_address"));
  const Node& storage = root["storage"];
  if (reading.data.empty()) settings.storage.directory = storage.string("path");
  settings.storage.retention = storage.duration("retention");
  settings.storage.max_bytes = storage.bytes("max_size") / kLogShare;
  settings.storage.max_history_bytes = storage.bytes("max_size") - settings.storage.max_bytes;
  settings.storage.max_events = static_cast<std::size_t>(storage.integer("max_events"));
  settings.storage.max_snapshot_bytes = max_snapshots(storage, problems);
  settings.storage.series.max_series = static_cast<std::size_t>(storage.integer("max_series"));
  settings.storage.when_full = when_full_of(storage.string("when_full"));
  settings.endurance = storage.bytes("endurance");
  settings.commit_every = storage.duration("commit_every");
  return settings;
}

Settings load_to_look(const std::filesystem::path& file, Problems& problems, const std::filesystem::path& data) {
  Settings settings = load_settings(file, problems, {.data = data, .as_guest = true});
  for (const std::string& notice : settings.notices) fmt::print(stderr, "{}\n", notice);
  return settings;
}

Result<std::filesystem::path> load_storage_path(const std::filesystem::path& file) {
  Problems problems;
  const Node root = config::load(file, root_shape(), config::References::system(), problems);
  const Node* storage = root.find("storage");
  const Node* path = storage != nullptr ? storage->find("path") : nullptr;
  const bool is_text = path != nullptr && !path->refused && path->kind == Node::Kind::scalar && !path->text.empty();
  if (is_text && (problems.empty() || !path->is_default)) return path->text;  // else who knows what the file says
  return fail(Errc::invalid, "{}{}: this tells no storage.path; --data FOLDER names the storage folder without it",
              problems.text(), file.string());
}

std::filesystem::path likely_storage_path(const std::filesystem::path& file) {
  return load_storage_path(file).value_or(kUsualStorage);
}

}  // namespace tidegate::app
