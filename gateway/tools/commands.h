#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/tools/surroundings.h"

namespace CLI {
class App;
}

/// The commands that look at what is stored, copy it and put it back: docs/tools.md.
namespace tidegate::tools {

/// The storage folder of a gateway, by its configuration.
using FindStore = std::function<Result<std::filesystem::path>(const std::filesystem::path& configuration)>;

class Commands {
 public:
  /// Adds them to the program's. Both arguments must outlive this.
  Commands(CLI::App& program, FindStore find_store);
  /// After the command line was parsed: the exit code of the command, or nothing where it is none of these.
  std::optional<int> run() const;

  using Work = std::function<Result<int>(const Surroundings&)>;

 private:
  struct Where {
    std::filesystem::path configuration = "/etc/tidegate/tidegate.yaml";
    std::filesystem::path data;
  };
  struct Command {
    CLI::App* options;
    std::string name;  ///< "store check"
    Work work;
  };

  // Each in options.cpp, where all that a user may type stands.
  CLI::App& add(CLI::App& parent, const char* name, const char* description, Work work);
  void add_reading(CLI::App& program);
  void add_records(CLI::App& program);
  void add_store(CLI::App& program);
  void add_copying(CLI::App& program);

  Result<std::filesystem::path> store() const;
  int run(const Command& command) const;

  const FindStore find_store_;
  Where where_;
  std::vector<Command> commands_;
};

}  // namespace tidegate::tools
