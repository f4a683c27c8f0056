"""What a trained detector is worth: figures of COCO's and VOC's kind, mistakes, pictures, files."""
