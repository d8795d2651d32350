// io_uring by its system calls alone, for a daemon that shall be able to do wrong: 128-byte SQEs, nothing checked,
// nothing kept from the kernel. For one thread.
#ifndef CBENCHRING_H
#define CBENCHRING_H

#include <stddef.h>
#include <stdint.h>

// io_uring_setup(2), of which older headers lack the later ones.
static const uint32_t CBENCH_SETUP_IOPOLL = 1u << 0;
static const uint32_t CBENCH_SETUP_SQPOLL = 1u << 1;
static const uint32_t CBENCH_SETUP_SQE128 = 1u << 10;
static const uint32_t CBENCH_SETUP_CQE32 = 1u << 11;
static const uint32_t CBENCH_SETUP_SINGLE_ISSUER = 1u << 12;
static const uint32_t CBENCH_SETUP_DEFER_TASKRUN = 1u << 13;

// sqe.opcode, sqe.flags
static const uint8_t CBENCH_OP_NOP = 0;
static const uint8_t CBENCH_OP_ASYNC_CANCEL = 14;
static const uint8_t CBENCH_OP_URING_CMD = 46;
static const uint8_t CBENCH_SQE_DRAIN = 1u << 1;
static const uint8_t CBENCH_SQE_LINK = 1u << 2;
static const uint8_t CBENCH_SQE_ASYNC = 1u << 4;
static const uint32_t CBENCH_CANCEL_ALL_ANY = 1u << 0 | 1u << 2;

// An SQE, as far as a FUSE daemon fills it.
struct cbench_sqe {
    uint8_t opcode;
    uint8_t flags;
    int32_t descriptor;
    uint32_t command;      // sqe.cmd_op
    uint64_t address;
    uint32_t length;
    uint32_t command_flags;  // sqe.uring_cmd_flags, sqe.cancel_flags
    uint64_t user_data;
    uint16_t buffer;       // sqe.buf_index
    uint8_t area[80];      // sqe.cmd
};

struct cbench_ring;

// A ring of so many SQEs and, if not 0, so many CQEs; NULL and errno. A child of fork(2) does not get its mappings.
struct cbench_ring *cbench_ring_open(uint32_t entries, uint32_t completions, uint32_t flags);
int cbench_ring_descriptor(const struct cbench_ring *ring);
// Where the rings are mapped: memory that the kernel writes, too.
void *cbench_ring_memory(const struct cbench_ring *ring);
// Puts an SQE behind those that wait; -1 and EBUSY if there is no room. Nothing is submitted.
int cbench_ring_push(struct cbench_ring *ring, const struct cbench_sqe *sqe);
// io_uring_enter(2): submits what waits, lets the kernel run what it has to, and waits so long for a completion.
int cbench_ring_enter(struct cbench_ring *ring, uint32_t milliseconds);
// Takes a completion: 1, or 0 if there is none.
int cbench_ring_pop(struct cbench_ring *ring, uint64_t *user_data, int32_t *result);
// io_uring_register(2)
int cbench_ring_register(const struct cbench_ring *ring, uint32_t operation, void *argument, uint32_t count);
// Another number of SQEs and CQEs under way (Linux 6.13).
int cbench_ring_resize(struct cbench_ring *ring, uint32_t entries);
// Closes the descriptor and takes the mappings away.
void cbench_ring_close(struct cbench_ring *ring);

#endif
