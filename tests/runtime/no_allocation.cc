// Linked into a supervisor in place of the allocator's entry points (ld --wrap): from its first
// poll() on it may not allocate. Its children may, until they run something else.
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

extern "C" {

void* __real_malloc(size_t size);
void* __real_calloc(size_t count, size_t size);
void* __real_realloc(void* old, size_t size);
int __real_poll(pollfd* polled, nfds_t count, int timeout);

static pid_t sealed = 0;

static void Check() {
  if (sealed == 0 || getpid() != sealed) return;
  static const char kText[] = "the supervisor allocated memory after its start\n";
  [[maybe_unused]] ssize_t ignored = write(2, kText, sizeof kText - 1);
  abort();
}

void* __wrap_malloc(size_t size) {
  Check();
  return __real_malloc(size);
}

void* __wrap_calloc(size_t count, size_t size) {
  Check();
  return __real_calloc(count, size);
}

void* __wrap_realloc(void* old, size_t size) {
  Check();
  return __real_realloc(old, size);
}

int __wrap_poll(pollfd* polled, nfds_t count, int timeout) {
  if (sealed == 0) sealed = getpid();
  return __real_poll(polled, count, timeout);
}
}
