/* The one exported interface of the C kernels. No heap, no globals but const tables, caller's
 * memory, fixed-width types. All words are host-order uint32_t values of SHA-256's big-endian words.
 */
#ifndef HOMEHASH_SCAN_H
#define HOMEHASH_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCAN_EVARIANT = -1,  /* no such variant */
    SCAN_ECPU = -2,      /* this CPU or operating system lacks what the variant needs */
    SCAN_EVERSIONS = -3, /* no version */
    SCAN_ERANGE = -4,    /* start + count leaves 0 .. 2**32 */
    SCAN_ECAPACITY = -5  /* hit buffer smaller than scan_min_capacity() */
};

struct scan_task {
    const uint32_t *midstates; /* n_versions x 8 words: state after chunk 1, one per version */
    uint32_t n_versions;
    uint32_t tail[3];          /* header bytes 64..75 as big-endian words: W[0..2] of chunk 2 */
    uint32_t target[8];        /* least significant word first: target = sum target[i] << 32 i */
    uint64_t start, count;     /* nonces start .. start + count - 1 */
};

struct scan_hit {
    uint32_t version_index; /* into midstates */
    uint32_t nonce;
};

/* Scan until the range or the hit buffer is used up; a step starts only when all its hits fit.
 * Returns the number of hits (>= 0) or a negative SCAN_E code; *hashes = (version, nonce) pairs
 * tested: whole nonces, all of whose hits are in the buffer. Hits are in any order. */
int32_t scan_run(int32_t variant, const struct scan_task *task, struct scan_hit *hits,
                 size_t capacity, uint64_t *hashes);

/* States after chunk 1 (header bytes 0..63), one per version, which replaces the first four bytes:
 * 8 words each to `midstates`. */
void scan_midstates(const uint8_t chunk1[64], const uint32_t *versions, uint32_t n_versions,
                    uint32_t *midstates);

/* Smallest hit buffer with which the variant always advances. */
size_t scan_min_capacity(int32_t variant, uint32_t n_versions);

/* The table of variants, preferred first. Index out of range: NULL or a negative number. */
int32_t scan_variant_count(void);
const char *scan_variant_name(int32_t variant);
int32_t scan_variant_lanes(int32_t variant);
int32_t scan_variant_versions_wanted(int32_t variant);
/* "" when this CPU can run it, else the missing feature in words. */
const char *scan_variant_why_not(int32_t variant);

/* Compiler and version that built this: "gcc 12.2.0". */
const char *scan_compiler(void);

#endif
