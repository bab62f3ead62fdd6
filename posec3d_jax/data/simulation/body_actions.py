"""Actions of the whole body: each function writes one performer's way of doing it.

What differs between performers (how high, how wide, which variant) is drawn from `rng`; what
differs between two clips of one performer is added in `motion`. Angles are degrees, times are
seconds at an ordinary tempo. Side `a` acts; which hand that is, the clip decides.
"""

import numpy as np

from posec3d_jax.data.simulation.poses import REST, Motion, alternated, other_side, pose


def walk(rng: np.random.Generator) -> Motion:
    swing, step, bend = rng.uniform(10, 28), rng.uniform(17, 27), rng.uniform(5, 25)
    contact = pose(
        leg_a=(step, 0, 0, 6), leg_b=(-step * 0.7, 0, 0, 20), pelvis=2, spine=(0, 0, 4),
        arm_a=(-swing, 0, 0, bend), arm_b=(swing, 0, 0, bend + 8),
    )  # fmt: skip
    passing = pose(leg_a=(4, 0, 0, 9), leg_b=(17, 0, 0, 56), pelvis=2, arms=(0, 0, 0, bend))
    return Motion(
        start=REST,
        cycle=alternated([(0.27, contact), (0.25, passing)]),
        leave=((0.35, REST),),
        repeats=(2, 4),
    )


def run(rng: np.random.Generator) -> Motion:
    lean, swing, knee = rng.uniform(6, 16), rng.uniform(25, 45), rng.uniform(70, 100)
    elbow = rng.uniform(75, 105)
    contact = pose(
        leg_a=(25, 0, 0, 22), leg_b=(0, 0, 0, knee), pelvis=lean,
        arm_a=(-swing * 0.5, 0, 0, elbow), arm_b=(swing * 0.5, 0, 0, elbow),
    )  # fmt: skip
    push = pose(
        leg_a=(-24, 0, 0, 12), leg_b=(48, 0, 0, 80), pelvis=lean, spine=(0, 0, -8), lift=0.03,
        arm_a=(swing, 0, 0, elbow), arm_b=(-swing, 0, 0, elbow),
    )  # fmt: skip
    flight = pose(
        leg_a=(-18, 0, 0, 60), leg_b=(40, 0, 0, 40), pelvis=lean, lift=0.1,
        arm_a=(swing * 0.8, 0, 0, elbow), arm_b=(-swing * 0.8, 0, 0, elbow),
    )  # fmt: skip
    return Motion(
        start=REST,
        enter=((0.25, pose(pelvis=lean, legs=(10, 0, 0, 20), arms=(0, 0, 0, elbow))),),
        cycle=alternated([(0.1, contact), (0.14, push), (0.1, flight)]),
        leave=((0.4, REST),),
        repeats=(2, 5),
    )


def march(rng: np.random.Generator) -> Motion:
    knee, swing, elbow = rng.uniform(60, 95), rng.uniform(20, 60), rng.uniform(15, 80)
    up = pose(
        leg_a=(knee, 0, 0, knee + 8), pelvis=-3,
        arm_a=(-swing * 0.7, 0, 0, elbow), arm_b=(swing, 0, 0, elbow),
    )  # fmt: skip
    down = pose(arms=(0, 0, 0, elbow))
    return Motion(
        start=REST,
        cycle=alternated([(0.28, up), (0.24, down)]),
        leave=((0.3, REST),),
        repeats=(2, 4),
    )


def jump(rng: np.random.Generator) -> Motion:
    depth, height, swing = rng.uniform(35, 60), rng.uniform(0.22, 0.42), rng.uniform(70, 165)
    tuck, forward = rng.uniform(5, 35), rng.uniform(0, 0.25)
    crouch = pose(legs=(depth, 4, 0, depth * 1.8), pelvis=depth * 0.7, arms=(-35, 8, 0, 15))
    off = pose(arms=(swing * 0.8, 8, 0, 12), lift=0.08, forward=0.2 * forward)
    top = pose(
        legs=(tuck, 3, 0, tuck * 1.6), arms=(swing, 12, 0, 12), lift=height, forward=0.5 * forward
    )
    touch = pose(legs=(12, 3, 0, 18), arms=(swing * 0.6, 12, 0, 15), forward=0.3 * forward)
    land = pose(legs=(depth * 0.7, 4, 0, depth * 1.2), pelvis=depth * 0.5, arms=(25, 10, 0, 20))
    return Motion(
        start=REST,
        cycle=((0.45, crouch), (0.22, off), (0.22, top), (0.22, touch), (0.16, land), (0.4, REST)),
        repeats=(1, 2),
    )


def jumping_jack(rng: np.random.Generator) -> Motion:
    up, wide, elbow = rng.uniform(138, 168), rng.uniform(18, 28), rng.uniform(5, 30)
    lift = rng.uniform(0.06, 0.12)
    middle = pose(arms=(5, up * 0.5, 0, elbow), legs=(0, wide * 0.5, 0, 6), lift=lift)
    opened = pose(arms=(8, up, 0, elbow), legs=(4, wide, 0, 10))
    closed = pose(legs=(8, 0, 0, 16), arms=(3, 4, 0, elbow))
    return Motion(
        start=REST,
        enter=((0.2, closed),),
        cycle=((0.15, middle), (0.15, opened), (0.07, opened), (0.15, middle), (0.18, closed)),
        leave=((0.3, REST),),
        repeats=(2, 4),
    )


