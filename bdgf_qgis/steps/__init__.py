"""Steps of which the runs of the algorithms are made: taking what was picked, matching, classifying, placing."""
