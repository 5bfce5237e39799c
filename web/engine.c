/* engine.c - floor 7: the module that a page loads: nothing but the library, whose functions are exported, and the clock it needs. */
#define _POSIX_C_SOURCE 200809L
#include <ebb/ebb.h>
#include <time.h>

/* Emscripten's library lacks it; its clock_gettime asks the page (WASI's clock_time_get). */
int timespec_get(struct timespec *t, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}
