"""Class names of data sets whose annotation files hold numbers only, in label order.

Only lists that are certain are here. The position is the label that the readers, and PYSKL's
pickles, give: the published action number minus one, unless a comment says otherwise.
"""

# fmt: off
_NTU60 = (
    "drink water", "eat meal", "brush teeth", "brush hair", "drop", "pick up", "throw", "sit down",
    "stand up", "clapping", "reading", "writing", "tear up paper", "put on jacket",
    "take off jacket", "put on a shoe", "take off a shoe", "put on glasses", "take off glasses",
    "put on a hat", "take off a hat", "cheer up", "hand waving", "kicking something",
    "reach into pocket", "hopping", "jump up", "phone call", "play with phone",
    "type on a keyboard", "point to something", "taking a selfie", "check time", "rub two hands",
    "nod head", "shake head", "wipe face", "salute", "put palms together", "cross hands in front",
    "sneeze or cough", "staggering", "falling down", "headache", "chest pain", "back pain",
    "neck pain", "nausea", "fan self", "punch or slap", "kicking a person", "pushing",
    "pat on back", "point finger", "hugging", "giving an object", "touch pocket", "shaking hands",
    "walking towards", "walking apart",
)
_NTU61_120 = (
    "put on headphone", "take off headphone", "shoot at basket", "bounce ball", "tennis bat swing",
    "juggle table tennis ball", "hush", "flick hair", "thumb up", "thumb down", "make OK sign",
    "make victory sign", "staple book", "counting money", "cutting nails", "cutting paper",
    "snap fingers", "open bottle", "sniff", "squat down", "toss a coin", "fold paper",
    "ball up paper", "play magic cube", "apply cream on face", "apply cream on hand", "put on bag",
    "take off bag", "put object into bag", "take object out of bag", "open a box",
    "move heavy objects", "shake fist", "throw up cap or hat", "hands up", "cross arms",
    "arm circles", "arm swings", "run on the spot", "butt kicks", "cross toe touch", "side kick",
    "yawn", "stretch oneself", "blow nose", "hit with object", "wield knife", "knock over",
    "grab stuff", "shoot with gun", "step on foot", "high five", "cheers and drink",
    "carry object together", "take a photo", "follow", "whisper", "exchange things",
    "support somebody", "rock-paper-scissors",
)

# The official class index, which is alphabetical (case ignored).
_UCF101 = (
    "ApplyEyeMakeup", "ApplyLipstick", "Archery", "BabyCrawling", "BalanceBeam", "BandMarching",
    "BaseballPitch", "Basketball", "BasketballDunk", "BenchPress", "Biking", "Billiards",
    "BlowDryHair", "BlowingCandles", "BodyWeightSquats", "Bowling", "BoxingPunchingBag",
    "BoxingSpeedBag", "BreastStroke", "BrushingTeeth", "CleanAndJerk", "CliffDiving",
    "CricketBowling", "CricketShot", "CuttingInKitchen", "Diving", "Drumming", "Fencing",
    "FieldHockeyPenalty", "FloorGymnastics", "FrisbeeCatch", "FrontCrawl", "GolfSwing", "Haircut",
    "Hammering", "HammerThrow", "HandstandPushups", "HandstandWalking", "HeadMassage", "HighJump",
    "HorseRace", "HorseRiding", "HulaHoop", "IceDancing", "JavelinThrow", "JugglingBalls",
    "JumpingJack", "JumpRope", "Kayaking", "Knitting", "LongJump", "Lunges", "MilitaryParade",
    "Mixing", "MoppingFloor", "Nunchucks", "ParallelBars", "PizzaTossing", "PlayingCello",
    "PlayingDaf", "PlayingDhol", "PlayingFlute", "PlayingGuitar", "PlayingPiano", "PlayingSitar",
    "PlayingTabla", "PlayingViolin", "PoleVault", "PommelHorse", "PullUps", "Punch", "PushUps",
    "Rafting", "RockClimbingIndoor", "RopeClimbing", "Rowing", "SalsaSpin", "ShavingBeard",
    "Shotput", "SkateBoarding", "Skiing", "Skijet", "SkyDiving", "SoccerJuggling", "SoccerPenalty",
    "StillRings", "SumoWrestling", "Surfing", "Swing", "TableTennisShot", "TaiChi", "TennisSwing",
    "ThrowDiscus", "TrampolineJumping", "Typing", "UnevenBars", "VolleyballSpiking",
    "WalkingWithDog", "WallPushups", "WritingOnBoard", "YoYo",
)

