// A configuration file of any bytes: read, checked against a shape with everything in it, shown and read again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/config/load.h"
#include "tests/gateway/config/as_yaml.h"
#include "tests/gateway/config/sample_shape.h"

using namespace tidegate;

namespace {

constexpr std::string_view kCanary = "c4n4ry";

/// Files and variables that hold the canary, and one file of secrets.
config::References references() {
  return {.environment = [](const std::string&) -> std::optional<std::string> { return std::string(kCanary); },
          .read_file = [](const std::filesystem::path&) -> Result<std::string> { return std::string(kCanary); },
          .read_private_file = [](const std::filesystem::path&) -> Result<config::References::PrivateFile> {
            return config::References::PrivateFile{"a: " + std::string(kCanary) + "\n", ""};
          }};
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const config::Shape kShape = config::sample_shape();
  const std::string_view yaml(reinterpret_cast<const char*>(bytes), size);
  const bool knows_canary = yaml.find(kCanary) != std::string_view::npos;
  config::Problems problems;
  config::Node node = config::parse(yaml, "fuzz.yaml", "/nowhere", references(), problems);
  const bool readable = problems.empty();
  config::check(node, kShape, problems);
  require(knows_canary || problems.text().find(kCanary) == std::string::npos);
  require(readable || !problems.empty());
  const std::string shown = config::as_yaml(node);
  require(knows_canary || !problems.empty() || shown.find(kCanary) == std::string::npos);
  if (problems.empty()) {
    // What is shown is YAML again, and says the same.
    config::Problems none;
    require(config::as_yaml(config::parse(shown, "shown.yaml", {}, {}, none)) == shown);
    require(none.empty());
  }
  return 0;
}
