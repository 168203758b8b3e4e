/* 16 lanes: every rotate and every three-input function is one AVX-512 instruction. */
#include <immintrin.h>

#define LANES 16
#ifndef WAYS /* experiments may set it */
#define WAYS 2
#endif
#define SCAN_NAME scan_avx512

typedef __m512i vec;
#define SET1(word) _mm512_set1_epi32((int)(word))
#define ROR(x, n) _mm512_ror_epi32(x, n)
#define SHR(x, n) _mm512_srli_epi32(x, n)
#define ADD(x, y) _mm512_add_epi32(x, y)
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CH(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define MAJ(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define ZERO_LANES(x, mask) _mm512_testn_epi32_mask(x, SET1(mask))

#include "scan_lanes.inc.h"
