#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gateway/app/rules_off.h"
#include "gateway/config/load.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/journal/journal.h"

namespace tidegate::app {

/// The whole configuration after its check: plain values for what the program itself needs, checked sections for the
/// parts that know what to make of them.
struct Settings {
  std::filesystem::path file;  ///< tidegate.yaml
  std::string name;            ///< of the gateway; the machine's where the file says none
  std::string site;
  std::string listen;              ///< "address:port"
  std::vector<std::string> hosts;  ///< further names that the dashboard answers to
  std::string security_contact;    ///< a URI; empty: none
  bool is_data_named = false;      ///< by --data: the configuration is not this gateway's alone
  bool lan_http = false;           ///< plain HTTP also where others reach it
  config::Node http;
  std::size_t max_streams = 0, max_streams_per_address = 0;
  journal::Options storage;
  std::uint64_t endurance = 0;  ///< bytes that the card takes in its life
  Micros commit_every{0};
  std::vector<config::Node> sources;  ///< the enabled ones
  std::vector<config::Node> uplinks;  ///< the enabled ones
  config::Node rules;                 ///< of those that are off, `enabled` is false
  std::vector<RuleOff> off;           ///< those of them
  config::Node derived;               ///< series that are made of others
  bool demo = false;
  config::Texts texts;               ///< of the files, as they were read
  std::vector<std::string> notices;  ///< sentences: what is no problem, and should be known
};

/// Rules that are edited in the gateway, and those that are off, in the storage folder; their names in Settings::texts.
inline constexpr const char* kRulesFile = "rules.yaml";
inline constexpr const char* kRulesOffFile = "rules-off.yaml";
inline constexpr const char* kRulesText = "storage/rules.yaml";
inline constexpr const char* kRulesOffText = "storage/rules-off.yaml";

/// The storage folder of a configuration that names none.
inline constexpr const char* kUsualStorage = "/var/lib/tidegate";

/// How a configuration is read.
struct Reading {
  std::filesystem::path data;  ///< the storage folder, instead of storage.path
  /// Of one who may not be allowed to look into the storage folder: then he is told in `notices`, and what is edited in
  /// the gateway is left out. Else that is a problem.
  bool as_guest = false;
  config::References references = config::References::system();
};

/// The shape of tidegate.yaml: every section, every key.
config::Shape root_shape();

/// Reads `file`, its conf.d and what is edited in the gateway. Look at `problems` before using what is returned.
Settings load_settings(const std::filesystem::path& file, config::Problems& problems, const Reading& reading = {});
/// For one who only looks: as a guest, and the notices go to standard error.
Settings load_to_look(const std::filesystem::path& file, config::Problems& problems,
                      const std::filesystem::path& data = {});
/// Is it in the file of the rules that are edited in the gateway?
bool is_edited(const Settings& settings, const config::Mark& at);
/// A place's file as people know it: "conf.d/line1.yaml", beside tidegate.yaml; "rules.yaml", in the storage folder.
std::string shown_file(const Settings& settings, const config::Mark& at);

/// storage.path alone: for one who only reads what is stored, a mistake elsewhere, or a secret that is not for his
/// eyes, does not matter.
Result<std::filesystem::path> load_storage_path(const std::filesystem::path& file);
/// Where a factory reset that was begun is looked for: there, and in the usual one where the file tells none.
std::filesystem::path likely_storage_path(const std::filesystem::path& file);

/// "127.0.0.1:8080", "[::1]:0", "gateway.local:80" -> address and port; nothing for anything else.
struct Endpoint {
  std::string address;
  int port = 0;
  /// Only this machine can reach it.
  bool loopback() const;
  /// "address:port", an IPv6 address in brackets.
  std::string text() const;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace tidegate::app
