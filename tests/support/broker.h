#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

/// A throw-away public key infrastructure, made by openssl: a CA, certificates of it, and a stranger's CA. The server's
/// ends in so many days, its CA in a year and more.
struct Certificates {
  explicit Certificates(const std::filesystem::path& directory, int days = 2);
  /// The server's anew, for so many days from now; of none, it has ended.
  void renew(int days);

  std::filesystem::path ca;
  std::filesystem::path server, server_key;        ///< for 127.0.0.1 and localhost
  std::filesystem::path elsewhere, elsewhere_key;  ///< of the same CA, for the host elsewhere.example
  std::filesystem::path client, client_key;
  std::filesystem::path stranger_ca;

 private:
  void issue(const std::string& name, const std::string& san, int days, std::filesystem::path& certificate,
             std::filesystem::path& key);
  std::filesystem::path directory_;
};

struct BrokerOptions {
  std::string user = {};  ///< with `password`; empty: anonymous
  std::string password = {};
  bool tls = false;
  bool wrong_host = false;  ///< TLS with the certificate of another host
  int days = 2;             ///< until its certificate ends
  bool require_client_certificate = false;
  bool websockets = false;              ///< beside its own a listener for MQTT over WebSocket
  bool persistence = false;             ///< sessions and retained messages survive stop() and start()
  std::vector<std::string> lines = {};  ///< further lines of mosquitto.conf
};

/// A real Mosquitto on a loopback port of its own, which it keeps over restarts. Throws when it does not come up.
class Broker {
 public:
  explicit Broker(BrokerOptions options = {});
  ~Broker();

  int port() const { return port_; }
  /// mqtt://127.0.0.1:PORT, or mqtts:// with TLS.
  std::string url() const;
  /// ws://127.0.0.1:PORT, or wss:// with TLS.
  std::string websocket_url() const;
  const Certificates& certificates() const { return *certificates_; }  ///< with `tls` only

  pid_t pid() const { return process_->pid(); }

  void start();
  void stop();           ///< SIGTERM: saves its state with `persistence`
  void kill();           ///< SIGKILL: saves nothing
  void renew(int days);  ///< has another certificate from now on, without a restart
  void restart() { stop(), start(); }
  std::string log() const { return process_ ? process_->output() : ""; }

  /// One message from a client of the broker's own package.
  void publish(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false);
  /// A client that prints "topic payload" for each message of `filter`, ready on return.
  std::unique_ptr<Process> subscribe(const std::string& filter, const std::vector<std::string>& arguments = {});

 private:
  std::vector<std::string> client(const std::string& program) const;
  std::string configuration() const;

  BrokerOptions options_;
  TempDir directory_;
  std::unique_ptr<Certificates> certificates_;
  int port_ = 0, websocket_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace tidegate::test
