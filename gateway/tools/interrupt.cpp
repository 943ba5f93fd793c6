#include "gateway/tools/interrupt.h"

#include <pthread.h>
#include <signal.h>

namespace tidegate::tools {
namespace {

constexpr int kOver = SIGUSR1;  ///< from the destructor to the listener

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  return signals;
}

const sigset_t kAsked = set_of({SIGINT, SIGTERM, SIGHUP});

void listen(std::stop_source source) {
  const sigset_t heard = set_of({SIGINT, SIGTERM, SIGHUP, kOver});
  int signal = 0;
  if (sigwait(&heard, &signal) != 0 || signal == kOver) return;
  source.request_stop();
  pthread_sigmask(SIG_UNBLOCK, &kAsked, nullptr);  // the next one is for the kernel
  const sigset_t over = set_of({kOver});
  sigwait(&over, &signal);
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t blocked = set_of({SIGINT, SIGTERM, SIGHUP, kOver});
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  listener_ = std::thread(listen, source_);
}

Interrupt::~Interrupt() {
  pthread_kill(listener_.native_handle(), kOver);
  listener_.join();
}

}  // namespace tidegate::tools
