// Child processes for the test bench: spawning with everything closed, pidfds, and system calls that may never return,
// made in a child so that the bench survives them.
#ifndef CLINUXPROCESS_H
#define CLINUXPROCESS_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// posix_spawnp(3) of a program in a process group of its own, with default signal handlers and nothing open but these three.
// A descriptor of -1 is /dev/null. Returns 0 or -1 and errno.
int clinux_spawn(pid_t *pid, const char *file, char *const argv[], char *const envp[], int input, int output, int error);

// Starts the program at `path` in a process group of its own, with default signal handlers and nothing open but `descriptors`,
// which become 0, 1, 2, 3 …; -1 is /dev/null. The kernel kills it when the thread that called this ends (PR_SET_PDEATHSIG):
// start it from one that outlives it. Returns its pid, or -1 and errno, execve(2)'s too.
pid_t clinux_spawn_dependent(const char *path, char *const argv[], char *const envp[], const int *descriptors, size_t count);

// posix_spawn(3) of this very program in a session of its own, with nothing open but /dev/null, standard error, and
// `descriptor`, which it gets as 3. Returns 0 or -1 and errno.
int clinux_spawn_self(pid_t *pid, char *const argv[], int descriptor);

// Makes a process in a session of its own that waits until the other end of the pipe `descriptor` is closed everywhere, and then takes
// the mount at `path` away, if it is still the one of that id and of a device of that minor number: with umount2(2), or with
// fusermount3 where that is not permitted. `mask` says how statx(2) tells the id: STATX_MNT_ID or STATX_MNT_ID_UNIQUE. It keeps nothing
// else open. Returns 0 or -1 and errno.
int clinux_unmount_after(int descriptor, const char *path, unsigned int mask, uint64_t mount, unsigned int minor);

// setns(2) into a mount namespace; EINVAL once there are other threads.
int clinux_enter_mounts(int descriptor);

int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_getfd(int pidfd, int descriptor);

// What `clinux_isolated` does in the child.
enum clinux_isolated_call {
    CLINUX_ISOLATED_UMOUNT = 0, // umount2(path, argument), in the mount namespace of the file `text` if that is not NULL
    CLINUX_ISOLATED_STAT = 1,   // statx(path), asked of the filesystem whatever is cached
    CLINUX_ISOLATED_WRITE = 2,  // write `text` into the file `path`
    CLINUX_ISOLATED_SYNC = 3,   // sync(), whatever the path
    CLINUX_ISOLATED_SYNCFS = 4, // syncfs of the filesystem that holds `path`
    CLINUX_ISOLATED_IOCTL = 5,  // ioctl(open(path), argument, &zero): a filesystem's shutdown
    CLINUX_ISOLATED_REMOUNT = 6, // mount(2) of flags `argument` on `path`
};

// Forks a child, in a process group of its own, that makes one system call and exits with its errno (0 on success).
// Returns the child's pid, or -1 and errno.
pid_t clinux_isolated(int call, const char *path, unsigned long argument, const char *text, uint32_t value);

#endif
