#define _GNU_SOURCE
#include "CLinuxProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int place(posix_spawn_file_actions_t *actions, int descriptor, int target, int flags)
{
    if (descriptor < 0)
        return posix_spawn_file_actions_addopen(actions, target, "/dev/null", flags, 0);
    return posix_spawn_file_actions_adddup2(actions, descriptor, target);
}

int clinux_spawn(pid_t *pid, const char *file, char *const argv[], char *const envp[], int input, int output, int error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    int result;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    result = place(&actions, input, 0, O_RDONLY);
    if (!result)
        result = place(&actions, output, 1, O_WRONLY);
    if (!result)
        result = place(&actions, error, 2, O_WRONLY);
    if (!result)
        result = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!result) {
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        result = posix_spawnp(pid, file, &actions, &attributes, argv, envp);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    errno = result;
    return result ? -1 : 0;
}

static void reset_signals(void)
{
    sigset_t none;
    int number;

    for (number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Out of the way of the places that descriptors shall have, then into them.
static int place_all(const int *descriptors, size_t count)
{
    int moved[count];
    size_t index;

    for (index = 0; index < count; index++) {
        int descriptor = descriptors[index];
        if (descriptor < 0)
            descriptor = open("/dev/null", O_RDWR);
        moved[index] = fcntl(descriptor, F_DUPFD, (int)count + 1);
        if (moved[index] < 0)
            return -1;
    }
    for (index = 0; index < count; index++)
        if (dup2(moved[index], (int)index) < 0)
            return -1;
    return 0;
}

pid_t clinux_spawn_dependent(const char *path, char *const argv[], char *const envp[], const int *descriptors, size_t count)
{
    pid_t parent = getpid(), pid;
    sigset_t all, old;
    int failure[2], error = 0;

    if (pipe2(failure, O_CLOEXEC) < 0)
        return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pid = fork();
    if (pid == 0) {
        // Only async-signal-safe calls: the parent has other threads.
        int report = fcntl(failure[1], F_DUPFD_CLOEXEC, (int)(2 * count + 16));
        setpgid(0, 0);
        reset_signals();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && place_all(descriptors, count) == 0) {
            // What is beyond closes at the exec, the pipe too: that is how the parent learns of success.
            close_range((unsigned int)count, ~0U, CLOSE_RANGE_CLOEXEC);
            execve(path, argv, envp);
        }
        error = errno;
        (void)!write(report, &error, sizeof error);
        _exit(127);
    }
    if (pid < 0)
        error = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(failure[1]);
    if (pid > 0) {
        while (read(failure[0], &error, sizeof error) < 0 && errno == EINTR)
            continue;
        if (error)
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                continue;
    }
    close(failure[0]);
    errno = error;
    return error ? -1 : pid;
}

int clinux_spawn_self(pid_t *pid, char *const argv[], int descriptor)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // The copy survives exec, the original does not.
    result = posix_spawn_file_actions_adddup2(&actions, descriptor, 3);
    if (!result)
        result = place(&actions, -1, 0, O_RDONLY);
    if (!result)
        result = place(&actions, -1, 1, O_WRONLY);
    if (!result)
        result = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (!result) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
        result = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    errno = result;
    return result ? -1 : 0;
}

// Nothing but system calls: after fork(2) of a process with threads nothing else is safe.
static void unmount_after(int descriptor, const char *path, unsigned int mask, uint64_t mount, unsigned int minor)
{
    const char *const arguments[] = {"fusermount3", "-u", "-q", "-z", "--", path, NULL};
    struct statx status;
    ssize_t count;
    char byte;
    int nothing;

    setsid();
    reset_signals();
    if (chdir("/") || dup2(descriptor, 3) < 0)
        _exit(1);
    nothing = open("/dev/null", O_RDWR);
    for (int standard = 0; standard < 3; standard++)
        dup2(nothing, standard);
    close_range(4, ~0u, 0);
    do
        count = read(3, &byte, 1);
    while (count > 0 || (count < 0 && errno == EINTR));
    // Asks nothing of the filesystem.
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, mask, &status) ||
        !(status.stx_mask & mask) || status.stx_mnt_id != mount || status.stx_dev_minor != minor)
        _exit(0);
    if (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) && errno == EPERM)
        execvp(arguments[0], (char *const *)arguments);
    _exit(0);
}

int clinux_unmount_after(int descriptor, const char *path, unsigned int mask, uint64_t mount, unsigned int minor)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        // A grandchild, so that nobody has to wait for it.
        pid_t watcher = _Fork();

        if (watcher == 0)
            unmount_after(descriptor, path, mask, mount, minor);
        _exit(watcher < 0 ? errno : 0);
    }
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    return errno ? -1 : 0;
}

int clinux_enter_mounts(int descriptor)
{
    return setns(descriptor, CLONE_NEWNS);
}

int clinux_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int clinux_pidfd_getfd(int pidfd, int descriptor)
{
    return (int)syscall(SYS_pidfd_getfd, pidfd, descriptor, 0);
}

// Only async-signal-safe calls: the parent has other threads.
static int isolated(int call, const char *path, unsigned long argument, const char *text, uint32_t value)
{
    struct statx status;
    int descriptor;

    switch (call) {
    case CLINUX_ISOLATED_UMOUNT:
        if (text) {
            descriptor = open(text, O_RDONLY | O_CLOEXEC);
            if (descriptor < 0 || setns(descriptor, CLONE_NEWNS) < 0)
                return -1;
        }
        return umount2(path, (int)argument);
    case CLINUX_ISOLATED_REMOUNT:
        return mount("none", path, NULL, argument, NULL);
    case CLINUX_ISOLATED_STAT:
        // What the kernel remembers would be no sign of life.
        return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status);
    case CLINUX_ISOLATED_WRITE:
        descriptor = open(path, O_WRONLY | O_CLOEXEC);
        if (descriptor < 0)
            return -1;
        return write(descriptor, text, strlen(text)) < 0 ? -1 : 0;
    case CLINUX_ISOLATED_SYNC:
        sync();
        return 0;
    case CLINUX_ISOLATED_SYNCFS:
    case CLINUX_ISOLATED_IOCTL:
        descriptor = open(path, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return -1;
        return call == CLINUX_ISOLATED_SYNCFS ? syncfs(descriptor) : ioctl(descriptor, argument, &value);
    default:
        errno = EINVAL;
        return -1;
    }
}

pid_t clinux_isolated(int call, const char *path, unsigned long argument, const char *text, uint32_t value)
{
    sigset_t all, old;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        reset_signals();
        close_range(3, ~0U, 0);
        _exit(isolated(call, path, argument, text, value) < 0 ? errno : 0);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid;
}