# Alphabetical, by folder.
_HMDB51 = (
    "brush_hair", "cartwheel", "catch", "chew", "clap", "climb", "climb_stairs", "dive",
    "draw_sword", "dribble", "drink", "eat", "fall_floor", "fencing", "flic_flac", "golf",
    "handstand", "hit", "hug", "jump", "kick", "kick_ball", "kiss", "laugh", "pick", "pour",
    "pullup", "punch", "push", "pushup", "ride_bike", "ride_horse", "run", "shake_hands",
    "shoot_ball", "shoot_bow", "shoot_gun", "sit", "situp", "smile", "smoke", "somersault", "stand",
    "swing_baseball", "sword", "sword_exercise", "talk", "throw", "turn", "walk", "wave",
)

# Alphabetical, as the files spell them.
_PENN_ACTION = (
    "baseball_pitch", "baseball_swing", "bench_press", "bowl", "clean_and_jerk", "golf_swing",
    "jump_rope", "jumping_jacks", "pullup", "pushup", "situp", "squat", "strum_guitar",
    "tennis_forehand", "tennis_serve",
)

_UTD_MHAD = (
    "swipe left", "swipe right", "wave", "clap", "throw", "cross arms", "basketball shoot",
    "draw x", "draw circle clockwise", "draw circle counter clockwise", "draw triangle", "bowling",
    "front boxing", "baseball swing", "tennis forehand swing", "arm curl", "tennis serve",
    "two hand push", "knock on door", "catch", "pick up and throw", "jog in place",
    "walk in place", "sit to stand", "stand to sit", "forward lunge", "squat",
)

# Actions 1-6, 8, 9, 11 and 12: the files number them 1 to 10 under `label`.
_NW_UCLA = (
    "pick up with one hand", "pick up with two hands", "drop trash", "walk around", "sit down",
    "stand up", "donning", "doffing", "throw", "carry",
)

# In the order of the files' list of actions.
_UTKINECT = (
    "walk", "sitDown", "standUp", "pickUp", "carry", "throw", "push", "pull", "waveHands",
    "clapHands",
)

# Folders 01 to 08.
_SBU = (
    "approaching", "departing", "kicking", "pushing", "shaking hands", "hugging",
    "exchanging object", "punching",
)

# The files name these activities; papers number them in several orders. This is the authors' table.
_VOLLEYBALL = (
    "right set", "right spike", "right pass", "right winpoint", "left winpoint", "left pass",
    "left spike", "left set",
)
# fmt: on

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "ntu60": _NTU60,
    "ntu120": _NTU60 + _NTU61_120,
    "ucf101": _UCF101,
    "hmdb51": _HMDB51,
    "penn_action": _PENN_ACTION,
    "utd_mhad": _UTD_MHAD,
    "nw_ucla": _NW_UCLA,
    "utkinect": _UTKINECT,
    "sbu": _SBU,
    "volleyball": _VOLLEYBALL,
}


def class_names(name: str, num_classes: int) -> tuple[str, ...]:
    """The names of that data set's classes, in label order.

    Where the data set is not in `CLASS_NAMES`, or has another number of classes there, the names
    are 'class 0' to 'class {num_classes - 1}': a wrong name is worse than none.
    """
    names = CLASS_NAMES.get(name, ())
    if len(names) == num_classes:
        return names
    return tuple(f"class {label}" for label in range(num_classes))
