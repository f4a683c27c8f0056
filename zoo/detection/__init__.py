"""Faster R-CNN on any net of the zoo, cut before its last stage (Sec. 4.3, App. A)."""
