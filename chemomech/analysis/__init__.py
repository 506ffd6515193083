"""Open finished results, locate fields along the wire, count and measure domains."""
