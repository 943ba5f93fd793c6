#include "gateway/app/vitals.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gateway/core/seconds.h"

namespace tidegate::app {
namespace {

Micros span_of(const timeval& time) { return std::chrono::seconds(time.tv_sec) + Micros{time.tv_usec}; }

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(span_of(usage.ru_utime) + span_of(usage.ru_stime));
}

double entries_of(const char* folder) {
  std::error_code error;
  const std::filesystem::directory_iterator first(folder, error);
  return error ? 0 : static_cast<double>(std::distance(first, std::filesystem::directory_iterator{}));
}

}  // namespace

Vitals::Vitals(Metrics& metrics)
    : queue_depth_(metrics.gauge("intake/queue_depth", "", "Samples waiting for the pump.")),
      queue_capacity_(
          metrics.gauge("intake/queue_capacity", "", "Samples that may wait before the oldest are dropped.")),
      dropped_(metrics.counter("intake/dropped_samples", "",
                               "Samples given up because the queue was full, or the disk refused them for long.")),
      events_refused_(metrics.counter("intake/refused_events", "", "Events given up because too many waited.")),
      pump_lag_(metrics.gauge("pump/lag", "s", "Since the pump last went round.")),
      stored_samples_(metrics.gauge("journal/stored_samples", "",
                                    "Samples held in the log; history holds them too, and older ones.")),
      oldest_age_(metrics.gauge("journal/oldest_age", "s", "The age of the oldest sample held.")),
      resident_(metrics.gauge("process/resident_memory", "bytes", "Resident memory of the gateway.")),
      cpu_(metrics.counter("process/cpu", "s", "CPU time used.")),
      threads_(metrics.gauge("process/threads", "", "Threads of the gateway.")),
      open_files_(metrics.gauge("process/open_files", "", "Open files and sockets.")) {}

void Vitals::measure(const Intake::Stats& intake, const journal::Stats& journal, Micros pump_age, Timestamp now) {
  queue_depth_.set(static_cast<double>(intake.depth));
  queue_capacity_.set(static_cast<double>(intake.capacity));
  dropped_.set(static_cast<double>(intake.dropped));
  events_refused_.set(static_cast<double>(intake.events_refused));
  pump_lag_.set(seconds(pump_age));
  stored_samples_.set(static_cast<double>(journal.samples));
  oldest_age_.set(journal.samples == 0 ? 0 : seconds(now - journal.oldest));
  resident_.set(resident_bytes());
  cpu_.set(cpu_seconds());
  threads_.set(entries_of("/proc/self/task"));
  open_files_.set(entries_of("/proc/self/fd"));
}

}  // namespace tidegate::app
