/* Plain C for any CPU: the compiler's own four-word vectors where the target's baseline has them,
 * single words elsewhere. */
#include "scan_impl.h"
#include "shape.h"

#define LANES PORTABLE_LANES
#define VARIANT portable

#if LANES == 4
typedef uint32_t vec __attribute__((vector_size(16)));
#define SET1(word) ((vec){0} + (uint32_t)(word))
#define ZERO_LANES(x, mask) zero_lanes((x) & SET1(mask))

static inline uint32_t zero_lanes(vec x) {
    uint32_t lanes = 0;
    UNROLL for (int i = 0; i < 4; i++) lanes |= (uint32_t)(x[i] == 0) << i;
    return lanes;
}
#else
typedef uint32_t vec;
#define SET1(word) (word)
#define ZERO_LANES(x, mask) (((x) & (mask)) == 0)
#endif

#define SHR(x, n) ((x) >> (n))
#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define ADD(x, y) ((x) + (y))
#define XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define CH(x, y, z) ((((y) ^ (z)) & (x)) ^ (z))
#define MAJ(x, y, z) ((((x) ^ (y)) & ((y) ^ (z))) ^ (y))

#include "scan_lanes.inc.h"
