"""One way to solve each exercise, as a learner could write it."""
