"""Actions of the arms: each function writes one performer's way of doing it.

What differs between performers (how high, how wide, which variant) is drawn from `rng`; what
differs between two clips of one performer is added in `motion`. Angles are degrees, times are
seconds at an ordinary tempo. Side `a` acts; which hand that is, the clip decides.
"""

import numpy as np

from posec3d_jax.data.simulation.poses import REST, Motion, pose


def punch(rng: np.random.Generator) -> Motion:
    height, turn, stance = rng.uniform(76, 104), rng.uniform(18, 38), rng.uniform(8, 20)
    stand = dict(leg_b=(stance, 4, 0, 10), leg_a=(-stance, 6, 8, 12))
    hands = (rng.uniform(38, 58), 8, -14, rng.uniform(115, 138))
    guard = pose(arms=hands, pelvis=4, spine=(4, 0, 0), **stand)
    first = pose(arm_a=(height, -8, 0, 6), arm_b=hands, pelvis=8, spine=(6, 0, -turn), **stand)
    second = pose(arm_b=(height, -8, 0, 6), arm_a=hands, pelvis=8, spine=(6, 0, turn), **stand)
    cycle = [(0.17, first), (0.06, first), (0.22, guard)]
    if rng.random() < 0.4:
        cycle += [(0.17, second), (0.06, second), (0.22, guard)]
    return Motion(
        start=REST,
        enter=((0.4, guard), (0.1, guard)),
        cycle=tuple(cycle),
        leave=((0.45, REST),),
        repeats=(1, 3),
    )


def throw(rng: np.random.Generator) -> Motion:
    high, turn, stride = rng.uniform(65, 105), rng.uniform(18, 38), rng.uniform(8, 24)
    wind = pose(
        arm_a=(-18, high, 78, 95), arm_b=(rng.uniform(15, 70), 15, 0, 30), spine=(-8, 0, turn),
        pelvis=(-6, 4, turn * 0.4), leg_a=(-6, 4, 6, 18), leg_b=(stride * 0.8, 0, 0, 12),
    )  # fmt: skip
    stand = dict(leg_a=(-stride, 4, 6, 22), leg_b=(stride, 0, 0, 16))
    free = pose(
        arm_a=(high + 25, 22, 20, 30), arm_b=(5, 18, 0, 40), spine=(10, -4, -turn * 0.5), pelvis=8,
        **stand,
    )  # fmt: skip
    follow = pose(
        arm_a=(42, -28, -25, 18), arm_b=(-15, 15, 0, 45), spine=(18, -4, -turn), pelvis=16, **stand
    )
    return Motion(
        start=REST,
        enter=((0.55, wind), (0.1, wind), (0.15, free), (0.16, follow), (0.15, follow)),
        leave=((0.5, REST),),
    )


def wave(rng: np.random.Generator) -> Motion:
    spread, twist, width = rng.uniform(50, 115), rng.uniform(75, 100), rng.uniform(16, 30)
    elbow, head = rng.uniform(75, 105), rng.uniform(-6, 6)
    out = pose(arm_a=(18, spread, twist + 4, elbow - width), neck=(0, head, 0))
    inward = pose(arm_a=(18, spread, twist - 4, elbow + width), neck=(0, head, 0))
    return Motion(
        start=REST,
        enter=((0.5, out),),
        cycle=((0.2, inward), (0.2, out)),
        leave=((0.5, REST),),
        repeats=(2, 5),
    )


def clap(rng: np.random.Generator) -> Motion:
    high, wide, elbow = rng.uniform(22, 60), rng.uniform(0, 24), rng.uniform(70, 95)
    apart = pose(arms=(high, 6 + wide * 0.4, wide, elbow))
    together = pose(arms=(high, -4, -38, elbow))
    return Motion(
        start=REST,
        enter=((0.45, apart),),
        cycle=((0.16, together), (0.06, together), (0.2, apart)),
        leave=((0.45, REST),),
        repeats=(3, 6),
    )


def drink(rng: np.random.Generator) -> Motion:
    wing, tilt, sip = rng.uniform(0, 30), rng.uniform(10, 24), rng.uniform(0.4, 1.0)
    start = REST if rng.random() < 0.5 else pose(arm_a=(12, 4, -14, 88))
    mouth = pose(arm_a=(62, 2 + wing, -48, 126))
    up = pose(arm_a=(82, 8 + wing, -46, 126), neck=(-tilt, 0, 0), spine=(-4, 0, 0))
    return Motion(
        start=start,
        enter=((0.6, mouth),),
        cycle=((0.25, up), (sip, up), (0.3, mouth)),
        leave=((0.6, start),),
        repeats=(1, 2),
    )


def lift_overhead(rng: np.random.Generator) -> Motion:
    top, wide, dip = rng.uniform(150, 172), rng.uniform(4, 22), rng.uniform(0, 25)
    chest = pose(arms=(30, wide, -8, 122), legs=(dip, 2, 0, dip * 1.8), pelvis=dip * 0.3)
    over = pose(arms=(top, wide, 0, 12), spine=-4, neck=-6)
    return Motion(
        start=REST,
        enter=((0.5, chest),),
        cycle=((0.5, over), (0.25, over), (0.55, chest)),
        leave=((0.5, REST),),
        repeats=(1, 2),
    )


def cross_arms(rng: np.random.Generator) -> Motion:
    high, hold = rng.uniform(14, 30), rng.uniform(0.9, 1.5)
    crossed = pose(arm_a=(high, -17, -72, 102), arm_b=(high + 8, -13, -70, 98), spine=-3)
    leave = ((0.6, REST),) if rng.random() < 0.5 else ((0.3, crossed),)
    return Motion(start=REST, enter=((0.65, crossed), (hold, crossed)), leave=leave)
