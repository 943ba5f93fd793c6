// Linked into each test that its CMakeLists.txt calls ONE_THREAD, before the C library's: so one that starts a thread
// after all fails, and nothing that ThreadSanitizer should see is kept from it.

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

extern "C" int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) noexcept {
  std::fputs(
      "this test starts a thread (one that runs a program does): take ONE_THREAD from it in its CMakeLists.txt\n",
      stderr);
  std::abort();
}
