#pragma once

#include <fmt/format.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace tidegate::test {

/// libcoap's own server on loopback, with resources that its client makes. DTLS listens on the port after.
class CoapServer {
 public:
  CoapServer() : port_(free_port()) { start(); }
  int port() const { return port_; }
  void start() {
    process_ = std::make_unique<Process>(std::vector<std::string>{
        "coap-server-openssl", "-A", "127.0.0.1", "-p", std::to_string(port_), "-d", "10", "-k", "the secret"});
    // It says nothing when it is ready; a resource of its own answers then.
    if (!eventually([&] { return client({"-m", "get", url("")}).output.find("libcoap") != std::string::npos; })) {
      throw std::runtime_error("no coap-server: " + process_->output());
    }
  }
  void kill() { process_->kill(); }
  void put(const std::string& path, const std::string& payload, const std::string& type = "0") {
    client({"-m", "put", "-t", type, "-e", payload, url(path)});
  }
  void pause() { process_->signal(SIGSTOP); }
  void go_on() { process_->signal(SIGCONT); }

 private:
  std::string url(const std::string& path) const { return fmt::format("coap://127.0.0.1:{}/{}", port_, path); }
  Finished client(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"coap-client-openssl", "-B", "1"});
    return run(arguments);
  }

  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace tidegate::test
