/* The yardstick of vector units: independent operations at each width, as fast as they go. An add is
 * the cheapest of all that a hash is made of, so V, adds a second over the operations of a hash, is the
 * most that any order of them can reach; for the SHA extensions it is their round instruction.
 */
#include "scan_impl.h"

#define SIX(add) add(0) add(1) add(2) add(3) add(4) add(5)
#define TWELVE(add) SIX(add) add(6) add(7) add(8) add(9) add(10) add(11)
#define TURN(add) TWELVE(add) TWELVE(add) TWELVE(add) TWELVE(add)
enum { OPERATIONS = 48 }; /* in a turn */

#if defined(__x86_64__)
#define CLOBBERED                                                                          \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",  \
        "xmm10", "xmm11", "xmm12"
#define LOOP(add) "1:\n" TURN(add) "dec %0\n jnz 1b\n"
#define SSE(n) "paddd %%xmm" #n ", %%xmm" #n "\n"
#define AVX2(n) "vpaddd %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n"
#define AVX512(n) "vpaddd %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n"
#define SHA(n) "sha256rnds2 %%xmm0, %%xmm12, %%xmm" #n "\n"
#define ELEVEN(add) add(1) add(2) add(3) add(4) add(5) add(6) add(7) add(8) add(9) add(10) add(11)
#define SHA_TURN ELEVEN(SHA) ELEVEN(SHA) ELEVEN(SHA) ELEVEN(SHA) SHA(1) SHA(2) SHA(3) SHA(4)

static void adds_128(uint64_t turns) { __asm__ volatile(LOOP(SSE) : "+r"(turns)::CLOBBERED); }
__attribute__((target("avx2"))) static void adds_256(uint64_t turns) {
    __asm__ volatile(LOOP(AVX2) "vzeroupper\n" : "+r"(turns)::CLOBBERED);
}
__attribute__((target("avx512f"))) static void adds_512(uint64_t turns) {
    __asm__ volatile(LOOP(AVX512) "vzeroupper\n" : "+r"(turns)::CLOBBERED);
}
__attribute__((target("sha"))) static void sha_rounds(uint64_t turns) {
    __asm__ volatile("1:\n" SHA_TURN "dec %0\n jnz 1b\n" : "+r"(turns)::CLOBBERED);
}

uint64_t yardstick(enum yardstick_kind kind, uint64_t turns) {
    if (turns == 0) return 0;
    if (kind == ADDS_512) adds_512(turns);
    else if (kind == ADDS_256) adds_256(turns);
    else if (kind == ADDS_128) adds_128(turns);
    else if (kind == SHA_ROUNDS) sha_rounds(turns);
    else return 0;
    return OPERATIONS * turns;
}
#elif defined(__aarch64__)
#define NEON(n) "add v" #n ".4s, v" #n ".4s, v" #n ".4s\n"

uint64_t yardstick(enum yardstick_kind kind, uint64_t turns) {
    if (turns == 0 || kind != ADDS_128) return 0;
    const uint64_t operations = OPERATIONS * turns;
    __asm__ volatile("1:\n" TURN(NEON) "subs %0, %0, #1\n b.ne 1b\n"
                     : "+r"(turns)::"cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8",
                       "v9", "v10", "v11");
    return operations;
}
#else
uint64_t yardstick(enum yardstick_kind kind, uint64_t turns) {
    (void)kind, (void)turns;
    return 0;
}
#endif
