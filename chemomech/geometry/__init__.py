"""Shapes, their meshes with named facet groups, and the along-wire direction; no physics."""
