/* homehash's C library: a proof-of-work scan for the CPU it runs on, callable from any language.
 *
 * This file is the whole interface; nothing else is exported. All functions have the C calling
 * convention of the platform and may be called from several threads at once: there is no heap, memory
 * is the caller's, and the one thing kept is what the CPU answered when it was asked for its features
 * (an atomic word). Types have fixed widths and the platform's C layout. Words are host-order
 * uint32_t values of SHA-256's big-endian words. Strings are static, ASCII, ended by 0.
 *
 * A program in another language does this once:
 *  1. scan_version() must be SCAN_VERSION; before that, call nothing else.
 *  2. The sizes and offsets of scan_layout_*() must be those its own structs have.
 *  3. Take the first variant whose scan_variant_why_not() is "" (they are ordered best guess first),
 *     or measure all of those.
 * Then, for each 76-byte header start: scan_midstates(), fill a scan_task, call scan_run() until the
 * nonces are used up. Python does so in miner/backends/native/.
 *
 * Python reads this file too: it leaves out lines that begin with # and the word SCAN_API, and what
 * remains are plain declarations. Keep it so: macros on one line, one declaration a statement.
 */
#ifndef HOMEHASH_SCAN_H
#define HOMEHASH_SCAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SCAN_C extern "C"
#else
#define SCAN_C
#endif
#if defined(_WIN32)
#define SCAN_API SCAN_C __declspec(dllexport)
#else
#define SCAN_API SCAN_C __attribute__((visibility("default")))
#endif

enum {
    SCAN_VERSION = 2 /* grows with every change of what is below */
};

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

/* The SCAN_VERSION this library was built with. Never changes its own form. */
SCAN_API int32_t scan_version(void);

/* Row by row the structs above as this library has them: "scan_task" and its size in bytes,
 * "scan_task.target" and its offset. NULL and a negative number beyond the last row. */
SCAN_API const char *scan_layout_name(int32_t row);
SCAN_API int32_t scan_layout_bytes(int32_t row);

/* Scan until the range or the hit buffer is used up; a step starts only when all its hits fit.
 * Returns the number of hits (>= 0) or a negative SCAN_E code; *hashes = (version, nonce) pairs
 * tested: whole nonces, all of whose hits are in the buffer. Hits are in any order. */
SCAN_API int32_t scan_run(int32_t variant, const struct scan_task *task, struct scan_hit *hits,
                          size_t capacity, uint64_t *hashes);

/* States after chunk 1 (header bytes 0..63), one per version, which replaces the first four bytes:
 * 8 words each to `midstates`. */
SCAN_API void scan_midstates(const uint8_t chunk1[64], const uint32_t *versions,
                             uint32_t n_versions, uint32_t *midstates);

/* Smallest hit buffer, in hits, with which the variant always advances. */
SCAN_API size_t scan_min_capacity(int32_t variant, uint32_t n_versions);

/* The table of variants, preferred first. A variant may have several rows, one for each shape it was
 * compiled in; which shape is fastest differs from CPU to CPU, and between one version and several:
 * measure. Index out of range: NULL or a negative number. */
SCAN_API int32_t scan_variant_count(void);
SCAN_API const char *scan_variant_name(int32_t variant);
SCAN_API const char *scan_variant_shape(int32_t variant);
SCAN_API int32_t scan_variant_lanes(int32_t variant);
SCAN_API int32_t scan_variant_versions_wanted(int32_t variant);
/* "" when this CPU can run it, else the missing feature in words. */
SCAN_API const char *scan_variant_why_not(int32_t variant);

/* The roofline. scan_yardstick() runs `turns` turns of independent operations of the kind a variant is
 * made of (32-bit adds of its vector width; rounds of the SHA extensions), as fast as this core can, and
 * returns how many they were; 0: not known for this variant. Timed, that is V, operations a second.
 * scan_variant_operations() is how many a hash takes with so many versions, counted in the code as built;
 * 0: it was not counted. V divided by it is the most that the variant can reach on this core. */
SCAN_API uint64_t scan_yardstick(int32_t variant, uint64_t turns);
SCAN_API double scan_variant_operations(int32_t variant, uint32_t n_versions);

/* Compiler and version that built this: "gcc 12.2.0". */
SCAN_API const char *scan_compiler(void);

/* How far its copies are checked: glibc's _FORTIFY_SOURCE at build time, 0 elsewhere. */
SCAN_API int32_t scan_fortify_level(void);

#endif
