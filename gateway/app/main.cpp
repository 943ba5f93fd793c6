#include <malloc.h>

#include "gateway/app/command_line.h"

int main(int argc, char** argv) {
  // A large buffer goes back to the system when it is done with. By itself glibc learns from it to keep tens of MB for
  // the next one, and a round of compaction has its next in an hour.
  constexpr int kLarge = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  return tidegate::app::command_line(argc, argv);
}
