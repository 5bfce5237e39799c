/* svg.c - floor 6: a layout as an SVG picture: light and dark by the reader's preference, wires as strong as the gradient that flows back. */
#include "layout.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 16, CORNER = 5, ARROW = 5 };

typedef struct {
    char *at; /* NULL: only counted */
    size_t n, room;
} out;

static void say(out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(out *o, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(o->at ? o->at + o->n : NULL, o->at ? o->room - o->n : 0, format, args);
    va_end(args);
    if (n > 0) o->n += (size_t)n;
}

/* Text inside an element; control characters, which XML does not know, become spaces. */
static void say_text(out *o, const char *s) {
    for (; *s; s++) switch (*s) {
        case '&': say(o, "&amp;"); break;
        case '<': say(o, "&lt;"); break;
        case '>': say(o, "&gt;"); break;
        case '"': say(o, "&quot;"); break;
        default: say(o, "%c", (unsigned char)*s < ' ' ? ' ' : *s);
        }
}

static const char style[] =
    "<style>\n"
    ":root{--paper:#fff;--ink:#1d2430;--soft:#667085;--line:#c9cfd8;--wire:#98a2b3;--box:#fff;--group:#f2f4f8;--frame:#5b6b8c0d;"
    "--input:#e4f3ea;--input-line:#8fc7a6;--param:#fdf1dc;--param-line:#e3bf7d;--bad:#d92d20}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#11151c;--ink:#e6e9ef;--soft:#8f9aab;--line:#3a4352;--wire:#657082;--box:#1b212b;"
    "--group:#232b38;--frame:#9fb4dc0d;--input:#17301f;--input-line:#3f7a57;--param:#33280f;--param-line:#80672f;--bad:#ff7a70}}\n"
    "svg{background:var(--paper)}text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--ink);text-anchor:middle}\n"
    ".op{font-weight:600}.about,.leaf,.title{font-size:10.5px}.about{fill:var(--soft)}.title{fill:var(--soft);font-weight:600;text-anchor:start;paint-order:stroke;stroke:var(--paper);stroke-width:4px}\n"
    ".node{fill:var(--box);stroke:var(--line)}.group{fill:var(--group);stroke:var(--line)}.frame{fill:var(--frame);stroke:var(--line)}\n"
    ".input{fill:var(--input);stroke:var(--input-line)}.param{fill:var(--param);stroke:var(--param-line)}.const{fill:var(--group);stroke:var(--line)}\n"
    ".wire{fill:none;stroke:var(--wire);stroke-linecap:round}.tip{fill:var(--wire)}.bad{stroke:var(--bad)}\n"
    "</style>\n";

/* ---- boxes ---- */

static void rectangle(out *o, const ebb_box *b, const char *kind, double beside, double radius) {
    say(o, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%g\"/>", kind,
        (double)b->x + beside, (double)b->y - beside, (double)b->w, (double)b->h, radius);
}

static void line(out *o, const char *kind, double x, double y, const char *words) {
    say(o, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", kind, x, y);
    say_text(o, words);
    say(o, "</text>");
}

static void box(out *o, const ebb_trace_step *t, const ebb_box *b) {
    char first[64], second[64];
    ebb__box_text(t, b, first, second);
    const double x = (double)b->x + (double)b->w / 2, y = (double)b->y + (double)b->h / 2;
    if (b->kind == EBB_BOX_TENSOR) {
        const int kind = t->tensors[b->id].kind;
        rectangle(o, b, kind == EBB_TT_INPUT ? "input" : kind == EBB_TT_PARAM ? "param" : "const", 0, 10);
        line(o, "leaf", x, y + 3.5, first);
    } else if (b->kind == EBB_BOX_FRAME) {
        rectangle(o, b, "frame", 0, 10);
        line(o, "title", (double)b->x + 10, (double)b->y + 15, first);
    } else {
        const char *kind = b->kind == EBB_BOX_GROUP ? "group" : "node";
        for (int k = b->count > 2 ? 2 : b->count - 1; k > 0; k--)
            rectangle(o, b, kind, 3 * k, 7); /* rounds, like a stack of cards */
        rectangle(o, b, kind, 0, 7);
        line(o, "op", x, *second ? y - 2 : y + 4, first);
        if (*second) line(o, "about", x, y + 13, second);
    }
    say(o, "\n");
}

/* ---- wires ---- */

static float flow_of(const ebb_trace_step *t, const ebb_wire *w) { /* the norm of the gradient; 0: there is none */
    const int32_t s = w->input >= 0 ? t->inputs[w->input].grad : t->tensors[w->tensor].grad;
    if (s < 0) return 0;
    return t->stats[s].n_nan || t->stats[s].n_inf ? NAN : t->stats[s].norm;
}

/* 1 where nothing flows, up to 4.5 where most does; four powers of ten between. */
static double strength(float flow, float most) {
    if (!(flow > 0) || !(most > 0)) return 1;
    const double part = 1 + log10((double)flow / (double)most) / 4;
    return 1 + 3.5 * (part > 0 ? part : 0);
}

static void wire(out *o, const ebb_layout *l, const ebb_wire *w, bool right, double width, bool bad) {
    const float *p = l->points + 2 * w->point;
    const int along = right ? 0 : 1, n = w->n_points;
    if (n < 2) return;
    say(o, "<path class=\"wire%s\" stroke-width=\"%.2f\" d=\"M%.1f %.1f", bad ? " bad" : "", width,
        (double)p[0], (double)p[1]);
    for (int i = 1; i < n; i++) {
        const float *a = p + 2 * (i - 1), *b = a + 2;
        if (a[0] != b[0] && a[1] != b[1]) { /* a turn: leaves and arrives along the flow */
            const double middle = ((double)a[along] + (double)b[along]) / 2;
            if (right) say(o, "C%.1f %.1f %.1f %.1f", middle, (double)a[1], middle, (double)b[1]);
            else say(o, "C%.1f %.1f %.1f %.1f", (double)a[0], middle, (double)b[0], middle);
            say(o, " %.1f %.1f", (double)b[0], (double)b[1]);
            continue;
        }
        const float *c = b + 2;
        const bool corner =
            i + 1 < n && (a[0] == b[0] ? b[1] == c[1] && b[0] != c[0] : b[0] == c[0] && b[1] != c[1]);
        if (!corner) {
            say(o, "L%.1f %.1f", (double)b[0], (double)b[1]);
            continue;
        }
        double in[2], behind[2];
        for (int k = 0; k < 2; k++) {
            const double da = (double)a[k] - (double)b[k], dc = (double)c[k] - (double)b[k];
            in[k] = (double)b[k] + fmax(-CORNER, fmin(CORNER, da / 2)),
            behind[k] = (double)b[k] + fmax(-CORNER, fmin(CORNER, dc / 2));
        }
        say(o, "L%.1f %.1fQ%.1f %.1f %.1f %.1f", in[0], in[1], (double)b[0], (double)b[1], behind[0], behind[1]);
    }
    say(o, "\"/>");
    const float *b = p + 2 * (n - 1), *a = b - 2;
    const double across = a[0] == b[0]   ? 0
                          : a[1] == b[1] ? 1
                                         : right,
                 s = across > 0    ? (b[0] > a[0] ? 1 : -1)
                     : b[1] > a[1] ? 1
                                   : -1;
    const double x = (double)b[0], y = (double)b[1], r = ARROW / 2.0 + width / 2;
    if (across > 0)
        say(o, "<path class=\"tip\" d=\"M%.1f %.1fl%.1f %.1fv%.1fz\"/>\n", x, y, -s * ARROW, -r, 2 * r);
    else say(o, "<path class=\"tip\" d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"/>\n", x, y, -r, -s * ARROW, 2 * r);
}

/* ---- the picture ---- */

static void picture(out *o, const ebb_trace_step *t, const ebb_layout *l, bool right) {
    const double w = (double)l->width + 2 * MARGIN, h = (double)l->height + 2 * MARGIN;
    say(o, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"%d %d %.0f %.0f\">\n%s",
        w, h, -MARGIN, -MARGIN, w, h, style);
    float most = 0;
    for (int32_t i = 0; i < l->n_wires; i++) {
        const float flow = flow_of(t, &l->wires[i]);
        most = flow > most ? flow : most;
    }
    for (int32_t i = 0; i < l->n_boxes; i++)
        if (l->boxes[i].kind == EBB_BOX_FRAME) box(o, t, &l->boxes[i]);
    for (int32_t i = 0; i < l->n_wires; i++) {
        const float flow = flow_of(t, &l->wires[i]);
        wire(o, l, &l->wires[i], right, strength(flow, most), isnan(flow));
    }
    for (int32_t i = 0; i < l->n_boxes; i++)
        if (l->boxes[i].kind != EBB_BOX_FRAME) box(o, t, &l->boxes[i]);
    say(o, "</svg>\n");
}

char *ebb_layout_svg(ebb *e, const ebb_trace_step *t, const ebb_layout *l, bool right, size_t *bytes) {
    if (!e || !t || !l || ebb_failed(e)) return NULL;
    out counted = {0};
    picture(&counted, t, l, right);
    ebb__arena mem = {.e = e};
    char *block = EBB__NEW(&mem, sizeof mem + counted.n + 1, char);
    if (!block) return NULL;
    memcpy(block, &mem, sizeof mem); /* before the text, for ebb_layout_svg_free */
    out o = {.at = block + sizeof mem, .room = counted.n + 1};
    picture(&o, t, l, right);
    if (bytes) *bytes = o.n;
    return o.at;
}

void ebb_layout_svg_free(ebb *e, char *svg) {
    if (!e || !svg) return;
    ebb__arena mem;
    memcpy(&mem, svg - sizeof mem, sizeof mem);
    ebb__arena_drop(&mem);
}
