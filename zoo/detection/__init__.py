"""What Faster R-CNN adds to a residual network (Sec. 4.3, App. A and B): boxes and their readers.

A box is (y1, x1, y2, x2) in float32 pixels, corners between pixels: a picture of H x W has the
extent [0, H] x [0, W], and a width is x2 - x1.
"""
