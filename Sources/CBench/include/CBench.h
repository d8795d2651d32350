// System calls and constants that only the bench needs: what glibc hides from Swift behind _GNU_SOURCE or in macros.
//
// Like CLinux: every function is the system call of the same name, -1 and errno on failure. A separate module, because
// servers have no use for becoming another user, mapping files or cloning them.
#ifndef CBENCH_H
#define CBENCH_H

#include "CBenchRing.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>

// utimensat(2): tv_nsec of a time that is to be the present one, or to stay.
static const long CBENCH_UTIME_NOW = (1l << 30) - 1;
static const long CBENCH_UTIME_OMIT = (1l << 30) - 2;

// faccessat(2): asks for the effective ids.
static const int CBENCH_AT_EACCESS = 0x200;

// lseek(2)
static const int CBENCH_SEEK_DATA = 3;
static const int CBENCH_SEEK_HOLE = 4;

// fallocate(2)
static const int CBENCH_FALLOC_KEEP_SIZE = 0x01;
static const int CBENCH_FALLOC_PUNCH_HOLE = 0x02;
static const int CBENCH_FALLOC_COLLAPSE_RANGE = 0x08;
static const int CBENCH_FALLOC_ZERO_RANGE = 0x10;
static const int CBENCH_FALLOC_INSERT_RANGE = 0x20;
static const int CBENCH_FALLOC_UNSHARE_RANGE = 0x40;

// ioctl(2)
static const unsigned long CBENCH_FICLONE = 0x40049409ul;          // _IOW(0x94, 9, int)
static const unsigned long CBENCH_FS_IOC_GETFLAGS = 0x80086601ul;  // _IOR('f', 1, long)
static const unsigned long CBENCH_FS_IOC_SETFLAGS = 0x40086602ul;  // _IOW('f', 2, long)
static const unsigned long CBENCH_FS_IOC_FSGETXATTR = 0x801c581ful;  // _IOR('X', 31, struct fsxattr)
static const uint32_t CBENCH_FS_SYNC_FL = 0x8;
static const uint32_t CBENCH_FS_IMMUTABLE_FL = 0x10;
static const uint32_t CBENCH_FS_APPEND_FL = 0x20;
static const uint32_t CBENCH_FS_NODUMP_FL = 0x40;

// statx(2)
static const uint32_t CBENCH_STATX_BTIME = 0x800;
static const uint32_t CBENCH_STATX_BASIC = 0x7ff;
static const int CBENCH_AT_STATX_FORCE_SYNC = 0x2000;

// capabilities(7), by number
static const int CBENCH_CAP_CHOWN = 0;
static const int CBENCH_CAP_DAC_OVERRIDE = 1;
static const int CBENCH_CAP_FOWNER = 3;
static const int CBENCH_CAP_FSETID = 4;

// The calling process, all its threads, as another user: groups, then gid, then uid. Keeps no capability unless
// `keep_capability` names one (0 to 63; -1 for none), which is then effective.
int cbench_become(uid_t uid, gid_t gid, size_t group_count, const gid_t *groups, int keep_capability);
// fork(2), which must not be called while the process has other threads.
pid_t cbench_fork(void);
// Exits of waitpid(2): the status of an exit, or -signal.
int cbench_exit_code(int status);
// The limit of RLIMIT_FSIZE, in bytes, soft and hard; SIGXFSZ is ignored from then on.
int cbench_limit_file_size(uint64_t bytes);
// A memory mapping of `length` bytes, shared or private, readable and if asked writable; NULL and errno on failure.
void *cbench_map(int descriptor, int64_t offset, size_t length, int writable, int shared);
// Memory shared with children to come; NULL and errno on failure.
void *cbench_shared_memory(size_t length);
// Reads the byte at `address`: 0, or the signal (SIGBUS, SIGSEGV) that this raised.
int cbench_read_fault(const void *address);
// Mounts a clone of the tree at `path` at `target` with ids shifted by `shift` (mount_setattr(2), MOUNT_ATTR_IDMAP).
int cbench_idmapped_mount(const char *path, const char *target, uint32_t first, uint32_t shift, uint32_t count);
// statvfs(3) and flock(2), whose names Swift takes for the structs.
int cbench_statvfs(const char *path, struct statvfs *result);
int cbench_flock(int descriptor, int operation);
// The calling process gets SIGKILL when its parent ends. To be repeated after it has become another user.
void cbench_die_with_parent(void);
// Adds one to a counter in shared memory, and waits until `count` processes have done so.
void cbench_rendezvous(void *counter, int count);
// Removes a tree of any depth and path length, as far as it can be removed.
void cbench_remove_tree(int directory, const char *name);
// sendfile(2)
ssize_t cbench_sendfile(int out, int in, int64_t *offset, size_t count);
// utimensat(2) of a path, or with a NULL path futimens(3).
int cbench_set_times(int directory, const char *path, const struct timespec times[2], int flags);
// Has the kernel drop all names and inodes of the working directory's mount that nobody uses, and so tell its daemon to forget
// them: a reconfiguration that changes nothing (fspick(2), fsconfig(2)). For FUSE mounts; needs CAP_SYS_ADMIN.
int cbench_drop_unused(void);
// Monotonic time in nanoseconds.
uint64_t cbench_now(void);

#endif