def kick(rng: np.random.Generator) -> Motion:
    """From a lifted knee, or swung from behind as at a ball."""
    height, side, lean = rng.uniform(68, 100), rng.uniform(0, 32), rng.uniform(14, 26)
    guard = dict(arms=(rng.uniform(5, 45), rng.uniform(20, 50), 0, rng.uniform(20, 90)))
    leg_b = (2, 0, 0, 8)
    if rng.random() < 0.6:
        wind = pose(leg_a=(height * 0.85, side * 0.5, 0, 100), leg_b=leg_b, pelvis=-4, **guard)
    else:
        wind = pose(leg_a=(-32, 4, 0, 62), leg_b=leg_b, pelvis=8, spine=(0, 0, 10), **guard)
    hit = pose(leg_a=(height, side, 0, 6), leg_b=leg_b, pelvis=(-lean, -side * 0.6, 0), **guard)
    back = pose(leg_a=(height * 0.6, side * 0.5, 0, 70), leg_b=leg_b, pelvis=-6, **guard)
    return Motion(
        start=REST,
        cycle=((0.35, wind), (0.17, hit), (0.14, hit), (0.25, back), (0.4, REST)),
        repeats=(1, 2),
    )


def squat(rng: np.random.Generator) -> Motion:
    depth, lean, out = rng.uniform(68, 98), rng.uniform(22, 42), rng.uniform(8, 24)
    arms = [(88, 0, 0, 8), (35, -8, -60, 105), (12, 42, -55, 95)][rng.integers(3)]
    level = (arms[0] + (lean if arms[0] > 60 else 0), *arms[1:])  # stretched arms stay level
    low = pose(legs=(depth, out, out, depth * 1.35), pelvis=lean, arms=level)
    high = pose(legs=(2, 6, 4, 4), arms=arms)
    return Motion(
        start=REST,
        enter=((0.5, high),),
        cycle=((0.7, low), (0.12, low), (0.65, high)),
        leave=((0.45, REST),),
        repeats=(1, 2),
    )


def sit_down(rng: np.random.Generator) -> Motion:
    lean, height = rng.uniform(28, 48), rng.uniform(78, 95)
    hands = [(30, 2, -6, 48), (32, -6, -40, 70), (4, 8, 0, 10)][rng.integers(3)]
    bend = pose(legs=(45, 4, 0, 58), pelvis=lean, spine=10, arms=(rng.uniform(5, 45), 6, 0, 25))
    touch = pose(legs=(height, 6, 0, height + 2), pelvis=lean * 0.7, spine=8, arms=(30, 5, 0, 35))
    seated = pose(legs=(height, 6, 0, height), pelvis=rng.uniform(-8, 4), spine=3, arms=hands)
    return Motion(start=REST, enter=((0.5, bend), (0.5, touch), (0.4, seated)))


def pick_up(rng: np.random.Generator) -> Motion:
    """From the floor or a low table, stooping or squatting, with one hand or both, to the waist."""
    squatting, low = rng.uniform(0, 1), rng.uniform(0.6, 1)
    lean, thigh = low * (78 - 35 * squatting), low * (12 + 68 * squatting)
    torso = dict(pelvis=lean, spine=24 * low, neck=8)
    bent = dict(legs=(thigh, 5, 0, thigh * 1.45), **torso)
    reach, hold = (lean + 24 * low + 5, 0, 0, 8), (22, 3, -16, 88)
    if rng.random() < 0.5:
        down = pose(arm_a=reach, arm_b=(lean * 0.4, 5, -5, 40), **bent)
        carry = pose(arm_a=hold, spine=(0, 2, 0))
    else:
        down, carry = pose(arms=reach, **bent), pose(arms=hold, spine=-3)
    return Motion(start=REST, enter=((0.85, down), (0.25, down), (0.85, carry)))


def bow(rng: np.random.Generator) -> Motion:
    depth, hold = rng.uniform(35, 70), rng.uniform(0.2, 0.7)
    arms = [(0, 0, 0, 4), (22, -2, -10, 20), (24, -8, -50, 40)][rng.integers(3)]
    down = pose(pelvis=depth, spine=14, neck=12, legs=(8, 0, 0, 3), arms=arms)
    return Motion(start=REST, enter=((0.75, down), (hold, down), (0.75, REST)))


def side_bend(rng: np.random.Generator) -> Motion:
    bend, wide = rng.uniform(18, 32), rng.uniform(2, 14)
    legs = (0, wide, 4, 2)
    low, high = [((10, 10, 0, 8),) * 2, ((14, 44, -55, 95),) * 2, ((0, 8, 0, 8), (4, 150, 0, 40))][
        rng.integers(3)
    ]
    right = pose(spine=(0, bend, 0), pelvis=(0, 10, 0), neck=(0, 10, 0), legs=legs, arm_a=low,
                 arm_b=high)  # fmt: skip
    upright = pose(legs=legs, arms=low)
    return Motion(
        start=REST,
        enter=((0.4, upright),),
        cycle=((0.6, right), (0.45, upright), (0.6, other_side(right)), (0.45, upright)),
        leave=((0.35, REST),),
        repeats=(1, 1),
    )
