"""Paint a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU."""
