/* What the library says of itself: version, layout of its structs, compiler. */
#include "scan.h"

#include <string.h> /* any header of the C library says how far it checks copies */

int32_t scan_version(void) { return SCAN_VERSION; }

#define SIZE(type) {#type, sizeof(struct type)}
#define OFFSET(type, field) {#type "." #field, offsetof(struct type, field)}

/* Every struct of scan.h with every field: tests compare the names with the header. */
static const struct {
    const char *name;
    int32_t bytes;
} layout[] = {
    SIZE(scan_task),
    OFFSET(scan_task, midstates),
    OFFSET(scan_task, n_versions),
    OFFSET(scan_task, tail),
    OFFSET(scan_task, target),
    OFFSET(scan_task, start),
    OFFSET(scan_task, count),
    SIZE(scan_hit),
    OFFSET(scan_hit, version_index),
    OFFSET(scan_hit, nonce),
};
enum { LAYOUT_ROWS = sizeof layout / sizeof *layout };

const char *scan_layout_name(int32_t row) {
    return row >= 0 && row < LAYOUT_ROWS ? layout[row].name : NULL;
}

int32_t scan_layout_bytes(int32_t row) {
    return row >= 0 && row < LAYOUT_ROWS ? layout[row].bytes : -1;
}

const char *scan_compiler(void) {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

int32_t scan_fortify_level(void) {
#ifdef __USE_FORTIFY_LEVEL
    return __USE_FORTIFY_LEVEL;
#else
    return 0;
#endif
}
