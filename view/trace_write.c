/* trace_write.c - floor 6: traces to the bytes of a file.
 *
 * The format, version 1. Everything is little-endian and meant for typed arrays: 8-byte numbers lie at multiples of 8, 4-byte numbers at
 * multiples of 4; whatever has an offset begins at a multiple of 8.
 *
 *   file header, 64 bytes
 *      0  char[8]     "ebbtrace"
 *      8  uint32      version, 1
 *     12  uint32      F, how many frames
 *     16  uint64      bytes of the whole file, the trailer included
 *     24  uint32[10]  bytes of one item of each table, in the order of the tables below: 72 56 8 28 20 184 28 12 4 1
 *   64  uint64[F]     where each frame begins, from the beginning of the file: behind this list, then one behind the other
 *   the frames
 *   trailer, the last 8 bytes
 *      0  uint32      checksum of all bytes before the trailer: h = 2166136261, then for each uint32 w: h = (h xor w) * 16777619 mod 2^32
 *      4  uint32      0x65636172, the bytes "race"
 *
 *   frame, offsets from its own beginning
 *      0  uint64      bytes of the frame, a multiple of 8
 *      8  int64       step
 *     16  float64     loss, NaN: there is none
 *     24  uint32      model: a place in texts
 *     28  uint32      about: a place in texts
 *     32  int32[10]   how many items: tensors, nodes, inputs, groups, events, stats, findings, series, floats, texts
 *     72  uint32[10]  where each of these tables begins: the first at 112, each behind the one before and zeros up to a multiple of 8
 *    112  the tables
 *
 * The items are the structs of <ebb/view.h> as they lie in memory; i: int32, u: uint32, f: float32, [n]: n of them; u of a name is a place
 * in texts, where a text ends with a 0 byte (UTF-8):
 *   tensor   72   0 u name       4 i kind       8 i dtype     12 i ndim      16 i[8] dim   48 i node    52 i out
 *                56 i value     60 i grad      64 i needs_grad 68 i after
 *   node     56   0 u op         4 u attrs      8 u math      12 u label     16 i group    20 i input   24 i n_in
 *                28 i first_out 32 i n_out     36 i on_tape   40 i line      44 i column   48 i end_line 52 i end_column
 *   input     8   0 i tensor     4 i grad
 *   group    28   0 u name       4 i kind       8 i parent    12 i first     16 i last     20 i twin    24 i n_twins
 *   event    20   0 i kind       4 i node       8 i input     12 i tensor    16 f seconds
 *   stats   184   0 f min        4 f max        8 f mean      12 f std       16 f norm     20 i n       24 i n_nan
 *                28 i n_inf     32 i n_zero    36 i first_bad 40 u[32] bin  168 i rows    172 i cols   176 i pixels
 *               180 i elements
 *   finding  28   0 u code       4 u title      8 u cause     12 u advice    16 i severity 20 i node    24 i tensor
 *   series   12   0 u name       4 i n          8 i at
 *   floats    4   texts 1 */
#include "trace_format.h"
#include <string.h>

#define AT(record, field, offset)                                                                            \
    _Static_assert(offsetof(ebb_trace_##record, field) == (offset), "the format")
AT(tensor, dim, 16);
AT(tensor, node, 48);
AT(tensor, after, 68);
AT(node, group, 16);
AT(node, on_tape, 36);
AT(node, end_column, 52);
AT(group, n_twins, 24);
AT(event, seconds, 16);
AT(stats, first_bad, 36);
AT(stats, bin, 40);
AT(stats, elements, 180);
AT(finding, tensor, 24);
AT(series, at, 8);

/* What a frame's header says; its tables follow from it. */
static ebb__frame_header header_of(const ebb_trace_step *s) {
    ebb__frame_header h = {.step = s->step,
                           .loss = s->loss,
                           .model = s->model,
                           .about = s->about,
                           .count = {s->n_tensors, s->n_nodes, s->n_inputs, s->n_groups, s->n_events,
                                     s->n_stats, s->n_findings, s->n_series, s->n_floats, s->n_texts}};
    h.bytes = EBB__FRAME_HEADER;
    for (int k = 0; k < EBB__TABLES; k++) {
        h.at[k] = (uint32_t)h.bytes;
        h.bytes += ebb__table_bytes(k, h.count[k]);
    }
    return h;
}

static void write_frame(char *to, const ebb_trace_step *s) {
    const ebb__frame_header h = header_of(s);
    const void *const table[EBB__TABLES] = {s->tensors, s->nodes,    s->inputs, s->groups, s->events,
                                            s->stats,   s->findings, s->series, s->floats, s->texts};
    memcpy(to, &h, sizeof h);
    for (int k = 0; k < EBB__TABLES; k++)
        if (h.count[k]) memcpy(to + h.at[k], table[k], (size_t)h.count[k] * ebb__trace_item[k]);
}

void *ebb_trace_write(ebb *e, int32_t n, const ebb_trace_step *const *frames, size_t *bytes) {
    if (bytes) *bytes = 0;
    if (!e || ebb_failed(e)) return NULL;
    if (n < 0 || (n && !frames) || !bytes)
        return ebb_fail(e, EBB_E_ARG, "ebb_trace_write: %d frames, and a place for the size, are needed", n), NULL;
    uint64_t whole = EBB__HEADER + 8 * (uint64_t)n + EBB__TRAILER;
    for (int32_t i = 0; i < n; i++) {
        if (!frames[i]) return ebb_fail(e, EBB_E_ARG, "ebb_trace_write: frame %d is NULL", i), NULL;
        const uint64_t frame = header_of(frames[i]).bytes;
        whole += frame;
        if (frame > UINT32_MAX || whole > SIZE_MAX / 2)
            return ebb_fail(e, EBB_E_MEMORY, "ebb_trace_write: frame %d has %llu bytes, more than a trace can hold",
                            i, (unsigned long long)frame),
                   NULL;
    }
    char *file = (char *)ebb_memory_get(e, (size_t)whole);
    if (!file) return NULL;
    ebb__trace_header h = {.version = EBB_TRACE_VERSION, .frames = (uint32_t)n, .bytes = whole};
    memcpy(h.magic, EBB__TRACE_MAGIC, sizeof h.magic);
    memcpy(h.item, ebb__trace_item, sizeof h.item);
    memcpy(file, &h, sizeof h);
    uint64_t at = EBB__HEADER + 8 * (uint64_t)n;
    for (int32_t i = 0; i < n; i++) {
        memcpy(file + EBB__HEADER + 8 * i, &at, sizeof at);
        write_frame(file + at, frames[i]);
        at += header_of(frames[i]).bytes;
    }
    const uint32_t end[2] = {ebb__checksum(file, at), EBB__TRACE_END};
    memcpy(file + at, end, sizeof end);
    *bytes = (size_t)whole;
    return file;
}

void ebb_trace_bytes_free(ebb *e, void *bytes, size_t n) { ebb_memory_put(e, bytes, n); }
