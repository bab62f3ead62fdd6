"""How the recipe for people's own data was found: trainings on inner folds of training clips."""
