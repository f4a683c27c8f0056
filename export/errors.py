"""What stops an export, or the reading of an artifact."""


class ExportError(ValueError):
    """What was expected of a run or of an artifact, and what is there."""
