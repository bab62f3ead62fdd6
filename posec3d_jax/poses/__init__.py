"""From pictures to people: pose estimators, and who is who from frame to frame."""
