/* 16 lanes: every rotate and every three-input function is one AVX-512 instruction. */
#include <immintrin.h>

#define LANES 16
#define VARIANT avx512

typedef __m512i vec;
#define SET1(word) _mm512_set1_epi32((int)(word))
#define ROR(x, n) _mm512_ror_epi32(x, n)
#define SHR(x, n) _mm512_srli_epi32(x, n)
#define ADD(x, y) _mm512_add_epi32(x, y)
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CH(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MAJ(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define ZERO_LANES(x, mask) _mm512_testn_epi32_mask(x, SET1(mask))

#if defined(PLACED) && defined(__x86_64__)
/* Each half round in this order: left to itself, a compiler mixes the ways until the registers do not
 * suffice. With three ways and E_BEFORE_A, what depends on a result stands two ways behind it. */
#define ROUND_E(r, hkw)                                                                    \
    {                                                                                      \
        vec t0, t1, t2;                                                                    \
        S(r, 7) = hkw;                                                                     \
        __asm__("vprord $6, %[e], %[t0]\n vprord $11, %[e], %[t1]\n vprord $25, %[e], %[t2]\n" \
                "vpternlogd $0x96, %[t2], %[t1], %[t0]\n"                                  \
                "vmovdqa32 %[e], %[t1]\n vpternlogd $0xca, %[g], %[f], %[t1]\n"            \
                "vpaddd %[t1], %[h], %[h]\n vpaddd %[t0], %[h], %[h]\n"                    \
                "vpaddd %[h], %[d], %[d]"                                                  \
                : [h] "+v"(S(r, 7)), [d] "+v"(S(r, 3)), [t0] "=&v"(t0), [t1] "=&v"(t1),    \
                  [t2] "=&v"(t2)                                                           \
                : [e] "v"(S(r, 4)), [f] "v"(S(r, 5)), [g] "v"(S(r, 6)));                   \
    }
#define ROUND_A(r)                                                                         \
    {                                                                                      \
        vec t0, t1, t2;                                                                    \
        __asm__("vprord $2, %[a], %[t0]\n vprord $13, %[a], %[t1]\n vprord $22, %[a], %[t2]\n" \
                "vpternlogd $0x96, %[t2], %[t1], %[t0]\n"                                  \
                "vmovdqa32 %[a], %[t1]\n vpternlogd $0xe8, %[c], %[b], %[t1]\n"            \
                "vpaddd %[t0], %[h], %[h]\n vpaddd %[t1], %[h], %[h]"                      \
                : [h] "+v"(S(r, 7)), [t0] "=&v"(t0), [t1] "=&v"(t1), [t2] "=&v"(t2)        \
                : [a] "v"(S(r, 0)), [b] "v"(S(r, 1)), [c] "v"(S(r, 2)));                   \
    }
#endif

#include "scan_lanes.inc.h"
