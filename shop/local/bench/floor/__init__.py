"""The floor: a bare Django site that draws the shop's pages from memory, to see what drawing alone costs."""
