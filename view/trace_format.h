/* trace_format.h - floor 6: the numbers of a trace file that its writer and its reader share. Private to view/. */
#ifndef EBB_TRACE_FORMAT_H
#define EBB_TRACE_FORMAT_H
#include <ebb/view.h>

enum { EBB__TABLES = 10 }; /* tables of a frame, in the order of ebb_trace_step's counts */
enum { EBB__HEADER = 64, EBB__FRAME_HEADER = 112, EBB__TRAILER = 8 };
#define EBB__TRACE_MAGIC "ebbtrace"
#define EBB__TRACE_END 0x65636172u /* "race" */

typedef struct ebb__trace_header { /* the first 64 bytes of a file; the frames' offsets, uint64_t, follow */
    char magic[8];
    uint32_t version, frames;
    uint64_t bytes;
    uint32_t item[EBB__TABLES];
} ebb__trace_header;

typedef struct ebb__frame_header { /* the first 112 bytes of a frame */
    uint64_t bytes;
    int64_t step;
    double loss;
    uint32_t model, about;
    int32_t count[EBB__TABLES];
    uint32_t at[EBB__TABLES];
} ebb__frame_header;

_Static_assert(sizeof(ebb__trace_header) == EBB__HEADER && sizeof(ebb__frame_header) == EBB__FRAME_HEADER,
               "the headers are what the top of trace_write.c says");

static const uint32_t ebb__trace_item[EBB__TABLES] = {sizeof(ebb_trace_tensor),
                                                      sizeof(ebb_trace_node),
                                                      sizeof(ebb_trace_input),
                                                      sizeof(ebb_trace_group),
                                                      sizeof(ebb_trace_event),
                                                      sizeof(ebb_trace_stats),
                                                      sizeof(ebb_trace_finding),
                                                      sizeof(ebb_trace_series),
                                                      sizeof(float),
                                                      1};
static const char *const ebb__trace_table[EBB__TABLES] = {"tensors", "nodes",    "inputs", "groups", "events",
                                                          "stats",   "findings", "series", "floats", "texts"};

/* FNV-1a over 32-bit words. bytes: a multiple of 4. */
static inline uint32_t ebb__checksum(const void *p, uint64_t bytes) {
    const uint32_t *word = (const uint32_t *)p;
    uint32_t h = 2166136261u;
    for (uint64_t i = 0; i < bytes / 4; i++) h = (h ^ word[i]) * 16777619u;
    return h;
}
/* n items of a table, with the zeros up to a multiple of 8. */
static inline uint64_t ebb__table_bytes(int table, int64_t n) {
    return ((uint64_t)n * ebb__trace_item[table] + 7) & ~(uint64_t)7;
}
#endif
