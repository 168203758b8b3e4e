/* 8 lanes of AVX2. */
#include <immintrin.h>

#define LANES 8
#define VARIANT avx2

typedef __m256i vec;
#define SET1(word) _mm256_set1_epi32((int)(word))
#define SHR(x, n) _mm256_srli_epi32(x, n)
#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define AND(x, y) _mm256_and_si256(x, y)
#define ROR(x, n) XOR(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))
#define XOR3(x, y, z) XOR(XOR(x, y), z)
#define CH(x, y, z) XOR(AND(XOR(y, z), x), z)
#define MAJ(x, y, z) XOR(AND(XOR(x, y), XOR(y, z)), y)
#define ZERO_LANES(x, mask)                                                               \
    _mm256_movemask_ps(_mm256_castsi256_ps(                                     \
        _mm256_cmpeq_epi32(AND(x, SET1(mask)), _mm256_setzero_si256())))

#include "scan_lanes.inc.h"
