// Linked into a supervisor in place of the C library's clocks (ld --wrap): the wall clock is
// another each time it is asked, years before or after. Only times in the log may be wrong by it.
#include <sys/time.h>
#include <time.h>

extern "C" {

int __real_clock_gettime(clockid_t clock, timespec* now);

static time_t Jump(time_t now) {
  constexpr time_t kYear = 365 * 24 * 3600;
  static unsigned turns = 0;
  turns = turns * 1103515245 + 12345;
  return now + (static_cast<time_t>(turns >> 16) % 40 - 20) * kYear;
}

int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  const int result = __real_clock_gettime(clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec = Jump(now->tv_sec);
  return result;
}

int __wrap_gettimeofday(timeval* now, void*) {
  timespec exact{};
  __wrap_clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t __wrap_time(time_t* now) {
  timespec exact{};
  __wrap_clock_gettime(CLOCK_REALTIME, &exact);
  if (now != nullptr) *now = exact.tv_sec;
  return exact.tv_sec;
}
}
