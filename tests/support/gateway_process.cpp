#include "tests/support/gateway_process.h"

#include <csignal>
#include <stdexcept>

#include "tests/support/http_client.h"

namespace tidegate::test {

GatewayProcess::GatewayProcess(std::filesystem::path program, std::string_view configuration,
                               std::map<std::string, std::string> environment)
    : program_(std::move(program)), environment_(std::move(environment)), port_(free_port()) {
  directory_.write("tidegate.yaml", configuration);
}

void GatewayProcess::launch() {
  process_ = std::make_unique<Process>(
      std::vector<std::string>{program_, "run", "--config", directory_ / "tidegate.yaml", "--data", data(), "--listen",
                               "127.0.0.1:" + std::to_string(port_)},
      environment_);
}

void GatewayProcess::start() {
  launch();
  const bool up = eventually([&] { return !process_->running() || !get("/healthz").empty(); });
  if (!up || !process_->running()) throw std::runtime_error("the gateway does not come up:\n" + process_->output());
}

void GatewayProcess::reload(std::string_view configuration) {
  directory_.write("tidegate.yaml", configuration);
  process_->signal(SIGHUP);
}

std::string GatewayProcess::get(const std::string& path) const {
  try {
    const HttpResponse response = HttpClient(port_).get(path);
    return response.status == 200 ? response.body : "";
  } catch (const std::runtime_error&) {
    return "";  // nobody listens yet, or any more
  }
}

double GatewayProcess::metric(const std::string& name) const {
  const std::string text = "\n" + get("/metrics");
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

}  // namespace tidegate::test
