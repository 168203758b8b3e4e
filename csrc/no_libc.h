/* What the library and its compiler need of <string.h> where there is no C library: WebAssembly.
 * scripts/build_backend/wasm.py puts it in that header's place. */
#ifndef HOMEHASH_NO_LIBC_H
#define HOMEHASH_NO_LIBC_H

#include <stddef.h>

int strcmp(const char *one, const char *other); /* declared; no call of it is left */

__attribute__((weak, no_builtin)) void *memcpy(void *to, const void *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

#endif
