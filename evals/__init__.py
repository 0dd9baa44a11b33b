"""How well it answers."""
