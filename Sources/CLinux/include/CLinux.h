// System calls that Swift's Glibc module lacks, because glibc declares them under _GNU_SOURCE or with variable arguments.
//
// Every function is the system call of the same name: -1 and errno on failure. _GNU_SOURCE is defined in CLinux.c only:
// in a header it would clash with the types that Glibc and Dispatch import.
#ifndef CLINUX_H
#define CLINUX_H

#include "CLinuxBench.h"
#include "CLinuxProcess.h"

#include <linux/stat.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

// Flags, for openat(2), *at(2), preadv2(2), fcntl(2) and renameat2(2).
static const int CLINUX_O_DIRECT = 040000;
static const int CLINUX_O_PATH = 010000000;
static const int CLINUX_O_TMPFILE = 020200000;
static const int CLINUX_O_NOATIME = 01000000;
static const int CLINUX_AT_EMPTY_PATH = 0x1000;
static const int CLINUX_AT_NO_AUTOMOUNT = 0x800;
static const int CLINUX_AT_SYMLINK_NOFOLLOW = 0x100;
static const int CLINUX_AT_STATX_DONT_SYNC = 0x4000;
static const unsigned int CLINUX_STATX_MNT_ID = 0x1000u;
static const unsigned int CLINUX_STATX_MNT_ID_UNIQUE = 0x4000u;
static const int CLINUX_RWF_DSYNC = 0x2;
static const int CLINUX_RWF_SYNC = 0x4;
static const int CLINUX_RWF_NOWAIT = 0x8;
static const int CLINUX_RWF_APPEND = 0x10;
static const int CLINUX_RENAME_NOREPLACE = 1;
static const int CLINUX_RENAME_EXCHANGE = 2;
static const int CLINUX_RENAME_WHITEOUT = 4;
static const int CLINUX_F_OFD_GETLK = 36;
static const int CLINUX_F_OFD_SETLK = 37;
static const int CLINUX_F_OFD_SETLKW = 38;

// A file handle (open_by_handle_at(2)): `handle_bytes` of `f_handle` are valid.
struct clinux_file_handle {
    uint32_t handle_bytes;
    int32_t handle_type;
    uint8_t f_handle[128];
};

static const uint64_t CLINUX_MOUNT_ATTR_NOATIME = 0x10;
static const uint64_t CLINUX_MOUNT_ATTR_STRICTATIME = 0x20;

// The inode flags of ioctl_iflags(2) and of FS_IOC_FSGETXATTR, whose requests Swift cannot import as macros.
static const unsigned long CLINUX_FS_IOC_GETFLAGS = 0x80086601ul;
static const unsigned long CLINUX_FS_IOC_SETFLAGS = 0x40086602ul;
static const unsigned long CLINUX_FS_IOC_GETVERSION = 0x80087601ul;
static const unsigned long CLINUX_FS_IOC_FSGETXATTR = 0x801c581ful;
static const unsigned long CLINUX_FS_IOC_FSSETXATTR = 0x401c5820ul;

// Files
// The mount below `directory` and all in it, copied and attached nowhere: open_tree(2) with OPEN_TREE_CLONE, of O_PATH.
int clinux_open_tree_clone(int directory);
// mount_setattr(2) of how a mount treats times of access, one of CLINUX_MOUNT_ATTR_*.
int clinux_mount_set_atime(int mount, uint64_t attribute);
// mount_setattr(2): symbolic links of this mount are not followed.
int clinux_mount_set_nosymfollow(const char *path);
int clinux_openat(int directory, const char *path, int flags, mode_t mode);
int clinux_statx(int directory, const char *path, int flags, unsigned int mask, struct statx *buffer);
int clinux_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned int flags);
int clinux_fallocate(int descriptor, int mode, int64_t offset, int64_t length);
ssize_t clinux_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length, unsigned int flags);
// read(2), write(2), pread(2) and pwrite(2) that are no cancellation points, as the C library's are: it notes before and after each of
// those that the thread may be cancelled, which nobody here does.
ssize_t clinux_read(int descriptor, void *buffer, size_t count);
ssize_t clinux_write(int descriptor, const void *buffer, size_t count);
ssize_t clinux_pread(int descriptor, void *buffer, size_t count, int64_t offset);
ssize_t clinux_pwrite(int descriptor, const void *buffer, size_t count, int64_t offset);
ssize_t clinux_preadv2(int descriptor, const struct iovec *vectors, int count, int64_t offset, int flags);
ssize_t clinux_pwritev2(int descriptor, const struct iovec *vectors, int count, int64_t offset, int flags);
ssize_t clinux_getdents64(int descriptor, void *buffer, size_t count);
ssize_t clinux_splice(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length, unsigned int flags);
int clinux_memory_file(const char *name);  // memfd_create(2)
int clinux_pipe2(int descriptors[2], int flags);
int clinux_fcntl(int descriptor, int command, long argument);
int clinux_fcntl_lock(int descriptor, int command, struct flock *lock);
int clinux_flock(int descriptor, int operation);  // Swift knows struct flock by that name
int clinux_ioctl(int descriptor, unsigned long request, void *argument);
int clinux_syncfs(int descriptor);
int clinux_name_to_handle_at(int directory, const char *path, struct clinux_file_handle *handle, int *mount_id, int flags);
int clinux_open_by_handle_at(int mount, struct clinux_file_handle *handle, int flags);
// The generation of an inode of XFS (XFS_IOC_BULKSTAT, ioctl_xfs_bulkstat(2)), by any descriptor of the filesystem; needs
// CAP_SYS_ADMIN. ENOENT if there is no such inode.
int clinux_xfs_generation(int descriptor, uint64_t inode, uint32_t *generation);
int clinux_close_range(unsigned int first, unsigned int last, unsigned int flags);
int clinux_mknodat(int directory, const char *path, mode_t mode, uint32_t device_major, uint32_t device_minor);

// Processes and threads
size_t clinux_stack_size(void);  // of a new thread, in bytes (pthread_attr_getstacksize(3))
int clinux_gettid(void);
/* How often the calling thread gave up its processor to wait: `ru_nvcsw` of getrusage(2). */
long clinux_thread_sleeps(void);
int clinux_place_thread(const int *cpus, size_t count);  // sched_setaffinity(2) of the calling thread
int clinux_cpu_allowed(int cpu);         // 1 if the process may run on it
/* write(2) from a CPU: the calling thread goes there and comes back. EINVAL if it may not. */
ssize_t clinux_write_on_cpu(int cpu, int fd, const void *buffer, size_t count);
int clinux_cpu(void);                    // that the calling thread runs on: sched_getcpu(3)
// For loops that wait: leaves the core's other thread more of it.
static inline void clinux_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
int clinux_tgkill(int thread, int signal);
int clinux_prctl(int option, unsigned long argument);
const char *clinux_errno_name(int error);  // "ENOENT", or NULL

// Credentials of the calling *thread* only (glibc's own wrappers change every thread of the process).
uint32_t clinux_setfsuid(uint32_t uid);  // both return the previous id
uint32_t clinux_setfsgid(uint32_t gid);
int clinux_setgroups(size_t count, const uint32_t *groups);
int clinux_set_effective_capability(int capability, int on);
int clinux_has_effective_capability(int capability);

// What follows is of the calling thread only, once clinux_prepare_thread has been called in it (any number of times): a
// working directory, `directory`, and a umask of its own (unshare(2) CLONE_FS), and capabilities that stay when the ids
// above change (SECBIT_NO_SETUID_FIXUP, where CAP_SETPCAP allows it).
int clinux_prepare_thread(int directory);
void clinux_set_thread_umask(mode_t mask);

#endif
