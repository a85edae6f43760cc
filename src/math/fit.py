"""Constants of the two single-precision tanh forms (numpy only, deterministic; ten seconds on one core).

Table form: d = |x| - trunc|x|; bin from the bits of |x| + 1 (8 bins an octave); c0 + c1 d + d2 ((c2 + c3 d) + d2 c4).
Rational form: n = x (1 + p1 s + p2 s^2), q = 1 + q1 s + q2 s^2 + q3 s^3, s = x^2, n / 2q ~ tanh(x / 2);
    tanh x = nq / (nq + (q - n/2)^2), never above 1 because the denominator is never below the numerator.
Both: minimax fit in f64, then many roundings to f32 close to it are scored with the f32 sequence itself.
"""
import numpy as np
F, cheb = np.float32, np.polynomial.chebyshev


def bits(x):
    return int(F(x).view(np.uint32))


def fma(a, b, c):  # in f64, then to f32 (double rounding is rare and does not matter for choosing)
    return (np.asarray(a, np.float64) * b + c).astype(F)


# ---- table form ----
def table_eval(c, d):  # c (candidates, 5), d (points,)
    c0, c1, c2, c3, c4 = (c[:, i:i + 1] for i in range(5))
    d2, d = (d * d)[None], d[None]
    return fma(fma(c4, d2, fma(c3, d, c2)), d2, fma(c1, d, c0))


def lawson(t, f, w, low, count, rounds=60):
    """Weights that turn least squares on t^low .. t^(low + count - 1) into the minimax fit."""
    u = (t - (t[0] + t[-1]) / 2) / ((t[-1] - t[0]) / 2)
    basis, weight = cheb.chebvander(u, count - 1) * (t ** low)[:, None], np.ones_like(t)
    for _ in range(rounds):
        s = np.sqrt(weight) * w
        e = abs((f - basis @ np.linalg.lstsq(basis * s[:, None], f * s, rcond=None)[0]) * w)
        weight = weight * (e / e.max())
        weight = np.maximum(weight / weight.sum(), 1e-9)
    return weight


def table_bin(start, end, centre, fixed, trials=4000):
    rng, degree, low = np.random.default_rng(1), 4, len(fixed)
    def points(n):
        return np.unique(np.linspace(bits(start or 1e-9), bits(end) - 1, n).astype(np.uint32)).view(F)
    def score(c, x):  # the error is absolute above 1/4, relative / 4 below
        x64 = x.astype(np.float64)
        y = table_eval(c, (x64 - centre).astype(F))
        return np.where((y > 1).any(1), 1, (abs(y - np.tanh(x64)) * np.maximum(1, .25 / x64)).max(1))
    x = points(400)
    t = x.astype(np.float64) - centre
    w = np.maximum(1, .25 / (t + centre))
    f = np.tanh(t + centre) - sum(c * t ** i for i, c in enumerate(fixed))
    s = np.sqrt(lawson(t, f, w, low, degree + 1 - low)) * w
    h = (t[-1] - t[0]) / 2
    u = (t - (t[0] + t[-1]) / 2) / h
    # Candidates: from the highest coefficient down, the fitted value, dithered (by `spread` in the error) and rounded; the rest is refitted.
    c, spread = np.zeros((trials, degree + 1)), rng.choice([0, 1e-9, 5e-9, 1e-8, 2e-8, 4e-8], size=trials)
    spread[0] = 0
    for k in range(degree, low - 1, -1):
        v = cheb.chebvander(u, k - low) * (t ** low)[:, None]
        lead = (1 if k == low else 2.0 ** (k - low - 1)) / h ** (k - low)
        rhs = np.stack([f] + [t ** j for j in range(k + 1, degree + 1)], 1)
        g = np.linalg.lstsq(v * s[:, None], rhs * s[:, None], rcond=None)[0][-1] * lead
        unit = (w * abs(t) ** low).max() / lead
        c[:, k] = (g[0] - c[:, k + 1:] @ g[1:] + rng.uniform(-1, 1, trials) * spread / unit).astype(F)
    c[:, :low] = fixed
    c = c.astype(F)
    c = c[score(c, x).argsort()[:60]]
    dense, sparse = points(20000), points(3000)
    e = score(c, dense)
    best, error = c[e.argmin()], e.min()
    for _ in range(60):  # and steps of a few units in the last place
        step = rng.integers(-3, 4, (40, degree + 1)) * (rng.random((40, degree + 1)) < .4)
        near = (best.view(np.int32) + step).astype(np.int32).view(F)
        near[:, :low] = fixed
        near = near[score(near, sparse).argsort()[:3]]
        e = score(near, dense)
        if e.min() < error:
            best, error = near[e.argmin()], e.min()
    return best


