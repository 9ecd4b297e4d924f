"""`make bench`: what every page costs, beside the least it could cost and the targets of the design."""
