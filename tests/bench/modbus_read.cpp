// Points a second over Modbus TCP on one core: the driver's devices, from the request to the sample; beside them mbpoll
// and pymodbus' client, all against the same unit, which has a core of its own. bench_modbus [SECONDS [MBPOLL]]

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "drivers/modbus/device.h"
#include "tests/bench/modbus_server.h"
#include "tests/bench/process.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers;
using SteadyClock = std::chrono::steady_clock;

constexpr int kClientCore = 0, kServerCore = 1;

double since(SteadyClock::time_point begun) {
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

/// Takes samples and forgets them.
class Counter final : public Sink {
 public:
  Result<SeriesId> series(std::string_view, const SeriesInfo&) override { return SeriesId{next_++}; }
  Result<double> label(SeriesId, std::string_view) override { return 0; }
  Ticket push(std::span<const Sample>) override { return {}; }
  bool wait_committed(Ticket, std::stop_token) override { return true; }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view) override {}

 private:
  std::uint32_t next_ = 0;
};

void show(std::string_view who, double points, double seconds, double cpu) {
  fmt::print("{:<34} {:>10.0f} points/s, {:>10.0f} points per second of its processor\n", who, points / seconds,
             points / cpu);
}

/// 1,000 points of that type in a row.
modbus::DeviceOptions device(modbus::Type type) {
  modbus::DeviceOptions device{"d", 1, {}, {}};
  const std::uint16_t width = modbus::width({type});
  for (std::uint16_t i = 0; i < 1000; ++i) {
    modbus::PointOptions point;
    point.series = fmt::format("d/p{}", i);
    point.span = {modbus::Table::holding, static_cast<std::uint16_t>(i * width), width};
    point.format.type = type;
    point.every = std::chrono::seconds(1);
    point.value.scale.factor = 0.1;
    device.points.push_back(std::move(point));
  }
  return device;
}

bool measure_tidegate(const char* what, modbus::Type type, int port, double seconds) {
  modbus::LineOptions line;
  line.host = "127.0.0.1";
  line.port = port;
  modbus::Device unit(device(type), std::make_shared<modbus::Line>(line));
  Counter sink;
  GatewayClock clock;
  std::vector<Sample> samples;
  const std::stop_token stop;
  Turn turn{sink, clock, samples, stop};
  if (!unit.open(sink)) return false;
  const double cpu = bench::cpu_seconds();
  const auto begun = SteadyClock::now();
  double points = 0;
  while (since(begun) < seconds) {
    samples.clear();
    const auto read = unit.read(0, turn);
    if (!read || !read->empty()) {
      fmt::print(stderr, "cannot read: {}\n", read ? *read : read.error().text);
      return false;
    }
    sink.push(samples);
    points += static_cast<double>(samples.size());
  }
  show(what, points, since(begun), bench::cpu_seconds() - cpu);
  return true;
}

/// Runs a program on the client's core, its output in `output`; ends it by SIGINT after `seconds`, if that is more than
/// none. The seconds of processor that it took.
double run(const std::vector<std::string>& command, const std::string& output, double seconds) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    bench::stay_on(kClientCore);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  if (seconds > 0) {
    ::usleep(static_cast<useconds_t>(seconds * 1e6));
    ::kill(child, SIGINT);
  }
  rusage usage{};
  int status = 0;
  ::wait4(child, &status, 0, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void measure_pymodbus(int port, double seconds, const std::string& output) {
  const double cpu = run({"/usr/bin/python3", TIDEGATE_SOURCE_DIR "/tests/bench/modbus_pymodbus.py",
                          std::to_string(port), std::to_string(seconds)},
                         output, 0);
  double points = 0;
  if (std::ifstream(output) >> points) {
    show("pymodbus' client, 8 x 125 registers", points, seconds, cpu);
  } else {
    fmt::print("pymodbus' client: not measured (Debian: python3-pymodbus)\n");
  }
}

void measure_mbpoll(const std::string& program, int port, double seconds, const std::string& output) {
  // It prints each value, and rests at least 10 ms between two requests.
  const double cpu = run({program, "-m", "tcp", "-p", std::to_string(port), "-a", "1", "-0", "-r", "0", "-c", "125",
                          "-t", "4", "-l", "10", "127.0.0.1"},
                         output, seconds);
  double points = 0;
  std::ifstream printed(output);
  for (std::string line; std::getline(printed, line);) points += line.starts_with('[') ? 1 : 0;
  if (points > 0) {
    show("mbpoll -l 10, 125 registers", points, seconds, cpu);
  } else {
    fmt::print("mbpoll: not measured (Debian: mbpoll)\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  int ready[2];
  if (::pipe(ready) != 0) return 1;
  const pid_t server = ::fork();
  if (server == 0) bench::serve_modbus(ready[1], kServerCore);
  int port = 0;
  if (::read(ready[0], &port, sizeof port) != sizeof port) return 1;
  ::signal(SIGPIPE, SIG_IGN);
  bench::stay_on(kClientCore);
  const bench::Scratch scratch;
  const std::string output = scratch.path / "output";
  bool good = measure_tidegate("Tidegate, 1,000 uint16 points", modbus::Type::uint16, port, seconds);
  good = good && measure_tidegate("Tidegate, 1,000 float32 points", modbus::Type::float32, port, seconds);
  measure_pymodbus(port, seconds, output);
  measure_mbpoll(argc > 2 ? argv[2] : "mbpoll", port, seconds, output);
  fmt::print("{:<34} {:>10.2f} s of processor in all\n", "the unit", bench::cpu_seconds(server));
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return good ? 0 : 1;
}
