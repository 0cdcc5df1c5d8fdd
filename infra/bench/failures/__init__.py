"""What the product does when something fails, in figures."""
