// Appends to the journal in the directory of its argument until it is killed, and prints the number of each batch once
// it is committed. A batch says in its samples and its event which one it is.

#include <unistd.h>

#include <cstdio>

#include "gateway/journal/journal.h"

using namespace tidegate;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const GatewayClock clock;
  Metrics metrics;
  journal::Options options;
  options.directory = argv[1];
  options.cache_bytes = 10'000;
  const auto opened = journal::Journal::open(options, clock, metrics);
  if (!opened) return std::fprintf(stderr, "%s\n", opened.error().text.c_str()), 1;
  journal::Journal& log = **opened;
  if (!log.position("reader")) return 1;
  while (true) {
    const std::int64_t seq = number(next(log.last()));
    const auto name = "device" + std::to_string(seq % 50) + "/x";
    const auto id = log.catalogue().intern(name, {SeriesKind::number, "", "test", Micros{0}, {}});
    if (!id) return 1;
    Batch batch;
    for (std::int64_t i = 0; i <= seq % 200; ++i) {
      batch.samples.push_back({.series = *id, .time = clock.now(), .value = static_cast<double>(seq)});
    }
    batch.events = {{clock.now(), Notice{"storage", std::to_string(seq)}}};
    if (!log.append(batch)) return 1;
    const std::string line = std::to_string(seq) + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return 1;
    if (!log.advance("reader", Seq{seq})) return 1;
    if (seq % 7 == 0 && !log.maintain()) return 1;
  }
}
