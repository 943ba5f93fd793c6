#include "tests/bench/modbus_server.h"

#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace tidegate::bench {

bool stay_on(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

void serve_modbus(int ready, int core) {
  stay_on(core);
  constexpr int kRegisters = 10'000;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 8) != 0) std::abort();
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int port = ntohs(address.sin_port);
  modbus_t* unit = modbus_new_tcp("127.0.0.1", port);
  modbus_mapping_t* registers = modbus_mapping_new(0, 0, kRegisters, 0);
  for (int i = 0; i < kRegisters; ++i) registers->tab_registers[i] = static_cast<std::uint16_t>(i);
  if (::write(ready, &port, sizeof port) != sizeof port) std::abort();
  int accepting = listener;
  while (modbus_tcp_accept(unit, &accepting) != -1) {
    std::uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    for (int bytes = 0; (bytes = modbus_receive(unit, request)) != -1;) {
      if (bytes > 0 && modbus_reply(unit, request, bytes, registers) == -1) break;
    }
    ::close(modbus_get_socket(unit));
  }
  std::abort();
}

}  // namespace tidegate::bench
