"""What the computer's CPU, graphics cards and energy counters tell: one reader a sensor."""