def table():
    edges = [i / 8 for i in range(8)] + [1 + i / 4 for i in range(8)] + [3 + i / 2 for i in range(8)] + [7, 8, 9]
    out = np.zeros((32, 5), F)
    out[18:24, 0] = 1  # from 9 on
    for a, b in zip(edges, edges[1:]):
        out[bits(a + 1) >> 20 & 31] = table_bin(a, b, np.floor(a), [] if a else [0, 1])
    return out.T


# ---- rational form ----
LIMIT = 9.0
PICK = 92  # of the 200 best by sampling, the one with the smallest error over all inputs


def rational(c, x):  # f64
    s = x * x
    n, q = x * (1 + s * (c[0] + s * c[1])), 1 + s * (c[2] + s * (c[3] + s * c[4]))
    return n * q / (n * q + (q - .5 * n) ** 2)


def rational_eval(c, x):  # f32, as in the kernels with FMA
    p1, p2, q1, q2, q3 = (c[:, i:i + 1] for i in range(5))
    x, s, one = x[None], (x * x)[None], F(1)
    q, n = fma(fma(q3, s, q2), s * s, fma(q1, s, one)), fma(fma(p2, s, p1), x * s, x)
    e, nq = fma(n, F(-.5), q), n * q
    return nq / fma(e, e, nq)


def jacobian(c, x):
    steps = 1e-6 * np.eye(5)
    return np.stack([(rational(c * (1 + h), x) - rational(c * (1 - h), x)) / 2e-6 for h in steps], 1)  # by relative change


def rational_minimax(points=1500):
    c, k = np.array([1 / 36, 1 / 15120 * 1.05, 1 / 9, 1 / 1008, 1e-6]), np.arange(points)
    for limit in np.linspace(2, LIMIT, 8):
        x = limit * (.5 - .5 * np.cos(np.pi * (k + .5) / points))
        y, w, weight, best = np.tanh(x), np.maximum(1, .3 / x), np.ones(points), (np.inf, c)
        for i in range(400):
            r, s = (y - rational(c, x)) * w, np.sqrt(weight)
            best = min(best, (abs(r).max(), c), key=lambda v: v[0])
            a = jacobian(c, x) * (w * s)[:, None]
            norm = np.linalg.norm(a, axis=0)
            c = c * (1 + np.clip(np.linalg.lstsq(a / norm, r * s, rcond=1e-13)[0] / norm, -.3, .3))
            if i % 3 == 2:
                e = abs((y - rational(c, x)) * w)
                weight = weight * (e / e.max() + 1e-3)
                weight = np.maximum(weight / weight.mean(), 1e-8)
        c = best[1]
    return c


def rational_candidates(trials=6000, keep=200):
    c, rng = rational_minimax(), np.random.default_rng(1)
    def points(n):
        return np.unique(np.r_[np.linspace(1e-3, LIMIT, n), np.exp(np.linspace(np.log(1e-3), np.log(LIMIT), n // 2))].astype(F))
    u, s, v = np.linalg.svd(jacobian(c, points(800).astype(np.float64)), full_matrices=False)
    spread = rng.uniform(-1, 1, (trials, 5)) * rng.choice([0, 2e-9, 5e-9, 1e-8, 2e-8, 3e-8], size=trials)[:, None]
    many = (c * (1 + spread @ (v.T / abs(u * s).max(0)).T)).astype(F)
    many = many[rational_eval(many, np.array([LIMIT], F))[:, 0] == 1]
    x = points(4000)
    y, w = np.tanh(x.astype(np.float64)), np.maximum(1, .15 / x)
    return many[np.argsort([(abs(rational_eval(c[None], x) - y) * w).max() for c in many])[:keep]]


if __name__ == "__main__":
    for name, rows in (("TABLE c0..c4", table()), ("RATIONAL p1 p2 q1 q2 q3", [rational_candidates()[PICK]])):
        print(name)
        for row in rows:
            print("[" + ", ".join(np.format_float_positional(x, unique=True, trim="0") for x in row) + "],")
