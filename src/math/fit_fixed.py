"""The table of the integer tanh (numpy only, deterministic; seconds): writes fixed_table.rs.

The argument z is in units of 1/49152, from -2^18 to 2^18 - 1 (+-5.33), in 128 intervals of 2^12. With f = z mod 2^12 and
f2 = f f >> 12 the value in units of 2^-30 is v + b f + c f2; b and c are tried around the fitted ones, v makes both ends
of the error equal. At both ends of the range it is pushed outwards, so that what is beyond rounds to +-32767 / 32768.
"""
import numpy as np

UNIT, BITS, INTERVALS = 49152.0, 12, 128
WIDTH = 1 << BITS
f = np.arange(WIDTH)
f2 = f * f >> BITS
nodes = WIDTH * (np.cos((np.arange(64) + 0.5) / 64 * np.pi) / 2 + 0.5)


def tanh(z):
    return np.tanh(z / UNIT) * 2.0**30


rows = []
for i in range(INTERVALS):
    start = (i - INTERVALS // 2) * WIDTH
    c_fit, b_fit = np.polyfit(nodes, tanh(nodes + start), 2)[:2] * [WIDTH, 1]
    best = None
    for c in range(int(np.floor(c_fit)) - 1, int(np.floor(c_fit)) + 3):
        middle = int(np.floor(b_fit + c_fit - c))
        for b in range(middle - 2, middle + 4):
            rest = tanh(f + start) - (b * f + c * f2)
            size = (rest.max() - rest.min()) / 2
            if best is None or size < best[0]:
                best = (size, round((rest.max() + rest.min()) / 2), b, c)
    rows.append(list(best[1:]))
low, high = 32766.55 * 2**15, 32766.55 * 2**15
rows[0][0] = min(rows[0][0], -round(low))
rows[-1][0] = max(rows[-1][0], round(high) - rows[-1][1] * (WIDTH - 1) - rows[-1][2] * int(f2[-1]))

with open(__file__.replace("fit_fixed.py", "fixed_table.rs"), "w") as out:
    out.write("//! Written by `fit_fixed.py`, which tells what the numbers are.\n\nuse super::fixed::Quadratic;\n\n")
    out.write(f"pub(super) static TANH: [Quadratic; {INTERVALS}] = [\n")
    for v, b, c in rows:
        out.write(f"    Quadratic::new({v}, {b}, {c}),\n")
    out.write("];\n")
