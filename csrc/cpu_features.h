/* What this CPU and operating system can run, asked at run time. */
#ifndef HOMEHASH_CPU_FEATURES_H
#define HOMEHASH_CPU_FEATURES_H

#include <stdint.h>

enum {
    CPU_SSE2 = 1 << 0,
    CPU_SSSE3 = 1 << 1,
    CPU_SSE41 = 1 << 2,
    CPU_SHA = 1 << 3,    /* x86 SHA extensions */
    CPU_AVX = 1 << 4,
    CPU_AVX2 = 1 << 5,
    CPU_AVX512F = 1 << 6,
    CPU_OS_YMM = 1 << 7, /* the operating system saves the upper halves of the registers */
    CPU_OS_ZMM = 1 << 8,
    CPU_NEON = 1 << 9,
    CPU_ARM_SHA2 = 1 << 10,
    CPU_ASKED = 1 << 11 /* the answer is there, whatever it is */
};

/* Asked once and remembered; any thread may be the first. */
uint32_t cpu_features(void);

/* The lowest bit of `missing` in words, "" for none. */
const char *cpu_feature_words(uint32_t missing);

#endif
