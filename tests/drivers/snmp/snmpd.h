#pragma once

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

/// Debian's snmpd on a loopback port of its own, which it keeps over restarts. `lines` of snmpd.conf make its objects
/// (`override OID TYPE VALUE`), or count() while it runs. Communities: public; user of version 3: reader (SHA-256,
/// AES), quiet (SHA-1, no AES).
class Snmpd {
 public:
  explicit Snmpd(std::string lines) : lines_(std::move(lines)), port_(free_udp_port()) { start(); }

  int port() const { return port_; }
  std::string log() const { return process_ ? process_->output() : ""; }
  void set(std::string lines) { lines_ = std::move(lines); }
  /// The objects below kCounted, in their order, as lines "OID TYPE VALUE": they change while the agent runs on.
  static constexpr const char* kCounted = ".1.3.6.1.4.1.99999.5";
  void count(const std::string& objects) {
    const auto file = directory_.path() / "counted", fresh = directory_.path() / "counted.new";
    std::ofstream(fresh) << objects;
    std::filesystem::rename(fresh, file);
  }
  void kill() { process_->kill(); }
  void pause() { process_->signal(SIGSTOP); }
  void go_on() { process_->signal(SIGCONT); }

  void start() {
    const auto file = directory_.path() / "snmpd.conf";
    std::ofstream(file) << fmt::format(
        "agentaddress udp:127.0.0.1:{}\nrocommunity public 127.0.0.1\n"
        "createUser reader SHA-256 \"auth secret\" AES \"priv secret\"\nrouser reader priv\n"
        "createUser quiet SHA \"auth secret\"\nrouser quiet auth\n"
        "sysLocation cabinet 4\npass {} /bin/sh {}\n{}\n",
        port_, kCounted, script(), lines_);
    const auto state = (directory_.path() / "state").string();
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"snmpd", "-f", "-LO", "7", "-C", "-c", file.string()},
        std::map<std::string, std::string>{{"MIBS", ""}, {"MIBDIRS", "/nonexistent"}, {"SNMP_PERSISTENT_DIR", state}});
    if (!process_->wait_for_output("NET-SNMP version")) throw std::runtime_error("no snmpd: " + process_->output());
  }
  void restart() { kill(), start(); }

 private:
  // What snmpd runs for each question: -g asks for an object, -n for the one behind it.
  std::string script() const {
    const auto path = directory_.path() / "counted.sh";
    std::ofstream(path) << fmt::format(
        "exec awk -v how=\"$1\" -v oid=\"$2\" '\n"
        "  (how == \"-g\" ? $1 == oid : past || index($1, oid \".\") == 1) {{ print $1; print $2; print $3; exit }}\n"
        "  $1 == oid {{ past = 1 }}' {}\n",
        (directory_.path() / "counted").string());
    return path.string();
  }

  // UDP's and TCP's numbers are apart, but who listens on neither is as good.
  static int free_udp_port() { return free_port(); }

  std::string lines_;
  int port_;
  TempDir directory_;
  std::unique_ptr<Process> process_;
};

}  // namespace tidegate::test
