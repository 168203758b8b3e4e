/* What dispatch.c and the scan_<isa>.c files share. */
#ifndef HOMEHASH_SCAN_IMPL_H
#define HOMEHASH_SCAN_IMPL_H

#include "scan.h"

/* dispatch.c has checked the task and the capacity; contract as scan_run's. */
typedef int32_t scan_fn(const struct scan_task *task, struct scan_hit *hits, size_t capacity,
                        uint64_t *hashes);

/* One way to compile a variant; scan_<variant>_<shape>, in the object of that name. */
struct shape {
    uint32_t step; /* nonces a step advances: the hit buffer holds that many of every version */
    scan_fn *scan;
};

extern const struct shape scan_avx512_loops3, scan_avx512_loops2, scan_avx512_straight2,
    scan_shani_straight4, scan_shani_straight8, scan_avx2_loops2, scan_avx2_straight1,
    scan_sse2_loops1, scan_sse2_straight1, scan_armv8_straight4, scan_armv8_straight8,
    scan_neon_loops2, scan_neon_straight1, scan_portable_loops1;

/* yardstick.c: run turns of independent operations of this kind; how many they were, 0: none for this
 * processor. The caller has asked the CPU. */
enum yardstick_kind { NO_YARDSTICK, ADDS_128, ADDS_256, ADDS_512, SHA_ROUNDS };
uint64_t yardstick(enum yardstick_kind kind, uint64_t turns);

/* Words in a vector of scan_portable.c: four where every CPU of the target has such registers. */
#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__) || defined(__VX__) || \
    defined(__wasm_simd128__)
#define BASELINE_VECTORS
#endif
#if defined(BASELINE_VECTORS) && !defined(PLAIN_WORDS) /* tests want both */
#define PORTABLE_LANES 4
#else
#define PORTABLE_LANES 1
#endif

#endif
