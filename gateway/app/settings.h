#pragma once

#include <filesystem>
#include <string>
#include <vector>

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
  std::string name;  ///< of the gateway; the machine's where the file says none
  std::string site;
  std::string listen;              ///< "address:port"
  std::vector<std::string> hosts;  ///< further names that the dashboard answers to
  std::size_t max_streams = 0, max_streams_per_address = 0;
  journal::Options storage;
  std::uint64_t endurance = 0;  ///< bytes that the card takes in its life
  Micros commit_every{0};
  std::vector<config::Node> sources;  ///< the enabled ones
  std::vector<config::Node> uplinks;  ///< the enabled ones
  config::Node rules;
  bool demo = false;
  config::Texts texts;  ///< of the files, as they were read
};

/// The shape of tidegate.yaml: every section, every key.
config::Shape root_shape();

/// Reads `file` and its conf.d. Look at `problems` before using what is returned.
Settings load_settings(const std::filesystem::path& file, config::Problems& problems);

/// storage.path alone: for one who only reads what is stored, a mistake elsewhere, or a secret that is not for his
/// eyes, does not matter.
Result<std::filesystem::path> load_storage_path(const std::filesystem::path& file);

/// "127.0.0.1:8080", "[::1]:0", "gateway.local:80" -> address and port; nothing for anything else.
struct Endpoint {
  std::string address;
  int port = 0;
  /// Only this machine can reach it.
  bool loopback() const;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace tidegate::app
