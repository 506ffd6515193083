"""What finished results say: opened again, located along the wire, counted and measured."""
