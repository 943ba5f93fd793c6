#include "tests/support/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace tidegate::test {
namespace {

void must_run(std::vector<std::string> command) {
  const std::string what = command.at(0);
  const Finished finished = run(std::move(command));
  if (finished.status != 0) throw std::runtime_error(what + " failed: " + finished.output);
}

constexpr int kYear = 366, kShort = 2;

std::vector<std::string> make_certificate(const std::string& subject, int days,
                                          const std::filesystem::path& certificate, const std::filesystem::path& key) {
  return {"openssl",
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          "-days",
          std::to_string(days),
          "-subj",
          "/CN=" + subject,
          "-out",
          certificate,
          "-keyout",
          key};
}

}  // namespace

Certificates::Certificates(const std::filesystem::path& directory, int days) : directory_(directory) {
  ca = directory / "ca.pem";
  stranger_ca = directory / "stranger.pem";
  must_run(make_certificate("Tidegate test CA", 2 * kYear, ca, directory / "ca.key"));
  must_run(make_certificate("A stranger's CA", 2 * kYear, stranger_ca, directory / "stranger.key"));
  renew(days);
  issue("elsewhere", "DNS:elsewhere.example", kShort, elsewhere, elsewhere_key);
  issue("client", "DNS:client.example", kYear, client, client_key);
}

void Certificates::renew(int days) {
  issue("server", "IP:127.0.0.1,DNS:localhost", std::max(days, 1), server, server_key);
  if (days > 0) return;
  const std::string request = directory_ / "server.csr";  // `req` makes none that has ended, `x509` does
  must_run({"openssl", "x509", "-x509toreq", "-copy_extensions", "copyall", "-in", server, "-signkey", server_key,
            "-out", request});
  must_run({"openssl", "x509", "-req", "-copy_extensions", "copyall", "-in", request, "-days", "-1", "-CA", ca,
            "-CAkey", directory_ / "ca.key", "-out", server});
}

void Certificates::issue(const std::string& name, const std::string& san, int days, std::filesystem::path& certificate,
                         std::filesystem::path& key) {
  certificate = directory_ / (name + ".pem");
  key = directory_ / (name + ".key");
  auto command = make_certificate(name, days, certificate, key);
  for (const std::string& word : {std::string("-CA"), ca.string(), std::string("-CAkey"),
                                  (directory_ / "ca.key").string(), std::string("-addext"), "subjectAltName=" + san,
                                  std::string("-addext"), std::string("basicConstraints=critical,CA:FALSE")}) {
    command.push_back(word);
  }
  must_run(command);
}

Broker::Broker(BrokerOptions options) : options_(std::move(options)) {
  if (options_.tls) certificates_ = std::make_unique<Certificates>(directory_.path(), options_.days);
  if (!options_.user.empty()) {
    directory_.write("passwords", "");
    must_run({"mosquitto_passwd", "-b", directory_ / "passwords", options_.user, options_.password});
  }
  // Another test may take the port between its choice and the broker's bind: then choose again.
  for (int attempt = 1; port_ == 0; ++attempt) {
    port_ = free_port();
    if (options_.websockets) websocket_port_ = free_port();
    try {
      start();
    } catch (const std::runtime_error&) {
      if (attempt == 5) throw;
      port_ = 0;
    }
  }
}

Broker::~Broker() { stop(); }

std::string Broker::url() const { return fmt::format("{}://127.0.0.1:{}", options_.tls ? "mqtts" : "mqtt", port_); }

std::string Broker::websocket_url() const {
  return fmt::format("{}://127.0.0.1:{}", options_.tls ? "wss" : "ws", websocket_port_);
}

std::string Broker::configuration() const {
  std::string text = fmt::format("listener {} 127.0.0.1\nuser root\nlog_dest stderr\nset_tcp_nodelay true\n", port_);
  text += "max_queued_messages 100000\nsys_interval 1\n";
  if (options_.user.empty()) {
    text += "allow_anonymous true\n";
  } else {
    text += fmt::format("allow_anonymous false\npassword_file {}\n", (directory_ / "passwords").string());
  }
  std::string tls;
  if (options_.tls) {
    const auto& c = *certificates_;
    tls = fmt::format("cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate {}\n", c.ca.string(),
                      (options_.wrong_host ? c.elsewhere : c.server).string(),
                      (options_.wrong_host ? c.elsewhere_key : c.server_key).string(),
                      options_.require_client_certificate);
  }
  text += tls;
  if (options_.websockets) text += fmt::format("listener {} 127.0.0.1\nprotocol websockets\n{}", websocket_port_, tls);
  if (options_.persistence) {
    text += fmt::format("persistence true\npersistence_location {}/\n", directory_.path().string());
  }
  for (const auto& line : options_.lines) text += line + "\n";
  return text;
}

void Broker::start() {
  const auto file = directory_.write("mosquitto.conf", configuration());
  process_ = std::make_unique<Process>(std::vector<std::string>{"mosquitto", "-c", file});
  // The port alone would not do: another process may hold it while ours is about to give up.
  const bool up =
      eventually([&] { return !process_->running() || wait_for_port(port_, std::chrono::milliseconds(0)); });
  if (!up || !process_->wait_for_output(" running")) {
    const std::string said = process_->output();
    process_.reset();
    throw std::runtime_error("mosquitto does not start: " + said);
  }
}

void Broker::stop() {
  if (process_) process_->terminate();
}

void Broker::renew(int days) {
  certificates_->renew(days);
  ::kill(pid(), SIGHUP);
}

void Broker::kill() {
  if (process_) process_->kill();
}

std::vector<std::string> Broker::client(const std::string& program) const {
  std::vector<std::string> command = {program, "-h", "127.0.0.1", "-p", std::to_string(port_)};
  const auto add = [&](const std::string& option, const std::string& value) {
    command.push_back(option);
    command.push_back(value);
  };
  if (!options_.user.empty()) {
    add("-u", options_.user);
    add("-P", options_.password);
  }
  if (options_.tls) {
    add("--cafile", certificates_->ca.string());
    if (options_.wrong_host) command.push_back("--insecure");
    if (options_.require_client_certificate) {
      add("--cert", certificates_->client.string());
      add("--key", certificates_->client_key.string());
    }
  }
  return command;
}

void Broker::publish(const std::string& topic, const std::string& payload, int qos, bool retain) {
  auto command = client("mosquitto_pub");
  for (const std::string& word : {std::string("-t"), topic, std::string("-q"), std::to_string(qos)})
    command.push_back(word);
  if (retain) command.push_back("-r");
  if (payload.empty()) {
    command.push_back("-n");
  } else if (payload.size() < 64 * 1024 && payload.find('\0') == std::string::npos) {
    command.push_back("-m");
    command.push_back(payload);
  } else {
    command.push_back("-f");
    command.push_back(directory_.write("payload", payload));
  }
  must_run(std::move(command));
}

std::unique_ptr<Process> Broker::subscribe(const std::string& filter, const std::vector<std::string>& arguments) {
  auto command = client("mosquitto_sub");
  command.insert(command.begin(), {"stdbuf", "-oL"});  // into a pipe it would hold its lines back
  for (const char* word : {"-d", "-F", "%t %p", "-t"}) command.emplace_back(word);
  command.push_back(filter);
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto process = std::make_unique<Process>(std::move(command));
  if (!process->wait_for_output("Subscribed (mid")) throw std::runtime_error("mosquitto_sub: " + process->output());
  return process;
}

}  // namespace tidegate::test
