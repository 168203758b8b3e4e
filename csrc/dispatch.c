/* The table of variants and the checked entry points; the only place with #ifdef HAVE_. */
#include "cpu_features.h"
#include "scan_impl.h"
#include "sha256_scalar.h"

struct variant {
    const char *name;
    uint32_t needs; /* CPU_ bits */
    int32_t lanes, versions_wanted;
    uint32_t step; /* nonces a step advances: the hit buffer holds that many of every version */
    scan_fn *scan;
};

static int32_t not_built(const struct scan_task *task, struct scan_hit *hits, size_t capacity,
                         uint64_t *hashes) {
    (void)task, (void)hits, (void)capacity, (void)hashes;
    return SCAN_ECPU;
}

/* A variant the compiler could not build keeps its row, and its reason. */
#ifndef HAVE_AVX512
#define scan_avx512 not_built
#endif
#ifndef HAVE_AVX2
#define scan_avx2 not_built
#endif
#ifndef HAVE_SHANI
#define scan_shani not_built
#endif
#ifndef HAVE_ARMV8
#define scan_armv8 not_built
#endif
#ifndef HAVE_NEON
#define scan_neon not_built
#endif
#ifndef HAVE_SSE2
#define scan_sse2 not_built
#endif

/* Preferred first; measurement may prefer another. The last row always works. */
static const struct variant variants[] = {
    {"avx512", CPU_AVX512F | CPU_OS_ZMM, 16, 16, 32, scan_avx512},
    {"shani", CPU_SHA | CPU_SSSE3 | CPU_SSE41, 4, 16, 4, scan_shani},
    {"avx2", CPU_AVX2 | CPU_OS_YMM, 8, 8, 8, scan_avx2},
    {"sse2", CPU_SSE2, 4, 4, 4, scan_sse2},
    {"armv8", CPU_ARM_SHA2, 4, 16, 4, scan_armv8},
    {"neon", CPU_NEON, 4, 4, 4, scan_neon},
    {"portable", 0, PORTABLE_LANES, 4, PORTABLE_LANES, scan_portable},
};
enum { VARIANT_COUNT = sizeof variants / sizeof *variants };

static const struct variant *at(int32_t variant) {
    return variant >= 0 && variant < VARIANT_COUNT ? &variants[variant] : NULL;
}

int32_t scan_variant_count(void) { return VARIANT_COUNT; }

const char *scan_variant_name(int32_t variant) { return at(variant) ? at(variant)->name : NULL; }

int32_t scan_variant_lanes(int32_t variant) { return at(variant) ? at(variant)->lanes : SCAN_EVARIANT; }

int32_t scan_variant_versions_wanted(int32_t variant) {
    return at(variant) ? at(variant)->versions_wanted : SCAN_EVARIANT;
}

const char *scan_variant_why_not(int32_t variant) {
    const struct variant *v = at(variant);
    if (v == NULL) return NULL;
    if (v->scan == not_built) return "not built: the compiler or target lacks this instruction set";
    return cpu_feature_words(v->needs & ~cpu_features());
}

size_t scan_min_capacity(int32_t variant, uint32_t n_versions) {
    return at(variant) ? (size_t)at(variant)->step * n_versions : 0;
}

void scan_midstates(const uint8_t chunk1[64], const uint32_t *versions, uint32_t n_versions,
                    uint32_t *midstates) {
    for (uint32_t version = 0; version < n_versions; version++, midstates += 8) {
        uint32_t w[16] = {byteswap32(versions[version])}; /* little-endian in the header */
        for (int i = 4; i < 64; i++) w[i / 4] |= (uint32_t)chunk1[i] << 8 * (3 - i % 4);
        for (int i = 0; i < 8; i++) midstates[i] = SHA256_INIT[i];
        sha256_compress(midstates, w);
    }
}

int32_t scan_run(int32_t variant, const struct scan_task *task, struct scan_hit *hits,
                 size_t capacity, uint64_t *hashes) {
    const uint64_t nonces = (uint64_t)1 << 32;
    const struct variant *v = at(variant);
    *hashes = 0;
    if (v == NULL) return SCAN_EVARIANT;
    if (v->scan == not_built || (v->needs & ~cpu_features()) != 0) return SCAN_ECPU;
    if (task->n_versions == 0) return SCAN_EVERSIONS;
    if (task->start > nonces || task->count > nonces - task->start) return SCAN_ERANGE;
    if (capacity < scan_min_capacity(variant, task->n_versions)) return SCAN_ECAPACITY;
    return v->scan(task, hits, capacity < INT32_MAX ? capacity : INT32_MAX, hashes);
}
