/* One hash at a time in plain C: runs anywhere, and is what the other variants are compared with. */
#define LANES 1
#define WAYS 1
#define SCAN_NAME scan_portable

typedef unsigned int vec;
#define SET1(word) (word)
#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define SHR(x, n) ((x) >> (n))
#define ADD(x, y) ((x) + (y))
#define XOR3(x, y, z) ((x) ^ (y) ^ (z))
#define CH(x, y, z) ((((y) ^ (z)) & (x)) ^ (z))
#define MAJ(x, y, z) ((((x) ^ (y)) & ((y) ^ (z))) ^ (y))
#define ZERO_LANES(x, mask) (((x) & (mask)) == 0)

#include "scan_lanes.inc.h"
