#include "tests/support/gateway_process.h"

#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace tidegate::test {

GatewayProcess::GatewayProcess(std::filesystem::path program, std::string_view configuration,
                               std::map<std::string, std::string> environment, Address address)
    : program_(std::move(program)),
      environment_(std::move(environment)),
      address_(std::move(address)),
      port_(free_port()) {
  directory_.write("tidegate.yaml", configuration);
}

void GatewayProcess::launch() {
  process_ = std::make_unique<Process>(
      std::vector<std::string>{program_, "run", "--config", directory_ / "tidegate.yaml", "--data", data(), "--listen",
                               address_.text + ":" + std::to_string(port_)},
      environment_);
}

void GatewayProcess::start() {
  launch();
  const bool up = eventually([&] { return !process_->running() || answers(); });
  if (!up || !process_->running()) throw std::runtime_error("the gateway does not come up:\n" + process_->output());
}

void GatewayProcess::reload(std::string_view configuration) {
  directory_.write("tidegate.yaml", configuration);
  process_->signal(SIGHUP);
}

/// By its port, which is the last to open.
bool GatewayProcess::answers() const {
  try {
    return HttpClient(port_, {}, address_.by).get("/healthz").status == 200;
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string GatewayProcess::authorization(const std::string& role) const {
  const HttpResponse made = http().post("/api/v1/tokens", nlohmann::json{{"name", "test"}, {"role", role}}.dump());
  if (made.status != 200) throw std::runtime_error("no token: " + made.body);
  return "Authorization: Bearer " + nlohmann::json::parse(made.body)["token"].get<std::string>() + "\r\n";
}

std::string GatewayProcess::get(const std::string& path) const {
  try {
    const HttpResponse response = http().get(path);
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
