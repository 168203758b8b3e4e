/* What dispatch.c and the scan_<isa>.c files share. */
#ifndef HOMEHASH_SCAN_IMPL_H
#define HOMEHASH_SCAN_IMPL_H

#include "scan.h"

/* One per variant. dispatch.c has checked the task and the capacity; contract as scan_run's. */
typedef int32_t scan_fn(const struct scan_task *task, struct scan_hit *hits, size_t capacity,
                        uint64_t *hashes);

scan_fn scan_portable, scan_sse2, scan_avx2, scan_avx512, scan_shani, scan_neon, scan_armv8;

/* Words in a vector of scan_portable.c: four where every CPU of the target has such registers. */
#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__) || defined(__VX__)
#define BASELINE_VECTORS
#endif
#if defined(BASELINE_VECTORS) && !defined(PLAIN_WORDS) /* tests want both */
#define PORTABLE_LANES 4
#else
#define PORTABLE_LANES 1
#endif

#endif
