/* Makes system calls on one folder fail: the Nth of a kind over all processes of a run, or every one from the Nth on.
 *
 * FAULT_UNDER    the folder (absolute); other files are left alone
 * FAULT_CALL     open, write, fsync, fsync-file, fsync-folder, rename, close, flock, utime, or lock (those of POSIX)
 * FAULT_HOW      an errno (28), "short" (half is written), "kill" (SIGKILL to itself) or "slow" (20 ms more)
 * FAULT_AT       N, from 1; 0 counts only
 * FAULT_EVERY    "1": every call from the Nth on
 * FAULT_COUNTER  a file of 16 bytes that the processes share: calls seen, faults injected
 * CLOCK_AT       from this call of clock_gettime(CLOCK_REALTIME) on, the clock is CLOCK_BY seconds off
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static long *counter;
static const char *under, *call, *how;
static long at, every, clock_at, clock_by;

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULT_COUNTER");
    under = getenv("FAULT_UNDER");
    call = getenv("FAULT_CALL");
    how = getenv("FAULT_HOW");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    every = getenv("FAULT_EVERY") && *getenv("FAULT_EVERY") == '1';
    clock_at = getenv("CLOCK_AT") ? atol(getenv("CLOCK_AT")) : 0;
    clock_by = getenv("CLOCK_BY") ? atol(getenv("CLOCK_BY")) : 0;
    if (path == NULL) return;
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    counter = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (counter == MAP_FAILED) counter = NULL;
    REAL(close)(fd);
}

static int is_ours(const char *path) {
    return counter && call && path && strncmp(path, under, strlen(under)) == 0;
}

static int fd_is_ours(int fd) {
    char link[64], path[PATH_MAX];
    if (!counter || !call) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

/* Whether a path that is relative to an open folder leads below the one that is meant. */
static int at_is_ours(int folder, const char *path) {
    return path && path[0] == '/' ? is_ours(path) : folder == AT_FDCWD ? is_ours(path) : fd_is_ours(folder);
}

/* Returns 0 to go on, 1 for a short write, -1 with errno set for a failure. */
static int fault(const char *kind) {
    if (strcmp(kind, call) != 0) return 0;
    long number = __sync_add_and_fetch(&counter[0], 1);
    if (at == 0 || number < at || (number > at && !every)) return 0;
    __sync_add_and_fetch(&counter[1], 1);
    if (strcmp(how, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(how, "slow") == 0) {
        usleep(20000);
        return 0;
    }
    if (strcmp(how, "short") == 0) return 1;
    errno = atoi(how);
    return -1;
}

#define OPENED(is_meant, name, ...) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    } \
    if ((is_meant) && fault("open") < 0) return -1; \
    return REAL(name)(__VA_ARGS__, flags, mode)

int open(const char *path, int flags, ...) { OPENED(is_ours(path), open, path); }
int open64(const char *path, int flags, ...) { OPENED(is_ours(path), open64, path); }
int openat(int folder, const char *path, int flags, ...) { OPENED(at_is_ours(folder, path), openat, folder, path); }
int openat64(int folder, const char *path, int flags, ...) { OPENED(at_is_ours(folder, path), openat64, folder, path); }

#define WRITTEN(name, fd, data, size, ...) \
    if (fd_is_ours(fd)) { \
        int verdict = fault("write"); \
        if (verdict < 0) return -1; \
        if (verdict && size > 1) size /= 2; \
    } \
    return REAL(name)(fd, data, size, ##__VA_ARGS__)

ssize_t write(int fd, const void *data, size_t size) { WRITTEN(write, fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t place) { WRITTEN(pwrite, fd, data, size, place); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) { WRITTEN(pwrite64, fd, data, size, place); }

int fsync(int fd) {
    struct stat status;
    if (fd_is_ours(fd)) {
        if (fault("fsync") < 0) return -1;
        if (fstat(fd, &status) == 0 && fault(S_ISDIR(status.st_mode) ? "fsync-folder" : "fsync-file") < 0) return -1;
    }
    return REAL(fsync)(fd);
}

int flock(int fd, int operation) { return fd_is_ours(fd) && fault("flock") < 0 ? -1 : REAL(flock)(fd, operation); }

int futimens(int fd, const struct timespec times[2]) {
    return fd_is_ours(fd) && fault("utime") < 0 ? -1 : REAL(futimens)(fd, times);
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
    return at_is_ours(folder, path) && fault("utime") < 0 ? -1 : REAL(utimensat)(folder, path, times, flags);
}

/* Locks of POSIX, which SQLite uses: only these of all that fcntl does. */
#define CONTROLLED(name) \
    va_list rest; \
    va_start(rest, command); \
    void *argument = va_arg(rest, void *); \
    va_end(rest); \
    if ((command == F_SETLK || command == F_SETLKW) && fd_is_ours(fd) && fault("lock") < 0) return -1; \
    return REAL(name)(fd, command, argument)

int fcntl(int fd, int command, ...) { CONTROLLED(fcntl); }
int fcntl64(int fd, int command, ...) { CONTROLLED(fcntl64); }
int fdatasync(int fd) {
    return fd_is_ours(fd) && (fault("fsync") < 0 || fault("fsync-file") < 0) ? -1 : REAL(fdatasync)(fd);
}

int close(int fd) {
    if (fd_is_ours(fd) && fault("close") < 0) {
        int number = errno;
        REAL(close)(fd); /* Linux has closed the file whatever it says */
        errno = number;
        return -1;
    }
    return REAL(close)(fd);
}

int rename(const char *from, const char *to) { return is_ours(to) && fault("rename") < 0 ? -1 : REAL(rename)(from, to); }

int renameat(int before, const char *from, int after, const char *to) {
    return at_is_ours(after, to) && fault("rename") < 0 ? -1 : REAL(renameat)(before, from, after, to);
}

int renameat2(int before, const char *from, int after, const char *to, unsigned flags) {
    return at_is_ours(after, to) && fault("rename") < 0 ? -1 : REAL(renameat2)(before, from, after, to, flags);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME && clock_at && counter && __sync_add_and_fetch(&counter[0], 1) >= clock_at) {
        __sync_add_and_fetch(&counter[1], 1);
        now->tv_sec += clock_by;
    }
    return result;
}
