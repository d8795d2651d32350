#define _GNU_SOURCE
#include "CLinuxProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
    struct stat status;
    int descriptor;

    switch (call) {
    case CLINUX_ISOLATED_UMOUNT:
        return umount2(path, (int)argument);
    case CLINUX_ISOLATED_STAT:
        return stat(path, &status);
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
    int signal_number;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        for (signal_number = 1; signal_number < NSIG; signal_number++)
            signal(signal_number, SIG_DFL);
        sigemptyset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        close_range(3, ~0U, 0);
        _exit(isolated(call, path, argument, text, value) < 0 ? errno : 0);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid;
}
