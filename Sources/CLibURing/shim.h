// liburing as Swift can use it. <sys/types.h> and <linux/io_uring.h> come first: without them, and with _GNU_SOURCE, the
// header's types clash with Glibc's and swift-system's.
#ifndef CLIBURING_SHIM_H
#define CLIBURING_SHIM_H

#include <sys/types.h>
#include <linux/io_uring.h>
#include <liburing.h>
#include <string.h>

// One more than liburing 2.3 imports into Swift: IOSQE_FIXED_FILE is an enumerator's shift there.
static const unsigned int CLIBURING_FIXED_FILE = 1u << 0;

// Prepares a FUSE command on a 128-byte SQE. The 80 bytes of its command area (from offset 48) are zeroed first: Linux 7.3
// refuses a REGISTER whose bytes beyond the known fields are not zero. `vectors` is the header and payload pair of a
// REGISTER (two iovecs), NULL for a commit. `device` is an index into the registered files.
static inline void cliburing_prep_fuse(
    struct io_uring_sqe *sqe, int device, unsigned int command, unsigned short queue, unsigned long long commit_id,
    const void *vectors, unsigned long long user_data)
{
    unsigned char *area = (unsigned char *)sqe + 48;

    memset(sqe, 0, 128);
    sqe->opcode = IORING_OP_URING_CMD;
    sqe->flags = CLIBURING_FIXED_FILE;
    sqe->fd = device;
    sqe->cmd_op = command;
    sqe->addr = (unsigned long long)vectors;
    sqe->len = vectors ? 2 : 0;
    sqe->user_data = user_data;
    memcpy(area + 8, &commit_id, sizeof(commit_id));
    memcpy(area + 16, &queue, sizeof(queue));
}

// ADD_QUEUE's flags.
static inline void cliburing_set_queue_flags(struct io_uring_sqe *sqe, unsigned long long flags)
{
    memcpy((unsigned char *)sqe + 48, &flags, sizeof(flags));
}

// ADD_BUFPOOL's region.
static inline void cliburing_set_pool(struct io_uring_sqe *sqe, const void *start, unsigned int size)
{
    unsigned long long address = (unsigned long long)start;

    memcpy((unsigned char *)sqe + 48 + 24, &address, sizeof(address));
    memcpy((unsigned char *)sqe + 48 + 32, &size, sizeof(size));
}

// Where in the ring's table of buffers the kernel puts the clients' pages of an entry that is registered.
static inline void cliburing_set_pages_slot(struct io_uring_sqe *sqe, unsigned short slot)
{
    memcpy((unsigned char *)sqe + 48 + 24, &slot, sizeof(slot));
}

// The command's queue has its pool at `slot` of the ring's table of buffers.
static inline void cliburing_set_registered_pool(struct io_uring_sqe *sqe, unsigned short slot)
{
    sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
    sqe->buf_index = slot;
}

// What a READ_FIXED or WRITE_FIXED moves lies at `slot` of the ring's table of buffers.
static inline void cliburing_set_buffer(struct io_uring_sqe *sqe, unsigned short slot)
{
    sqe->buf_index = slot;
}

// Prepares a read, write or fsync of a backing file. `flags` is rw_flags or fsync_flags.
static inline void cliburing_prep_backing(
    struct io_uring_sqe *sqe, unsigned int opcode, int descriptor, void *buffer, unsigned int count,
    long long offset, unsigned int flags, unsigned long long user_data)
{
    memset(sqe, 0, 128);
    sqe->opcode = opcode;
    sqe->fd = descriptor;
    sqe->addr = (unsigned long long)buffer;
    sqe->len = count;
    sqe->off = (unsigned long long)offset;
    sqe->rw_flags = (int)flags;
    sqe->user_data = user_data;
}

// Has a thread of io_uring's do what was prepared, even where it could be done at once.
static inline void cliburing_run_on_worker(struct io_uring_sqe *sqe) { sqe->flags |= IOSQE_ASYNC; }

// The completion at `index` behind the head, of a ring whose CQEs have the usual 16 bytes. io_uring_peek_batch_cqe does the
// same by a call into the library and a table of pointers.
static inline struct io_uring_cqe *cliburing_completion(struct io_uring *ring, unsigned int index)
{
    return &ring->cq.cqes[(*ring->cq.khead + index) & *ring->cq.kring_mask];
}

// Whether the kernel has work for the ring's thread that becomes completions when it asks (DEFER_TASKRUN, TASKRUN_FLAG).
static inline int cliburing_has_deferred_work(const struct io_uring *ring)
{
    return (IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_TASKRUN) != 0;
}

#endif
