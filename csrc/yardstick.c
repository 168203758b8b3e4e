/* V, the yardstick of vector units: independent 32-bit adds at each width. scripts/figures.py yardstick
 * compiles and calls it; the miner does not contain it. Each call makes ADDS_A_TURN x turns adds
 * (instructions, not lanes). */
#include <stdint.h>

#define SIX(add) add(0) add(1) add(2) add(3) add(4) add(5)
#define TWELVE(add) SIX(add) add(6) add(7) add(8) add(9) add(10) add(11)
#define ADDS(add) TWELVE(add) TWELVE(add) TWELVE(add) TWELVE(add)
enum { ADDS_A_TURN = 48 };

int yardstick_adds_a_turn(void);
void yardstick_adds_32(uint64_t turns);
void yardstick_adds_128(uint64_t turns);
void yardstick_adds_256(uint64_t turns);
void yardstick_adds_512(uint64_t turns);

int yardstick_adds_a_turn(void) { return ADDS_A_TURN; }

#if defined(__x86_64__)
#define CLOBBERED                                                                          \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",  \
        "xmm10", "xmm11"
#define LOOP(add) "1:\n" ADDS(add) "dec %0\n jnz 1b\n"
#define SSE(n) "paddd %%xmm" #n ", %%xmm" #n "\n"
#define AVX2(n) "vpaddd %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n"
#define AVX512(n) "vpaddd %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n"
#define PLAIN(a, b, c, d) "add $1, %%" a "\n add $1, %%" b "\n add $1, %%" c "\n add $1, %%" d "\n"
#define EIGHT PLAIN("eax", "ecx", "edx", "esi") PLAIN("edi", "r8d", "r9d", "r10d")

void yardstick_adds_32(uint64_t turns) {
    __asm__ volatile("1:\n" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "dec %0\n jnz 1b\n"
                     : "+r"(turns)::"cc", "eax", "ecx", "edx", "esi", "edi", "r8", "r9", "r10");
}
void yardstick_adds_128(uint64_t turns) {
    __asm__ volatile(LOOP(SSE) : "+r"(turns)::CLOBBERED);
}
__attribute__((target("avx2"))) void yardstick_adds_256(uint64_t turns) {
    __asm__ volatile(LOOP(AVX2) "vzeroupper\n" : "+r"(turns)::CLOBBERED);
}
__attribute__((target("avx512f"))) void yardstick_adds_512(uint64_t turns) {
    __asm__ volatile(LOOP(AVX512) "vzeroupper\n" : "+r"(turns)::CLOBBERED);
}
#elif defined(__aarch64__)
#define NEON(n) "add v" #n ".4s, v" #n ".4s, v" #n ".4s\n"
#define PLAIN(n) "add w" #n ", w" #n ", #1\n"

void yardstick_adds_32(uint64_t turns) {
    __asm__ volatile("1:\n" ADDS(PLAIN) "subs %0, %0, #1\n b.ne 1b\n"
                     : "+r"(turns)::"cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",
                       "x9", "x10", "x11");
}
void yardstick_adds_128(uint64_t turns) {
    __asm__ volatile("1:\n" ADDS(NEON) "subs %0, %0, #1\n b.ne 1b\n"
                     : "+r"(turns)::"cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8",
                       "v9", "v10", "v11");
}
#endif
