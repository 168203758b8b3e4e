/* 4 lanes of SSE2, which every 64-bit x86 CPU has. */
#include <emmintrin.h>

#define LANES 4
#define VARIANT sse2

typedef __m128i vec;
#define SET1(word) _mm_set1_epi32((int)(word))
#define SHR(x, n) _mm_srli_epi32(x, n)
#define ADD(x, y) _mm_add_epi32(x, y)
#define XOR(x, y) _mm_xor_si128(x, y)
#define AND(x, y) _mm_and_si128(x, y)
#define ROR(x, n) XOR(_mm_srli_epi32(x, n), _mm_slli_epi32(x, 32 - (n)))
#define XOR3(x, y, z) XOR(XOR(x, y), z)
#define CH(x, y, z) XOR(AND(XOR(y, z), x), z)
#define MAJ(x, y, z) XOR(AND(XOR(x, y), XOR(y, z)), y)
#define ZERO_LANES(x, mask)                                                               \
    _mm_movemask_ps(_mm_castsi128_ps(                                           \
        _mm_cmpeq_epi32(AND(x, SET1(mask)), _mm_setzero_si128())))

#include "scan_lanes.inc.h"
