#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

/// The real program with a configuration of its own, on a loopback port that it keeps over restarts.
class GatewayProcess {
 public:
  /// `program` is the path of tidegate; `configuration` the text of its tidegate.yaml.
  GatewayProcess(std::filesystem::path program, std::string_view configuration,
                 std::map<std::string, std::string> environment = {});

  /// Returns once /healthz answers; throws with its output when it does not.
  void start();
  /// The same without waiting.
  void launch();
  void kill() { process_->kill(); }
  /// SIGTERM; the exit status.
  int stop() { return process_->terminate(); }
  /// Rewrites the configuration and sends SIGHUP.
  void reload(std::string_view configuration);

  int port() const { return port_; }
  Process& process() { return *process_; }
  std::filesystem::path data() const { return directory_ / "data"; }
  const TempDir& directory() const { return directory_; }

  /// The body of a GET; empty when nobody answers.
  std::string get(const std::string& path) const;
  /// The value of a line of /metrics, or -1.
  double metric(const std::string& name) const;

 private:
  std::filesystem::path program_;
  TempDir directory_;
  std::map<std::string, std::string> environment_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace tidegate::test
