"""What a person sees while a network trains: console, TensorBoard, pictures, responses."""
