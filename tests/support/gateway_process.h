#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/sse_client.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

/// The real program with a configuration of its own, on a loopback port that it keeps over restarts.
class GatewayProcess {
 public:
  /// Where it listens, and what is spoken there.
  struct Address {
    std::string text = "127.0.0.1";
    RawConnection::By by = RawConnection::By::plain;
  };
  /// 127.0.0.1 by a name that the program does not know for loopback, and so takes for one that others reach.
  static constexpr const char* kForOthers = "[::ffff:127.0.0.1]";

  /// `program` is the path of tidegate; `configuration` the text of its tidegate.yaml.
  GatewayProcess(std::filesystem::path program, std::string_view configuration,
                 std::map<std::string, std::string> environment = {})
      : GatewayProcess(std::move(program), configuration, std::move(environment), Address{}) {}
  GatewayProcess(std::filesystem::path program, std::string_view configuration,
                 std::map<std::string, std::string> environment, Address address);

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

  /// Of the machine's own user, who may do everything: by the socket.
  HttpClient http() const { return HttpClient(data() / "tidegate.sock"); }
  SseClient viewer(const std::string& last_event_id = {}) const {
    return SseClient(data() / "tidegate.sock", {.last_event_id = last_event_id});
  }
  /// For who comes by the port: a new API token, as a header with its CRLF.
  std::string authorization(const std::string& role = "viewer") const;
  /// The body of a GET; empty when nobody answers.
  std::string get(const std::string& path) const;
  /// The value of a line of /metrics, or -1.
  double metric(const std::string& name) const;

 private:
  bool answers() const;

  std::filesystem::path program_;
  TempDir directory_;
  std::map<std::string, std::string> environment_;
  Address address_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace tidegate::test
