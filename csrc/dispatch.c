/* The table of variants and the checked entry points; the only place with #ifdef HAVE_. */
#include <string.h>

#include "cpu_features.h"
#include "scan_impl.h"
#include "sha256_scalar.h"

struct variant {
    const char *name, *form;
    uint32_t needs; /* CPU_ bits */
    int32_t lanes, versions_wanted;
    enum yardstick_kind yardstick;
    const struct shape *shape; /* NULL: the compiler could not build it */
};

/* The shape where the build defines HAVE_..., else NULL: a defined one (as 1) puts a second argument
 * before the shape, and the second is taken. */
#define BEFORE_1 0,
#define SECOND(a, b, ...) b
#define PICK(junk, shape) SECOND(junk shape, NULL, )
#define IF_DEFINED(value, shape) PICK(BEFORE_##value, shape)
#define BUILT(have, shape) IF_DEFINED(have, shape)

#define AVX512 CPU_AVX512F | CPU_OS_ZMM, 16, 16, ADDS_512
#define SHANI(ways) CPU_SHA | CPU_SSSE3 | CPU_SSE41, ways, 16, SHA_ROUNDS
#define AVX2 CPU_AVX2 | CPU_OS_YMM, 8, 8, ADDS_256
#define SSE2 CPU_SSE2, 4, 4, ADDS_128
#define ARMV8(ways) CPU_ARM_SHA2, ways, 16, NO_YARDSTICK
#define NEON CPU_NEON, 4, 4, ADDS_128
#define PORTABLE 0, PORTABLE_LANES, 4, PORTABLE_LANES == 4 ? ADDS_128 : NO_YARDSTICK

/* Preferred first; measurement may prefer another. The last row always works. */
static const struct variant variants[] = {
    {"avx512", "loops3", AVX512, BUILT(HAVE_AVX512_LOOPS3, &scan_avx512_loops3)},
    {"avx512", "loops2", AVX512, BUILT(HAVE_AVX512_LOOPS2, &scan_avx512_loops2)},
    {"avx512", "straight2", AVX512, BUILT(HAVE_AVX512_STRAIGHT2, &scan_avx512_straight2)},
    {"shani", "straight4", SHANI(4), BUILT(HAVE_SHANI_STRAIGHT4, &scan_shani_straight4)},
    {"shani", "straight8", SHANI(8), BUILT(HAVE_SHANI_STRAIGHT8, &scan_shani_straight8)},
    {"avx2", "loops2", AVX2, BUILT(HAVE_AVX2_LOOPS2, &scan_avx2_loops2)},
    {"avx2", "straight1", AVX2, BUILT(HAVE_AVX2_STRAIGHT1, &scan_avx2_straight1)},
    {"sse2", "loops1", SSE2, BUILT(HAVE_SSE2_LOOPS1, &scan_sse2_loops1)},
    {"sse2", "straight1", SSE2, BUILT(HAVE_SSE2_STRAIGHT1, &scan_sse2_straight1)},
    {"armv8", "straight4", ARMV8(4), BUILT(HAVE_ARMV8_STRAIGHT4, &scan_armv8_straight4)},
    {"armv8", "straight8", ARMV8(8), BUILT(HAVE_ARMV8_STRAIGHT8, &scan_armv8_straight8)},
    {"neon", "loops2", NEON, BUILT(HAVE_NEON_LOOPS2, &scan_neon_loops2)},
    {"neon", "straight1", NEON, BUILT(HAVE_NEON_STRAIGHT1, &scan_neon_straight1)},
    {"portable", "loops1", PORTABLE, &scan_portable_loops1},
};
enum { VARIANT_COUNT = sizeof variants / sizeof *variants };

static const struct variant *at(int32_t variant) {
    return variant >= 0 && variant < VARIANT_COUNT ? &variants[variant] : NULL;
}

int32_t scan_variant_count(void) { return VARIANT_COUNT; }

const char *scan_variant_name(int32_t variant) { return at(variant) ? at(variant)->name : NULL; }

const char *scan_variant_shape(int32_t variant) { return at(variant) ? at(variant)->form : NULL; }

int32_t scan_variant_lanes(int32_t variant) { return at(variant) ? at(variant)->lanes : SCAN_EVARIANT; }

int32_t scan_variant_versions_wanted(int32_t variant) {
    return at(variant) ? at(variant)->versions_wanted : SCAN_EVARIANT;
}

const char *scan_variant_why_not(int32_t variant) {
    const struct variant *v = at(variant);
    if (v == NULL) return NULL;
    if (v->shape == NULL) return "not built: the compiler or target lacks this instruction set";
    return cpu_feature_words(v->needs & ~cpu_features());
}

uint64_t scan_yardstick(int32_t variant, uint64_t turns) {
    const struct variant *v = at(variant);
    if (v == NULL || (v->needs & ~cpu_features()) != 0) return 0;
    return yardstick(v->yardstick, turns);
}

/* Counted in the object files by scripts/build_backend/operations.py. */
static const struct {
    const char *name, *form;
    double step[2], version[2]; /* in a call of schedule and of survivors: several versions, one */
} operations[] = {
#ifdef OPERATIONS_FILE
#include OPERATIONS_FILE
#endif
    {NULL, NULL, {0, 0}, {0, 0}}};

double scan_variant_operations(int32_t variant, uint32_t n_versions) {
    const struct variant *v = at(variant);
    if (v == NULL || v->shape == NULL || n_versions == 0) return 0;
    for (size_t i = 0; operations[i].name != NULL; i++)
        if (strcmp(operations[i].name, v->name) == 0 && strcmp(operations[i].form, v->form) == 0) {
            const int one = n_versions == 1;
            return (operations[i].step[one] / n_versions + operations[i].version[one]) / v->shape->step;
        }
    return 0;
}

size_t scan_min_capacity(int32_t variant, uint32_t n_versions) {
    const struct variant *v = at(variant);
    return v != NULL && v->shape != NULL ? (size_t)v->shape->step * n_versions : 0;
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
    if (v->shape == NULL || (v->needs & ~cpu_features()) != 0) return SCAN_ECPU;
    if (task->n_versions == 0) return SCAN_EVERSIONS;
    if (task->start > nonces || task->count > nonces - task->start) return SCAN_ERANGE;
    if (capacity < scan_min_capacity(variant, task->n_versions)) return SCAN_ECAPACITY;
    return v->shape->scan(task, hits, capacity < INT32_MAX ? capacity : INT32_MAX, hashes);
}
