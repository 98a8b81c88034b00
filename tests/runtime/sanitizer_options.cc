// Linked into the sanitized supervisor. It is not to look for leaks at its end: that takes a
// process that traces it, and /proc, which tests take away; and what allocates nothing leaks
// nothing. Its environment would say the same, but is read from /proc.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
