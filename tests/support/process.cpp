#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace tidegate::test {
namespace {

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  const std::string folders =
      std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const auto candidate = std::filesystem::path(folders.substr(begin, end - begin)) / name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
    begin = end + 1;
  }
  throw std::runtime_error("no program '" + name + "' in PATH; is its package installed?");
}

std::vector<std::string> merged(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!extra.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : extra) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int number_of(const char* variable, int usual) {
  const char* asked = std::getenv(variable);
  return asked != nullptr ? std::stoi(asked) : usual;
}

}  // namespace

int kills(int usual) { return number_of("TIDEGATE_KILLS", usual); }
int flaps(int usual) { return number_of("TIDEGATE_FLAPS", usual); }
int seeds(int usual) { return number_of("TIDEGATE_CAMPAIGN_SEEDS", usual); }
int first_seed() { return number_of("TIDEGATE_CAMPAIGN_FIRST", 0); }

Process::Process(std::vector<std::string> command, const std::map<std::string, std::string>& environment) {
  const std::string program = find_program(command.at(0));
  // Everything that allocates stands before fork(): only async-signal-safe calls may follow it in the child.
  auto variables = merged(environment);
  auto argv = pointers(command);
  auto envp = pointers(variables);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execve(program.c_str(), argv.data(), envp.data());
    _exit(127);
  }
  close(ends[1]);
  reader_ = std::jthread([this, fd = ends[0]] { collect(fd); });
}

Process::~Process() { kill(); }

void Process::collect(int fd) {
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    const std::scoped_lock lock(mutex_);
    if (count > 0) output_.append(buffer.data(), static_cast<std::size_t>(count));
    ended_ = count <= 0;
    changed_.notify_all();
    if (ended_) break;
  }
  close(fd);
}

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Process::kill() {
  signal(SIGKILL);
  while (!wait(std::chrono::seconds(1))) {
  }
}

int Process::terminate(Milliseconds patience) {
  signal(SIGTERM);
  if (!wait(patience)) kill();
  return *status_;
}

std::optional<int> Process::wait(Milliseconds patience) {
  if (eventually([this] { return !running(); }, patience)) wait_for_end_of_output();
  return status_;
}

void Process::wait_for_end_of_output() const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(5), [this] { return ended_; });
}

bool Process::running() {
  if (status_) return false;
  int raw = 0;
  const pid_t reaped = waitpid(pid_, &raw, WNOHANG);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) return true;
  status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  return false;
}

std::string Process::output() const {
  const std::scoped_lock lock(mutex_);
  return output_;
}

bool Process::wait_for_output(const std::string& text, Milliseconds patience) const {
  std::unique_lock lock(mutex_);
  const auto found = [&] { return output_.find(text) != std::string::npos; };
  changed_.wait_for(lock, patience, [&] { return found() || ended_; });
  return found();
}

Finished run(std::vector<std::string> command, const std::map<std::string, std::string>& environment,
             std::chrono::milliseconds patience) {
  Process process(std::move(command), environment);
  if (!process.wait(patience)) process.kill();
  const int status = *process.wait(patience);
  return {status, process.output()};
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

bool wait_for_port(int port, std::chrono::milliseconds patience) {
  return eventually(
      [port] {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(port);
        const bool open = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        close(fd);
        return open;
      },
      patience);
}

}  // namespace tidegate::test
