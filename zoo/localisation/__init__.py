"""Localisation (App. C): a region proposal network that knows classes, on a whole residual net."""
