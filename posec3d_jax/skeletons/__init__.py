"""Joint layouts: joints, limbs, sides, remaps, and the class names of data sets."""
