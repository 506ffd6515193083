"""Unknowns, forms and boundary conditions put together; problems never solve themselves."""
