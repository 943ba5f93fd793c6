#include "gateway/tools/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace tidegate::tools {
namespace {

sigset_t asked_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

void listen(const std::stop_token& over, std::stop_source& source) {
  const sigset_t signals = asked_signals();
  while (!over.stop_requested()) {
    constexpr timespec kLook{0, 50'000'000};
    if (sigtimedwait(&signals, nullptr, &kLook) < 0) continue;
    source.request_stop();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // the next one is for the kernel
    return;
  }
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = asked_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  listener_ = std::jthread([this](const std::stop_token& over) { listen(over, source_); });
}

}  // namespace tidegate::tools
