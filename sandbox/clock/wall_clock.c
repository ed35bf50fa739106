/* A wall clock that is ahead of the machine's, or behind it, by what a file says: 8 bytes, milliseconds, in the
 * machine's byte order, mapped and so read at every look. Loaded before a program's own libraries (LD_PRELOAD), it
 * stands between the program and the C library. Only the wall clock is shifted: monotonic clocks, sleeps and timers
 * are the machine's, and so is a wait until a point of the wall clock. */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_ms;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("SANDBOX_CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *ahead_ms, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) ahead_ms = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (failed || !is_wall || !ahead_ms) return failed;
    int64_t ahead = *ahead_ms;
    int64_t nanoseconds = now->tv_nsec + ahead % 1000 * 1000000;
    now->tv_sec += ahead / 1000;
    if (nanoseconds < 0) now->tv_sec--, nanoseconds += 1000000000;
    if (nanoseconds >= 1000000000) now->tv_sec++, nanoseconds -= 1000000000;
    now->tv_nsec = nanoseconds;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (!now || clock_gettime(CLOCK_REALTIME, &precise)) return now ? -1 : 0;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise = {0};
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}
