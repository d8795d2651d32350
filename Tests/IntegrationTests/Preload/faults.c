// Makes a daemon that was not written here wrong: preloaded into it, this does one thing wrong in the C library's calls,
// the one that FAULT names. For the tests of the tests only.
//
//     cc -shared -fPIC -o faults.so faults.c
//     env LD_PRELOAD=faults.so FAULT=leak-little bindfs -f SOURCE MOUNTPOINT
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static atomic_int stats, reads, writes;

static int is(const char *fault)
{
    const char *name = getenv("FAULT");
    return name && strcmp(name, fault) == 0;
}

static void burn(long milliseconds)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

static void *wait_for_ever(void *argument)
{
    for (;;)
        pause();
    return argument;
}

// Every request of a daemon that works by paths comes by here.
static void note_stat(void)
{
    int number = atomic_fetch_add(&stats, 1) + 1;
    if (is("leak-little"))
        memset(malloc(100), 1, 100);
    if (is("leak-buffer") && number <= 20000)
        memset(malloc(256 << 10), 1, 256 << 10);
    if (is("leak-thread") && number % 100 == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    }
    if (is("leak-descriptor") && number % 20 == 0)
        (void)!dup(0);
    // A pool: it grows once, and stays.
    if (is("pool") && number <= 20) {
        pthread_t thread;
        pthread_create(&thread, NULL, wait_for_ever, NULL);
        (void)!dup(0);
        memset(malloc(1 << 20), 1, 1 << 20);
    }
    if (is("crash") && number == 500)
        abort();
    if (is("hang") && number >= 500)
        wait_for_ever(NULL);
    if (is("stall") && number % 1000 == 0)
        sleep(3);
    if (is("slow"))
        burn(5);
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define STAT(name, type)                                   \
    int name(const char *path, struct type *result)        \
    {                                                      \
        NEXT(name);                                        \
        note_stat();                                       \
        return next(path, result);                         \
    }
STAT(lstat, stat)
STAT(lstat64, stat64)

// What programs call that were linked against a C library before 2.33.
int __lxstat64(int version, const char *path, struct stat64 *result)
{
    int (*next)(int, const char *, struct stat64 *) = (int (*)(int, const char *, struct stat64 *))dlsym(RTLD_NEXT, "__lxstat64");
    note_stat();
    return next(version, path, result);
}

#define WRITE(name, offset_type)                                                         \
    ssize_t name(int file, const void *data, size_t count, offset_type offset)           \
    {                                                                                    \
        NEXT(name);                                                                      \
        if (is("lose-write") && (atomic_fetch_add(&writes, 1) + 1) % 16 == 0)            \
            return (ssize_t)count;                                                       \
        if (is("lose-write-seldom") && (atomic_fetch_add(&writes, 1) + 1) % 300 == 0)    \
            return (ssize_t)count;                                                       \
        return next(file, data, count, offset);                                          \
    }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

#define READ(name, offset_type)                                                          \
    ssize_t name(int file, void *data, size_t count, offset_type offset)                 \
    {                                                                                    \
        NEXT(name);                                                                      \
        if (is("short-read-seldom") && count > 1 && (atomic_fetch_add(&reads, 1) + 1) % 300 == 0) \
            count /= 2;                                                                  \
        return next(file, data, count, offset);                                          \
    }
READ(pread, off_t)
READ(pread64, off64_t)

// Acknowledged, and not done.
#define FORGET(fault, name, parameters, ...)               \
    int name parameters                                    \
    {                                                      \
        NEXT(name);                                        \
        if (is(fault))                                     \
            return 0;                                      \
        return next(__VA_ARGS__);                          \
    }
FORGET("forget-chmod", chmod, (const char *path, mode_t mode), path, mode)
FORGET("forget-chmod", fchmod, (int file, mode_t mode), file, mode)
FORGET("forget-chmod", fchmodat, (int folder, const char *path, mode_t mode, int flags), folder, path, mode, flags)
FORGET("forget-xattr", lsetxattr, (const char *path, const char *name, const void *value, size_t size, int flags), path, name, value, size, flags)
FORGET("lose-fsync", fsync, (int file), file)
FORGET("lose-fsync", fdatasync, (int file), file)

#define TRUNCATE(name, subject, offset_type)               \
    int name(subject, offset_type length)                  \
    {                                                      \
        NEXT(name);                                        \
        if (is("forget-truncate"))                         \
            return 0;                                      \
        return next(file, length);                         \
    }
TRUNCATE(truncate, const char *file, off_t)
TRUNCATE(truncate64, const char *file, off64_t)
TRUNCATE(ftruncate, int file, off_t)
TRUNCATE(ftruncate64, int file, off64_t)

// How libfuse replies.
ssize_t writev(int file, const struct iovec *parts, int count)
{
    NEXT(writev);
    ssize_t result = next(file, parts, count);
    if (is("double-reply") && (atomic_fetch_add(&writes, 1) + 1) % 64 == 0)
        (void)!next(file, parts, count);
    return result;
}

#define OPEN(name)                                         \
    int name(const char *path, int flags, ...)             \
    {                                                      \
        va_list arguments;                                 \
        va_start(arguments, flags);                        \
        mode_t mode = va_arg(arguments, mode_t);           \
        va_end(arguments);                                 \
        NEXT(name);                                        \
        if (is("no-direct") && flags & O_DIRECT) {         \
            errno = EINVAL;                                \
            return -1;                                     \
        }                                                  \
        return next(path, flags, mode);                    \
    }
OPEN(open)
OPEN(open64)
