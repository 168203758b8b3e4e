#include "scan.h"

#include <string.h> /* any header of the C library says how far it checks copies */
#ifdef __USE_FORTIFY_LEVEL
#define FORTIFY_LEVEL __USE_FORTIFY_LEVEL
#else
#define FORTIFY_LEVEL 0
#endif
