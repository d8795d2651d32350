// The FUSE wire ABI: <linux/fuse.h> of the machine, and what an older one (Debian 12 has protocol 7.38) lacks.
//
// Types that a newer header has too carry the prefix cfuse_, so that this compiles beside every header; CFUSE.c checks
// their layouts. Source: include/uapi/linux/fuse.h, protocol 7.46 (Linux 7.3).
#ifndef CFUSE_H
#define CFUSE_H

#include <linux/fuse.h>
#include <stdint.h>

// Reply to INIT, with the fields that 7.40 (max_stack_depth) and 7.43 (request_timeout, seconds) added.
struct cfuse_init_out {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    uint16_t max_background;
    uint16_t congestion_threshold;
    uint32_t max_write;
    uint32_t time_gran;
    uint16_t max_pages;
    uint16_t map_alignment;
    uint32_t flags2;
    uint32_t max_stack_depth;
    uint16_t request_timeout;
    uint16_t unused[11];
};

// Reply to OPEN; backing_id since 7.40.
struct cfuse_open_out {
    uint64_t fh;
    uint32_t open_flags;
    int32_t backing_id;
};

// STATX, since 7.39.
struct cfuse_sx_time {
    int64_t tv_sec;
    uint32_t tv_nsec;
    int32_t reserved;
};

struct cfuse_statx {
    uint32_t mask;
    uint32_t blksize;
    uint64_t attributes;
    uint32_t nlink;
    uint32_t uid;
    uint32_t gid;
    uint16_t mode;
    uint16_t spare0;
    uint64_t ino;
    uint64_t size;
    uint64_t blocks;
    uint64_t attributes_mask;
    struct cfuse_sx_time atime;
    struct cfuse_sx_time btime;
    struct cfuse_sx_time ctime;
    struct cfuse_sx_time mtime;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t spare2[14];
};

struct cfuse_statx_in {
    uint32_t getattr_flags;
    uint32_t reserved;
    uint64_t fh;
    uint32_t sx_flags;
    uint32_t sx_mask;
};

struct cfuse_statx_out {
    uint64_t attr_valid;
    uint32_t attr_valid_nsec;
    uint32_t flags;
    uint64_t spare[2];
    struct cfuse_statx stat;
};

// COPY_FILE_RANGE_64's reply, since 7.45.
struct cfuse_copy_file_range_out {
    uint64_t bytes_copied;
};

// FUSE passthrough, since 7.40.
struct cfuse_backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

// FUSE over io_uring, since 7.42. flags and offset mean something since 7.46; they are 0 before.
struct cfuse_uring_ent_in_out {
    uint64_t flags;
    uint64_t commit_id;
    uint32_t payload_sz;
    uint32_t offset;  // of the payload in its queue's pool
    uint64_t reserved;
};

struct cfuse_uring_req_header {
    uint8_t in_out[128];
    uint8_t op_in[128];
    struct cfuse_uring_ent_in_out ring_ent_in_out;
};

// What ADD_BUFPOOL names: a region, cut into buffers of the largest payload each.
struct cfuse_uring_bufpool {
    uint64_t uaddr;
    uint32_t len;
    uint32_t reserved;
};

// In the command area of an SQE. It ended before `of` until 7.46; a byte that is not zero where it should be is refused.
struct cfuse_uring_cmd_req {
    uint64_t flags;
    uint64_t commit_id;
    uint16_t qid;
    uint8_t padding[6];
    union {
        struct cfuse_uring_bufpool bufpool;  // ADD_BUFPOOL
        uint16_t ent_zero_copy_buf_index;    // REGISTER, on a queue with zero copy
    } of;
};

// Bits of cfuse_uring_cmd_req.flags (ADD_QUEUE) and of cfuse_uring_ent_in_out.flags.
static const uint64_t CFUSE_URING_ZERO_COPY = 1u << 0;
static const uint64_t CFUSE_URING_ENT_ZERO_COPY = 1u << 0;

// ioctl(2) requests of /dev/fuse, which Swift cannot import as macros.
static const unsigned long CFUSE_DEV_IOC_CLONE = 0x8004e500ul;          // _IOR(229, 0, uint32_t)
static const unsigned long CFUSE_DEV_IOC_BACKING_OPEN = 0x4010e501ul;   // _IOW(229, 1, struct fuse_backing_map)
static const unsigned long CFUSE_DEV_IOC_BACKING_CLOSE = 0x4004e502ul;  // _IOW(229, 2, uint32_t)

#endif
