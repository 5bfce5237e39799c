/* samples.c - floor 5: the numbers that go in: inside the declared domain, apart from each other, away from kinks. */
#include "check.h"

/* splitmix64. Steele, Lea, Flood, 2014. */
uint64_t check_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double check_uniform(uint64_t *state) { return (double)(check_random(state) >> 11) * 0x1p-53; }

static uint64_t stream(const checker *c, uint64_t salt) {
    return (c->seed + 1) * 0x2545f4914f6cdd1du ^ salt * 0x9e3779b97f4a7c15u ^ ebb_hash(c->op->name);
}

ebb_range check_domain(const checker *c, int input) {
    ebb_range r = {-2, 2};
    if (c->op->n_domain) {
        const size_t last = c->op->n_domain - 1;
        r = c->op->domain[(size_t)input < last ? (size_t)input : last];
        if (!(r.lo >= -1e30)) r.lo = r.hi <= 1e30 ? r.hi - 4 : -2;
        if (!(r.hi <= 1e30)) r.hi = r.lo + 4;
        if (!(r.lo < r.hi)) r.hi = r.lo + 1;
    }
    return r;
}

/* A pointwise op of one varying value has kinks at points of the line; those of several are met only at ties, which
 * samples never have. */
static double clear_of_kinks(const checker *c, int input, double x, double room) {
    if (!c->pointwise) return x;
    for (size_t k = 0; k < c->op->n_kinks; k++) {
        const ebb_kink *kink = &c->op->kinks[k];
        if (kink->n != 1 || input != 0) continue;
        const double d = x - kink->x[0];
        if (fabs(d) < room) x = kink->x[0] + (d < 0 ? -room : room) * (1 + fabs(d) / room);
    }
    return x;
}

/* Integers, where the op has no kernel for floats. Else strata of a shuffled grid over all float inputs together: any two values of the same domain differ by at least half
 * a stratum. */
static bool fill_floats(checker *c, const trial *t, uint64_t *s, vec x[MAX_X]) {
    int64_t total = 0;
    for (int i = 0; i < t->n_x; i++)
        if (t->x[i].present && t->x[i].dtype == EBB_NONE) total += x[i].n;
    if (total == 0) return true;
    const mark m = check_mark(c);
    int64_t *place = (int64_t *)check_take(c, sizeof(int64_t) * (size_t)total);
    if (!place) return false;
    for (int64_t k = 0; k < total; k++) place[k] = k;
    for (int64_t k = total - 1; k > 0; k--) {
        const int64_t other = (int64_t)(check_random(s) % (uint64_t)(k + 1)), kept = place[k];
        place[k] = place[other];
        place[other] = kept;
    }
    int64_t at = 0;
    for (int i = 0; i < t->n_x; i++) {
        if (!t->x[i].present || t->x[i].dtype != EBB_NONE) continue;
        const ebb_range r = check_domain(c, i);
        const double width = (r.hi - r.lo) / (double)total, room = fmin(0.02, 0.4 * width) + 2e-3;
        for (int64_t k = 0; k < x[i].n; k++, at++) {
            const double v = r.lo + width * ((double)place[at] + 0.25 + 0.5 * check_uniform(s));
            x[i].v[k] = check_is_float(c->type) ? clear_of_kinks(c, i, v, room) : floor(8 * v);
        }
    }
    check_reset(c, m);
    return true;
}

bool check_sample(checker *c, const trial *t, uint64_t salt, vec x[MAX_X]) {
    uint64_t s = stream(c, salt);
    for (int i = 0; i < t->n_x; i++) {
        const operand *o = &t->x[i];
        x[i] = check_vec(c, o->present ? check_numel(&o->shape) : 0);
        if (!x[i].v) return false;
        if (!o->present || o->dtype == EBB_NONE) continue;
        const uint64_t first = check_random(&s);
        for (int64_t k = 0; k < x[i].n; k++) {
            if (o->dtype == EBB_BOOL)
                x[i].v[k] = (double)(k < 2 ? (first + (uint64_t)k) & 1 : check_random(&s) & 1);
            else x[i].v[k] = (double)(check_random(&s) % (uint64_t)(o->below > 0 ? o->below : 3));
        }
    }
    return fill_floats(c, t, &s, x);
}

bool check_noise(checker *c, int64_t n, uint64_t salt, vec *out) {
    uint64_t s = stream(c, salt ^ 0x5bd1e995u);
    *out = check_vec(c, n);
    if (!out->v) return false;
    for (int64_t k = 0; k < n; k++) {
        const double size = 0.5 + check_uniform(&s);
        out->v[k] = check_random(&s) & 1 ? size : -size;
    }
    return true;
}

void check_round_f32(vec *v) {
    for (int64_t k = 0; k < v->n; k++) v->v[k] = (double)(float)v->v[k];
}
