/* 4 lanes of NEON, which every 64-bit ARM CPU has. */
#include <arm_neon.h>

#define LANES 4
#define VARIANT neon

typedef uint32x4_t vec;
#define SET1(word) vdupq_n_u32(word)
#define SHR(x, n) vshrq_n_u32(x, n)
#define ROR(x, n) vsriq_n_u32(vshlq_n_u32(x, 32 - (n)), x, n)
#define ADD(x, y) vaddq_u32(x, y)
#define XOR3(x, y, z) veorq_u32(veorq_u32(x, y), z)
#define CH(x, y, z) vbslq_u32(x, y, z)
#define MAJ(x, y, z) vbslq_u32(veorq_u32(x, y), z, y)
#define ZERO_LANES(x, mask) zero_lanes(x, vdupq_n_u32(mask))

static inline uint32_t zero_lanes(vec x, vec mask) {
    static const uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vbicq_u32(vld1q_u32(bits), vtstq_u32(x, mask)));
}

#include "scan_lanes.inc.h"
