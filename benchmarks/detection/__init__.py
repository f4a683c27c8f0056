"""The detector beside torchvision's Faster R-CNN, and its parts beside TensorFlow's own."""
