#include "cpu_features.h"

#include <stdatomic.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* XCR0 says which registers the operating system saves (Intel SDM vol. 1, section 13.3). */
static uint32_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static uint32_t ask(void) {
    uint32_t a, b, c, d, found = 0;
    const uint32_t ymm = 0x6, zmm = 0xe6; /* XCR0: SSE, AVX; with AVX-512's three */
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    if (d & bit_SSE2) found |= CPU_SSE2;
    if (c & bit_SSSE3) found |= CPU_SSSE3;
    if (c & bit_SSE4_1) found |= CPU_SSE41;
    if (c & bit_AVX) found |= CPU_AVX;
    if (c & bit_OSXSAVE) {
        uint32_t saved = saved_registers();
        if ((saved & ymm) == ymm) found |= CPU_OS_YMM;
        if ((saved & zmm) == zmm) found |= CPU_OS_ZMM;
    }
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
    if (b & bit_AVX2) found |= CPU_AVX2;
    if (b & bit_AVX512F) found |= CPU_AVX512F;
    if (b & bit_SHA) found |= CPU_SHA;
    return found;
}
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

static uint32_t ask(void) {
    const unsigned long asimd = 1ul << 1, sha2 = 1ul << 6; /* Linux: asm/hwcap.h of arm64 */
    unsigned long caps = getauxval(AT_HWCAP);
    return (caps & asimd ? (uint32_t)CPU_NEON : 0) | (caps & sha2 ? (uint32_t)CPU_ARM_SHA2 : 0);
}
#elif defined(__aarch64__) && defined(__APPLE__)
/* Every Apple silicon CPU has both. */
static uint32_t ask(void) { return CPU_NEON | CPU_ARM_SHA2; }
#elif defined(__aarch64__) && defined(_WIN32)
#include <windows.h>

/* NEON is part of what Windows asks of the CPU. */
static uint32_t ask(void) {
    int sha2 = IsProcessorFeaturePresent(PF_ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE);
    return CPU_NEON | (sha2 ? (uint32_t)CPU_ARM_SHA2 : 0);
}
#else
static uint32_t ask(void) { return 0; }
#endif

uint32_t cpu_features(void) {
    static _Atomic uint32_t known; /* each CPUID leaves a virtual machine: some 15 us for all */
    uint32_t found = atomic_load_explicit(&known, memory_order_relaxed);
    if (found == 0) {
        found = ask() | CPU_ASKED;
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return found;
}

const char *cpu_feature_words(uint32_t missing) {
    static const char *const words[] = {
        "this CPU has no SSE2",
        "this CPU has no SSSE3",
        "this CPU has no SSE4.1",
        "this CPU has no SHA extensions",
        "this CPU has no AVX",
        "this CPU has no AVX2",
        "this CPU has no AVX-512F",
        "the operating system does not save AVX registers",
        "the operating system does not save AVX-512 registers",
        "this CPU has no NEON",
        "this CPU has no SHA-2 extension",
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (missing >> i & 1) return words[i];
    return "";
}
